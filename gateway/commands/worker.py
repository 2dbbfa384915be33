"""`footlight worker`: background work. The outbox relay comes with the core; the sweeper and the sampler of streams and
the archiver of chat run here. Several workers share it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.activity import RoomActivity
from gateway.cataloguing import cataloguing
from gateway.converting import tending_conversions
from gateway.core import Core, open_core, running
from gateway.metering import showing
from gateway.paying import working_on_payments
from gateway.recording import making_recordings
from gateway.serving import stop_on_signals
from gateway.uploading import sweeping_uploads
from infra.clock import system_clock
from infra.forever import forever
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import open_objects
from infra.stores.search import Search, open_search
from media.catalog.indexer import TEND_SECONDS, Indexer, follow_videos, postgres_lock
from media.catalog.search_index import VideoIndex
from media.live.sampler import Sampler
from media.live.sweeper import Sweeper
from media.live.timeline import Timeline, follow_marks
from media.vod.figures import LOOK_SECONDS, QueueFigures
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
async def indexing(core: Core, mongo: Mongo, search: Search) -> AsyncIterator[None]:
    """Keep the index of videos as the catalogue is."""
    indexer = Indexer(VideoIndex(search), mongo, system_clock, postgres_lock(core.db))
    following = await follow_videos(core.bus, indexer)
    try:
        async with running(forever("search.tending", indexer.tend, every_seconds=TEND_SECONDS)):
            yield
    finally:
        await following.close()


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Work until told to stop."""
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        source = RoomSource(core.redis, room_functions(core.redis))
        archiver = Archiver(source, MongoArchive(mongo), core.metrics)
        await stack.enter_async_context(running(Sweeper(core.streams).run()))
        await stack.enter_async_context(running(archiver.run()))
        await stack.enter_async_context(charting(core, mongo))
        await stack.enter_async_context(healing(core))
        await stack.enter_async_context(cataloguing(core, mongo, objects))
        await stack.enter_async_context(sweeping_uploads(core, mongo, objects))
        await stack.enter_async_context(making_recordings(core, mongo, objects))
        await stack.enter_async_context(tending_conversions(core, mongo, objects))
        await stack.enter_async_context(working_on_payments(core))
        search = await stack.enter_async_context(open_search(settings.search))
        await stack.enter_async_context(indexing(core, mongo, search))
        queue = QueueFigures(core.metrics, core.db)
        await stack.enter_async_context(running(forever("transcodes.queue", queue.look, every_seconds=LOOK_SECONDS)))
        shown_at = settings.metrics
        await stack.enter_async_context(showing(core.metrics, shown_at.host, shown_at.worker_port))
        log.info("worker.started")
        await stop.wait()
    return 0
