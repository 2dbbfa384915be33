"""`footlight worker`: background work. The outbox relay comes with the core; the sweeper of streams and the archiver
of chat run here. Several workers share it."""

import argparse
from contextlib import AsyncExitStack

from gateway.core import open_core, running
from gateway.serving import stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from media.live.sweeper import Sweeper
from realtime.archive.archiver import Archiver
from realtime.archive.mongo import MongoArchive
from realtime.archive.source import RoomSource
from realtime.room.log_redis import room_functions

log = get_logger(__name__)


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
        log.info("worker.started")
        await stop.wait()
    return 0
