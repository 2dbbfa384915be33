"""Videos made by AWS MediaConvert: who looks at them (a Lambda function, `gateway/lambda_convert.py`), and what our
workers do beside it. Only when `FOOTLIGHT_TRANSCODER=mediaconvert`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gateway.core import Core, running
from infra.bus.open import open_bus
from infra.bus.port import Bus, Message
from infra.clock import system_clock
from infra.convert_settings import ConvertSettings
from infra.errors import FootlightError, Unavailable
from infra.forever import forever
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.outbox import Outbox
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import Objects, open_objects
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.redis import open_redis
from media.catalog.announcing import to_bus
from media.catalog.videos import Catalogue
from media.events import TranscodeRequested
from media.vod.convert.collecting import Collector
from media.vod.convert.conductor import Conductor, Stage, teller
from media.vod.convert.jobs import Jobs, MediaConvertTranscoding
from media.vod.convert.messages import hint
from media.vod.convert.service import MediaConvert, open_mediaconvert
from media.vod.leases import Leases
from media.vod.leftovers import Leftovers
from media.vod.ports import Transcoding
from media.vod.progress import Reporter
from media.vod.publish import Publisher
from media.vod.tasks import service_task
from media.vod.transcodes import Transcodes

# A step of the Lambda function ends within its 15 minutes; nobody else takes its task before.
LEASE_SECONDS = 900.0
TEND_SECONDS = 15.0
UNHEARD_SECONDS = 30.0  # a task due for so long was missed by whoever should have looked
NUDGES = "convert-nudges"

log = get_logger(__name__)


def transcoding_of(settings: Settings, outbox: Outbox) -> Transcoding:
    """Who is asked to make videos here."""
    if settings.convert.transcoder == "mediaconvert":
        return MediaConvertTranscoding(outbox, system_clock)
    return Transcodes(outbox, system_clock)


class InboxUnavailable(Unavailable):
    code = "service.convert_inbox"
    message = "The queue in front of the video service does not answer just now."


class Inbox:
    """The queue of hints, as our workers write to it."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    async def tell(self, video_id: str) -> None:
        """Somebody should look at this video. Raises `InboxUnavailable`."""
        try:
            await asyncio.to_thread(self._client.send_message, QueueUrl=self._url, MessageBody=hint(video_id))
        except (ClientError, BotoCoreError, OSError) as lost:
            raise InboxUnavailable from lost


def leases_of(db: Postgres, settings: Settings) -> Leases:
    return Leases(
        db, system_clock, lease_seconds=LEASE_SECONDS, max_attempts=settings.vod.max_attempts, follows=service_task
    )


def stage_of(
    db: Postgres, objects: Objects, mongo: Mongo, bus: Bus, service: MediaConvert, settings: Settings
) -> Stage:
    """What a conductor works with, over what is open."""
    leases = leases_of(db, settings)
    catalogue = Catalogue(mongo, to_bus(bus), system_clock)
    reporter = Reporter(bus, leases, system_clock)
    return Stage(
        leases=leases,
        jobs=Jobs(db),
        service=service,
        objects=objects,
        publisher=Publisher(objects, catalogue, leases, on_playable=reporter.playable),
        collector=Collector(objects, leases),
        reporter=reporter,
        catalogue=catalogue,
        clock=system_clock,
    )


@asynccontextmanager
async def open_conductor(settings: Settings) -> AsyncIterator[Conductor]:
    """A conductor with stores of its own."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_postgres(settings.postgres))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        bus = await stack.enter_async_context(open_bus(settings.bus, redis, metrics))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        service = await stack.enter_async_context(open_mediaconvert(settings.convert))
        yield Conductor(stage_of(db, objects, mongo, bus, service, settings), settings.convert, settings.vod)


class Tending:
    """What every worker does, so that no hint that was lost loses a video: any number may do it at once."""

    def __init__(self, stage: Stage, leftovers: Leftovers, inbox: Inbox) -> None:
        self._stage = stage
        self._leftovers = leftovers
        self._inbox = inbox

    async def round(self) -> None:
        """Each part by itself: one that cannot be done keeps none of the others from being done."""
        stage = self._stage
        parts: tuple[Callable[[], Awaitable[object]], ...] = (
            stage.leases.sweep_lost,
            lambda: stage.leases.tell_failures(teller(stage.catalogue, stage.reporter)),
            lambda: stage.jobs.cancel_dropped(stage.service),
            self._leftovers.sweep,
            self._tell_waiting,
        )
        for part in parts:
            try:
                await part()
            except FootlightError as failure:
                log.error("convert.waits", code=failure.code)

    async def heard(self, message: Message) -> None:
        """A video was requested, or is to be made again."""
        await self._inbox.tell(TranscodeRequested.from_message(message).video_id)

    async def _tell_waiting(self) -> None:
        for video_id in await self._stage.jobs.waiting(UNHEARD_SECONDS):
            await self._inbox.tell(video_id)


@asynccontextmanager
async def tending_conversions(core: Core, mongo: Mongo, objects: Objects) -> AsyncIterator[None]:
    """Until the block is left; nothing where our own transcoders make the videos."""
    settings = core.settings
    if settings.convert.transcoder != "mediaconvert":
        yield
        return
    async with open_mediaconvert(settings.convert) as service:
        stage = stage_of(core.db, objects, mongo, core.bus, service, settings)
        tending = Tending(stage, Leftovers(core.db, objects), inbox_of(settings.convert))
        hearing = await core.bus.subscribe(NUDGES, [TranscodeRequested.topic], tending.heard)
        try:
            async with running(forever("convert.tend", tending.round, every_seconds=TEND_SECONDS)):
                yield
        finally:
            await hearing.close()


def inbox_of(settings: ConvertSettings) -> Inbox:
    client = boto3.client(
        "sqs",
        region_name=settings.region,
        endpoint_url=settings.inbox_endpoint or None,
        config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 2}),
    )
    return Inbox(client, settings.inbox)
