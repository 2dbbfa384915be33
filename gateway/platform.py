"""The composition root: everything is built here, once, in order, and closed in reverse.

Read it top to bottom, then `core.py`, to know what a node is made of. Nobody else constructs a client or a service.
"""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from litestar import Litestar

from accounts.accounts import Accounts
from api.app import create_api
from gateway.core import open_core
from gateway.health import Store
from gateway.limits import Limits
from gateway.rooms import RoomStreams
from infra.metrics import Metrics
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from infra.stores.objects import open_objects
from infra.stores.redis import ping_redis
from infra.stores.search import open_search
from media.live.streams import Streams
from realtime.server import Realtime, open_realtime


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
    api: Litestar
    origins: tuple[str, ...]


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """A whole node: core, the stores only the API uses, the real-time server and the API."""
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        search = await stack.enter_async_context(open_search(settings.search))
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
            )
        )
        yield Platform(
            settings=settings,
            node=node,
            metrics=core.metrics,
            stores={
                "postgres": Store(core.db.ping),
                "redis": Store(lambda: ping_redis(core.redis)),
                "bus": Store(core.bus.ping),
                "mongo": Store(mongo.ping, needed=False),
                "objects": Store(objects.ping, needed=False),
                "search": Store(search.ping, needed=False),
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
            api=create_api(accounts=core.accounts, streams=core.streams, viewers=realtime.viewers, settings=settings),
            origins=origins,
        )


def node_name() -> str:
    """What this process calls itself in logs and headers."""
    return os.environ.get("FOOTLIGHT_NODE") or f"{socket.gethostname()}-{os.getpid()}"
