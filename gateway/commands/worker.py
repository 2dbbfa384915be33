"""`footlight worker`: background work. The outbox relay comes with the core; the sweeper and the sampler of streams and
the archiver of chat run here. Several workers share it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.activity import RoomActivity
from gateway.core import Core, open_core, running
from gateway.serving import stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from media.live.sampler import Sampler
from media.live.sweeper import Sweeper
from media.live.timeline import Timeline, follow_marks
from realtime.archive.archiver import Archiver
from realtime.archive.mongo import MongoArchive
from realtime.archive.source import RoomSource
from realtime.moderation.record import follow_moderation
from realtime.room.log_redis import room_functions
from realtime.room.presence import Presence, presence_functions

log = get_logger(__name__)


@asynccontextmanager
async def charting(core: Core, mongo: Mongo) -> AsyncIterator[None]:
    """Keep what charts of streams show."""
    timeline = Timeline(mongo)
    viewers = Presence(presence_functions(core.redis))
    sampler = Sampler(core.streams, viewers, RoomActivity(core.db, core.redis), timeline)
    marking = await follow_marks(core.bus, timeline)
    try:
        async with running(viewers.run()), running(sampler.run()):
            yield
    finally:
        await marking.close()


@asynccontextmanager
async def healing(core: Core) -> AsyncIterator[None]:
    """Bring rooms up to date that a crash left behind what was decided."""
    following = await follow_moderation(core.bus, core.desk.moderation.records)
    try:
        yield
    finally:
        await following.close()


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Work until told to stop."""
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        source = RoomSource(core.redis, room_functions(core.redis))
        archiver = Archiver(source, MongoArchive(mongo), core.metrics)
        await stack.enter_async_context(running(Sweeper(core.streams).run()))
        await stack.enter_async_context(running(archiver.run()))
        await stack.enter_async_context(charting(core, mongo))
        await stack.enter_async_context(healing(core))
        log.info("worker.started")
        await stop.wait()
    return 0
