"""Looks at a video that MediaConvert makes, and does the next step: probe, ask for the job, collect, finish.

Whoever is told anything about a video calls `look`; it finds in PostgreSQL what is next, under the same leases as our
own transcoders. Told twice, by nobody, late or in any order, the same comes out. While the service works nobody holds a
lease: the task waits, and is looked at when the service says something, or after `LOOK_SECONDS`.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from infra.clock import Clock
from infra.convert_settings import ConvertSettings
from infra.errors import FootlightError
from infra.logs import correlated, get_logger
from infra.settings import VodSettings
from infra.stores.objects import NoSuchObject, Objects
from media.catalog.errors import VideoNotFound
from media.catalog.model import Failure
from media.vod.convert.collecting import Collector
from media.vod.convert.faults import fault_of
from media.vod.convert.jobs import Jobs
from media.vod.convert.probing import probed_of
from media.vod.convert.request import Place, create_job
from media.vod.convert.service import Job, MediaConvert, NoSuchJob
from media.vod.errors import EncodeFailed, LeaseLost, SourceDamaged, SourceGone
from media.vod.ladder import plan as plan_of
from media.vod.leases import Leases, Prepared
from media.vod.progress import Reporter
from media.vod.publish import Catalogue, Publisher
from media.vod.task_repository import Lease
from media.vod.tasks import Again, Drop, GiveUp, judge

# The service tells of itself every ten seconds; this finds what it told nobody.
LOOK_SECONDS = 60.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a conductor works with."""

    leases: Leases
    jobs: Jobs
    service: MediaConvert
    objects: Objects
    publisher: Publisher
    collector: Collector
    reporter: Reporter
    catalogue: Catalogue
    clock: Clock


class Conductor:
    """Any number may look at one video at once: the lease lets one of them act."""

    def __init__(self, stage: Stage, settings: ConvertSettings, vod: VodSettings) -> None:
        self._stage = stage
        self._settings = settings
        self._vod = vod

    async def look(self, video_id: str) -> bool:
        """Do all that can be done now; whether there was anything. Raises `Unavailable` of the stores."""
        looked = False
        while (lease := await self._stage.leases.claim_of(video_id)) is not None:
            looked = True
            with correlated(f"convert-{lease.claim}", video_id=video_id, task=lease.kind):
                if not await self._act(lease):
                    break
        return looked

    async def _act(self, lease: Lease) -> bool:
        """Whether the task is done, so that the next may follow."""
        try:
            match lease.kind:
                case "prepare":
                    await self._stage.leases.hand_in(lease, await self._prepare(lease))
                    await self._stage.reporter.more_work(lease.video_id)
                case "job":
                    return await self._follow(lease)
                case "finish":
                    await self._stage.publisher.finish(lease)
                    await self._stage.leases.hand_in(lease)
                    await self._stage.reporter.done(lease)
                case _:
                    await self._stage.leases.look_later(lease, LOOK_SECONDS)
                    return False  # begun by our own transcoders: theirs to end
        except Exception as error:  # noqa: BLE001 - judged and logged in `_ended_badly`
            await self._ended_badly(lease, error)
            return False
        return True

    async def _prepare(self, lease: Lease) -> Prepared:
        await self._stage.publisher.begin(lease)
        try:
            head = await self._stage.objects.call("head_object", Key=lease.source.key)
        except NoSuchObject as gone:
            raise SourceGone from gone
        if head["ContentLength"] != lease.source.size_bytes:
            raise SourceDamaged
        results = await self._stage.service.probe(self._place(lease).source)
        most = self._vod.max_duration_hours * 3600.0
        probed = probed_of(results, size_bytes=lease.source.size_bytes, max_seconds=most)
        return Prepared(probed, plan_of(probed, keep=False), None)

    async def _follow(self, lease: Lease) -> bool:
        """Ask for the job, or how it is; collect what it made."""
        job_id = await self._stage.jobs.of(lease) or await self._create(lease)
        try:
            job = await self._stage.service.find(job_id)
        except NoSuchJob:
            await self._stage.jobs.forget(lease)
            raise
        if job.state == "COMPLETE":
            await self._stage.collector.collect(lease, self._place(lease))
            await self._stage.jobs.forget(lease)
            await self._stage.leases.hand_in(lease)
            return True
        if job.state in ("ERROR", "CANCELED"):
            await self._stage.jobs.forget(lease)
            await self._stage.leases.leave(self._place(lease).prefix)
            raise fault_of(job.code, job.why) if job.state == "ERROR" else EncodeFailed(why="cancelled")
        await self._wait(lease, job)
        return False

    async def _create(self, lease: Lease) -> str:
        if lease.probed is None or lease.plan is None:
            raise LeaseLost
        request = create_job(
            self._place(lease), lease.probed, lease.plan, role=self._settings.role, queue=self._settings.queue
        )
        job_id = await self._stage.service.create(request)
        await self._stage.jobs.keep(lease, job_id)
        log.info("convert.asked", job_id=job_id, attempt=lease.attempt)
        return job_id

    async def _wait(self, lease: Lease, job: Job) -> None:
        await self._stage.leases.renew(lease, job.done)
        await self._stage.reporter.going_on(lease)
        await self._stage.leases.look_later(lease, LOOK_SECONDS)

    def _place(self, lease: Lease) -> Place:
        return Place(self._stage.objects.bucket, lease.source.key, lease.video_id, lease.build, lease.attempt)

    # --- when it ended badly

    async def _ended_badly(self, lease: Lease, error: Exception) -> None:
        leases = self._stage.leases
        verdict = judge(error, lease.attempt, lease.excuses, leases.max_attempts, self._stage.clock())
        why = error.code if isinstance(error, FootlightError) else type(error).__name__
        unforeseen = None if isinstance(error, FootlightError) else error
        log.error("task.failed", attempt=lease.attempt, why=why, then=type(verdict).__name__, exc_info=unforeseen)
        match verdict:
            case Again():
                await leases.give_back(lease, verdict)
            case GiveUp(failure):
                await leases.give_up(lease, failure)
                await leases.tell_failures(teller(self._stage.catalogue, self._stage.reporter))
            case Drop():
                pass


def teller(catalogue: Catalogue, reporter: Reporter) -> Callable[[str, str, Failure], Awaitable[None]]:
    """Tells a failure to the document, then to whoever looks. Raises `MongoUnavailable`."""

    async def tell(video_id: str, creator_id: str, failure: Failure) -> None:
        with contextlib.suppress(VideoNotFound):
            await catalogue.failed(video_id, failure)
            await reporter.failed(video_id, creator_id, failure)

    return tell
