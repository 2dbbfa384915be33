"""The transcoder: takes tasks, keeps their leases while it works, hands in what came of them.

`jobs` places take any task; two more take only quick ones, so that what somebody waits for (is the file a video? its
first picture) never stands behind an hour of encoding. A place whose task is no longer its own, shows no sign of life
or ran out of room ends its child at once.

`stop` ends every child and puts the tasks down, to be taken by others at once and without counting an attempt.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from infra.clock import Clock, new_id
from infra.errors import FootlightError, Unavailable
from infra.logs import correlated, get_logger
from infra.retry import retrying
from infra.stores.postgres import PostgresUnavailable
from media.catalog.errors import VideoNotFound
from media.catalog.model import Failure
from media.vod.errors import LeaseLost, ScratchFull, TranscodeStalled
from media.vod.figures import TaskFigures
from media.vod.hold import Hold
from media.vod.leases import Leases, Prepared
from media.vod.progress import EVERY_SECONDS, Reporter
from media.vod.publish import Catalogue
from media.vod.scratch import Scratch
from media.vod.steps import Steps
from media.vod.task_repository import Lease
from media.vod.tasks import Again, Drop, GiveUp, is_our_fault, judge

QUICK_PLACES = 2
POLL_SECONDS = 3.0  # finds work when no nudge comes
# The other places let these choose first: a long task must not wait because its place took a quick one.
QUICK_FIRST_SECONDS = 0.03
STALL_SECONDS = 60.0
PATIENCE_SECONDS = 90.0  # with a database that is away; a task is not thrown away for a restart
PUT_DOWN_SECONDS = 2.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a transcoder works with."""

    leases: Leases
    steps: Steps
    reporter: Reporter
    catalogue: Catalogue
    scratch: Scratch
    clock: Clock
    figures: TaskFigures


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, how often, how long."""

    jobs: int = 1
    poll_seconds: float = POLL_SECONDS
    stall_seconds: float = STALL_SECONDS
    patience_seconds: float = PATIENCE_SECONDS


class Transcoder:
    """`run` works until `stop` is set; `nudge` says that there may be work."""

    def __init__(self, tools: Tools, pace: Pace = Pace()) -> None:
        self._tools = tools
        self._pace = pace
        self._nudges: list[asyncio.Event] = []
        self._patiently = retrying(
            PostgresUnavailable, attempts=1000, seconds=pace.patience_seconds, longest_seconds=2.0
        )

    def nudge(self) -> None:
        """There may be work."""
        for nudged in self._nudges:
            nudged.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; returns when every child is gone and every task is put down."""
        places = [
            asyncio.create_task(self._place(quick_only=number >= self._pace.jobs))
            for number in range(self._pace.jobs + QUICK_PLACES)
        ]
        try:
            await stop.wait()
        finally:
            for place in places:
                place.cancel()
            await asyncio.gather(*places, return_exceptions=True)

    async def _place(self, *, quick_only: bool) -> None:
        nudged = asyncio.Event()
        self._nudges.append(nudged)
        while True:
            nudged.clear()
            if not quick_only:
                await asyncio.sleep(QUICK_FIRST_SECONDS)
            try:
                lease = await self._claim(quick_only=quick_only)
                if lease is not None:
                    await self._work(lease)
                    continue
            except FootlightError as failure:
                log.error("transcoder.waits", code=failure.code)
            except Exception:  # whatever it was, a place that ends takes no task for the life of the process
                log.exception("transcoder.place_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll_seconds):
                    await nudged.wait()

    async def _claim(self, *, quick_only: bool) -> Lease | None:
        """Told to stop in the middle, what was claimed is put down."""
        claiming = asyncio.create_task(self._tools.leases.claim(quick_only=quick_only))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.wait({claiming})
            if not claiming.exception() and (lease := claiming.result()) is not None:
                await self._put_down(lease)
            raise

    async def _work(self, lease: Lease) -> None:
        with correlated(new_id(), video_id=lease.video_id, task=f"{lease.kind} {lease.chunk}"):
            began = time.monotonic()
            try:
                result = await self._keeping(Hold(lease))
                await self._patiently(self._tools.leases.hand_in, lease, result)
            except asyncio.CancelledError:
                await self._put_down(lease)
                raise
            except Exception as error:  # noqa: BLE001 - judged and logged in `_ended_badly`
                await self._ended_badly(lease, error)
                return
            seconds = time.monotonic() - began
            self._tools.figures.done(lease, seconds)
            log.info("task.done", attempt=lease.attempt, ms=int(seconds * 1000))
            await self._after(lease)

    async def _after(self, lease: Lease) -> None:
        self.nudge()
        if lease.kind == "prepare":
            await self._tools.reporter.more_work(lease.video_id)
        if lease.kind == "finish":
            await self._tools.reporter.done(lease)

    # --- while it lasts

    async def _keeping(self, hold: Hold) -> Prepared | None:
        """Do the task while its lease can be kept. Raises what ended it; nothing of it goes on afterwards."""
        work = asyncio.create_task(self._tools.steps.run(hold))
        keep = asyncio.create_task(self._keep(hold))
        try:
            await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await keep
            return await work
        finally:
            work.cancel()
            keep.cancel()
            await asyncio.gather(work, keep, return_exceptions=True)

    async def _keep(self, hold: Hold) -> None:
        """Renew the lease, tell how far it is, watch over room and signs of life. Never returns."""
        leases, heard = self._tools.leases, time.monotonic()
        while True:
            await asyncio.sleep(min(leases.lease_seconds / 3, EVERY_SECONDS))
            try:
                await leases.renew(hold.lease, hold.progress)
                heard = time.monotonic()
                await self._tools.reporter.going_on(hold.lease)
            except PostgresUnavailable:
                # Nobody else can take the task meanwhile, unless we alone are cut off: then the result is refused.
                if time.monotonic() - heard > self._pace.patience_seconds:
                    raise
            await asyncio.to_thread(self._tools.scratch.check)
            if hold.silent_seconds > self._stall_seconds(hold):
                raise TranscodeStalled

    def _stall_seconds(self, hold: Hold) -> float:
        """Pictures of a long video say nothing for long: they read all of it."""
        slack = hold.lease.plan.duration_seconds / 50 if hold.lease.kind == "pictures" and hold.lease.plan else 0.0
        return self._pace.stall_seconds + slack

    # --- when it ended

    async def _put_down(self, lease: Lease) -> None:
        self._tools.figures.put_down(lease)
        with contextlib.suppress(FootlightError, TimeoutError):  # then its lease runs out
            async with asyncio.timeout(PUT_DOWN_SECONDS):
                await self._tools.leases.put_down(lease)
                log.info("task.put_down", attempt=lease.attempt)

    async def _ended_badly(self, lease: Lease, error: Exception) -> None:
        error = await self._cause(error)
        verdict = judge(error, lease.attempt, lease.excuses, self._tools.leases.max_attempts, self._tools.clock())
        self._tools.figures.ended_badly(lease, verdict)
        why = error.code if isinstance(error, FootlightError) else type(error).__name__
        log.error("task.failed", attempt=lease.attempt, why=why, then=type(verdict).__name__, exc_info=_trace(error))
        try:
            match verdict:
                case Again():
                    await self._patiently(self._tools.leases.give_back, lease, verdict)
                case GiveUp(failure):
                    await self._patiently(self._tools.leases.give_up, lease, failure)
                    await self._tools.leases.tell_failures(self.tell_failure)
                case Drop():
                    pass
        except Unavailable as away:  # its lease runs out; what was given up is told by housekeeping
            log.error("task.left", code=away.code)

    async def _cause(self, error: Exception) -> Exception:
        """A child that found no room does not say so in a way one could rely on."""
        if isinstance(error, FootlightError) and (is_our_fault(error) or isinstance(error, LeaseLost)):
            return error
        try:
            await asyncio.to_thread(self._tools.scratch.check)
        except ScratchFull as full:
            return full
        return error

    async def tell_failure(self, video_id: str, creator_id: str, failure: Failure) -> None:
        """Into the document, then to whoever looks. Raises `MongoUnavailable`."""
        with contextlib.suppress(VideoNotFound):
            await self._tools.catalogue.failed(video_id, failure)
            await self._tools.reporter.failed(video_id, creator_id, failure)


def _trace(error: Exception) -> Exception | None:
    """What we did not foresee is logged with its place."""
    return None if isinstance(error, FootlightError) else error
