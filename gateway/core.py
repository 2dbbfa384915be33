"""The lower half of the composition root: what every process that changes state has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from accounts.accounts import Accounts
from accounts.open import open_accounts
from gateway.classifier import open_classifier
from gateway.rooms import RoomStreams
from infra.bus.open import open_bus
from infra.bus.port import Bus
from infra.clock import system_clock
from infra.metrics import Metrics
from infra.outbox import Outbox, Relay
from infra.retry import report_retries
from infra.settings import Settings
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.redis import Redis, open_redis
from media.live.streams import Streams
from realtime.desk import Desk, open_desk
from realtime.room.presence import Presence, presence_functions


@dataclass(frozen=True)
class Core:
    """Stores, bus, outbox and the domains."""

    settings: Settings
    db: Postgres
    redis: Redis
    bus: Bus
    outbox: Outbox
    accounts: Accounts
    streams: Streams
    desk: Desk
    metrics: Metrics


@asynccontextmanager
async def open_core(settings: Settings) -> AsyncIterator[Core]:
    """Connect and build the domains; a relay publishes what they put into the outbox."""
    metrics = Metrics()
    report_retries(metrics)
    outbox = Outbox()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_postgres(settings.postgres))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        bus = await stack.enter_async_context(open_bus(settings.bus, redis, metrics))
        accounts = await stack.enter_async_context(open_accounts(settings.auth, db, redis, outbox))
        streams = Streams.over(db, redis, outbox, settings.live)
        desk = open_desk(
            db=db,
            redis=redis,
            outbox=outbox,
            streams=RoomStreams(streams),
            viewers=Presence(presence_functions(redis)),
            set_color=accounts.set_chat_color,
            clock=system_clock,
            classifier=await stack.enter_async_context(open_classifier(settings.classifier, metrics)),
        )
        await stack.enter_async_context(running(Relay(db, bus, outbox, metrics).run()))
        yield Core(settings, db, redis, bus, outbox, accounts, streams, desk, metrics)


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
