"""`footlight transcode`: makes videos of what was uploaded. Any number of them share the work."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from gateway.core import running
from gateway.metering import showing
from gateway.serving import stop_on_signals
from infra.bus.open import open_bus
from infra.bus.port import Bus, Message
from infra.clock import system_clock
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.retry import report_retries
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from infra.stores.objects import open_objects
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from media.catalog.announcing import to_bus
from media.catalog.videos import Catalogue
from media.events import TranscodeRequested
from media.vod.figures import TaskFigures
from media.vod.housekeeping import Housekeeping
from media.vod.ladder import plan as plan_of
from media.vod.leases import Leases
from media.vod.leftovers import Leftovers
from media.vod.progress import Reporter
from media.vod.publish import Publisher
from media.vod.scratch import open_scratch
from media.vod.source import Sources
from media.vod.steps import Planner, Steps
from media.vod.transcoder import QUICK_PLACES, Pace, Tools, Transcoder

# Of each place: one for its lease and one for what it publishes.
CONNECTIONS_A_PLACE = 2
LISTEN_AGAIN_SECONDS = 5.0
PACE = Pace()

log = get_logger(__name__)


@asynccontextmanager
async def open_transcoder(
    settings: Settings, *, planner: Planner = plan_of, pace: Pace = PACE
) -> AsyncIterator[Transcoder]:
    """Everything it needs, with the housekeeping beside it and nudges from the bus."""
    vod, metrics = settings.vod, Metrics()
    report_retries(metrics)
    places = vod.transcode_jobs + QUICK_PLACES
    postgres = replace(settings.postgres, pool_size=max(settings.postgres.pool_size, places * CONNECTIONS_A_PLACE))
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_postgres(postgres))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        bus = await stack.enter_async_context(open_bus(settings.bus, redis, metrics))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        scratch = stack.enter_context(open_scratch(vod.scratch, vod.scratch_bytes))
        catalogue = Catalogue(mongo, to_bus(bus), system_clock)
        leases = Leases(db, system_clock, lease_seconds=vod.lease_seconds, max_attempts=vod.max_attempts)
        sources = Sources(objects, scratch)
        stack.push_async_callback(sources.close)
        reporter = Reporter(bus, leases, system_clock)
        publisher = Publisher(objects, catalogue, leases, on_playable=reporter.playable)
        steps = Steps(sources, scratch, publisher, leases, vod, ffmpeg=settings.live.ffmpeg, planner=planner)
        figures = TaskFigures(metrics)
        tools = Tools(leases, steps, reporter, catalogue, scratch, system_clock, figures)
        transcoder = Transcoder(tools, replace(pace, jobs=vod.transcode_jobs))
        keeping = Housekeeping(leases, Leftovers(db, objects), sources, transcoder.tell_failure)
        await stack.enter_async_context(running(keeping.run(partial(_freed, transcoder, figures))))
        shown_at = settings.metrics
        await stack.enter_async_context(showing(metrics, shown_at.host, shown_at.transcode_port))
        await stack.enter_async_context(running(_listen(bus, transcoder)))
        yield transcoder


async def run(_: argparse.Namespace, settings: Settings, planner: Planner = plan_of) -> int:
    """Work until told to stop; tasks in hand go back at once."""
    if settings.convert.transcoder != "own":
        sys.stderr.write("FOOTLIGHT_TRANSCODER says that MediaConvert makes the videos: there is nothing to do here.\n")
        return 1
    stop = stop_on_signals()
    async with open_transcoder(settings, planner=planner) as transcoder:
        log.info("transcoder.started", jobs=settings.vod.transcode_jobs)
        await transcoder.run(stop)
    return 0


def _freed(transcoder: Transcoder, figures: TaskFigures, tasks: int) -> None:
    figures.freed(tasks)
    transcoder.nudge()


async def _listen(bus: Bus, transcoder: Transcoder) -> None:
    """Hear of new work at once. Without the bus it is found by looking."""

    async def heard(_: Message) -> None:
        transcoder.nudge()

    while True:
        try:
            await bus.listen([TranscodeRequested.topic], heard)
        except Unavailable as away:
            log.error("transcoder.deaf", code=away.code)
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)
        else:
            return
