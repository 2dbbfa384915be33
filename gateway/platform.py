"""The composition root: everything is built here, once, in order, and closed in reverse.

Read it top to bottom, then `core.py`, to know what a node is made of. Nobody else constructs a client or a service.
"""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from accounts.accounts import Accounts
from gateway.core import open_core
from gateway.health import Store
from gateway.limits import Limits
from gateway.rooms import RoomStreams
from infra.metrics import Metrics
from infra.settings import Settings
from infra.stores.redis import ping_redis
from media.live.streams import Streams
from realtime.rechecking import Recheck
from realtime.server import Realtime, open_realtime

if TYPE_CHECKING:
    from gateway.web import Web


@dataclass(frozen=True)
class Platform:
    """What a node serves."""

    settings: Settings
    node: str
    metrics: Metrics
    stores: Mapping[str, Store]
    accounts: Accounts
    streams: Streams
    limits: Limits
    realtime: Realtime
    web: "Web | None"
    origins: tuple[str, ...]


@asynccontextmanager
async def open_platform(settings: Settings, *, with_http: bool = True) -> AsyncIterator[Platform]:
    """A whole node: core, the real-time server, and unless it is to serve sockets alone, the API with its stores."""
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        origins = settings.web.all_origins
        node = node_name()
        realtime = await stack.enter_async_context(
            open_realtime(
                redis=core.redis,
                redis_settings=settings.redis,
                bus=core.bus,
                identify=core.accounts.identify,
                streams=RoomStreams(core.streams),
                origins=origins,
                node=node,
                metrics=core.metrics,
                limits=settings.realtime,
                moderating=core.desk,
                recheck=Recheck(core.accounts.present),
            )
        )
        web: Web | None = None
        if with_http:  # imported only then: 30 MB that a real-time node does not need
            web = await stack.enter_async_context(import_module("gateway.web").open_web(core, realtime.viewers))
        yield Platform(
            settings=settings,
            node=node,
            metrics=core.metrics,
            stores={
                "postgres": Store(core.db.ping),
                "redis": Store(lambda: ping_redis(core.redis)),
                "bus": Store(core.bus.ping),
                **(web.stores if web is not None else {}),
            },
            accounts=core.accounts,
            streams=core.streams,
            limits=Limits(
                core.redis,
                per_user=settings.web.user_limit_per_minute,
                per_address=settings.web.address_limit_per_minute,
                metrics=core.metrics,
            ),
            realtime=realtime,
            web=web,
            origins=origins,
        )


def node_name() -> str:
    """What this process calls itself in logs and headers."""
    return os.environ.get("FOOTLIGHT_NODE") or f"{socket.gethostname()}-{os.getpid()}"
