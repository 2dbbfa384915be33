"""`footlight worker`: background work. The outbox relay comes with the core; the sweeper and the sampler of streams and
the archiver of chat run here. Several workers share it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.activity import RoomActivity
from gateway.core import Core, open_core, running
from gateway.serving import stop_on_signals
from infra.clock import system_clock
from infra.forever import forever
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from media.catalog.announcing import SWEEP_SECONDS, to_bus
from media.catalog.indexes import keep_making_indexes
from media.catalog.likes import Likes
from media.catalog.naming import follow_names
from media.catalog.videos import Catalogue
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


@asynccontextmanager
async def cataloguing(core: Core, mongo: Mongo) -> AsyncIterator[None]:
    """Keep the catalogue of videos true: what was left unannounced, uncounted or misnamed."""
    catalogue = Catalogue(mongo, to_bus(core.bus), system_clock)
    likes = Likes(mongo, catalogue, system_clock)
    naming = await follow_names(core.bus, catalogue)
    try:
        async with (
            running(keep_making_indexes(mongo)),
            running(forever("catalog.announcing", catalogue.announcer.sweep, every_seconds=SWEEP_SECONDS)),
            running(forever("catalog.likes", likes.sweep, every_seconds=SWEEP_SECONDS)),
        ):
            yield
    finally:
        await naming.close()


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
        await stack.enter_async_context(cataloguing(core, mongo))
        log.info("worker.started")
        await stop.wait()
    return 0
