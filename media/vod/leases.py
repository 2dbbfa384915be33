"""The work as transcoders see it: take a task, keep it, hand in what came of it. Each method is one transaction.

A lease that was lost is noticed at every one of them (`LeaseLost`), by the number that was drawn when the task was
claimed: a worker that was away for too long changes nothing any more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from infra.clock import Clock
from infra.logs import get_logger
from infra.stores.postgres import Connection, Postgres
from media.catalog.model import Failure
from media.vod.errors import LeaseLost
from media.vod.plan import Plan, Probed, Segment
from media.vod.task_repository import Lease, LostTask, Shown, TaskRepository, failure_of
from media.vod.tasks import Again, GiveUp, NewTask, TaskShare, after_loss, after_prepare, last_task
from media.vod.transcodes import LEFT_SECONDS, build_folder

BATCH = 100
ALONE_SECONDS = 30  # a few calls to the object store, each of at most 20 s and most of 20 ms

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` found out; the checksum only when the whole source was read."""

    probed: Probed
    plan: Plan
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a video is, for the one worker that is to tell."""

    shares: list[TaskShare]
    spent_seconds: float
    is_playable: bool


class Alone:
    """What the one who publishes a build reads and writes."""

    def __init__(self, connection: Connection, repository: TaskRepository, lease: Lease, shown: Shown) -> None:
        self._connection = connection
        self._repository = repository
        self._lease = lease
        self.shown = shown

    async def segments(self, renditions: Collection[str]) -> dict[str, list[Segment]]:
        """Of each rendition, in order, all up to the first that is missing."""
        found: dict[str, list[Segment]] = {name: [] for name in renditions}
        for segment in await self._repository.segments(self._connection, self._lease.video_id, renditions):
            found[segment.rendition].append(segment)
        return found

    async def begun(self) -> set[str]:
        """Renditions whose first segment is there."""
        return await self._repository.begun(self._connection, self._lease.video_id)

    async def stored_bytes(self) -> int:
        return await self._repository.stored_bytes(self._connection, self._lease.video_id)

    async def set_shown(self, renditions: Sequence[str]) -> None:
        await self._repository.set_shown(self._connection, self._lease.video_id, renditions)


class Leases:
    """Raises `PostgresUnavailable` from everything."""

    def __init__(
        self,
        db: Postgres,
        clock: Clock,
        *,
        lease_seconds: float,
        max_attempts: int,
        left_seconds: float = LEFT_SECONDS,
        follows: Callable[[Plan], list[NewTask]] = after_prepare,
    ) -> None:
        """`follows`: what is to be done for a plan."""
        self._db = db
        self._clock = clock
        self._repository = TaskRepository()
        self._left_seconds = left_seconds
        self._follows = follows
        self.lease_seconds = lease_seconds
        self.max_attempts = max_attempts

    async def claim(self, *, quick_only: bool = False) -> Lease | None:
        """The task whose turn it is, or None when there is nothing to do."""
        async with self._db.transaction() as connection:
            lease = await self._repository.claim(connection, self.lease_seconds, quick_only=quick_only)
        await self._begin(lease)
        return lease

    async def claim_of(self, video_id: str) -> Lease | None:
        """The next task of this video; None when there is none, or somebody has it."""
        async with self._db.transaction() as connection:
            lease = await self._repository.claim_of(connection, self.lease_seconds, video_id)
        await self._begin(lease)
        return lease

    async def _begin(self, lease: Lease | None) -> None:
        if lease is not None and lease.kind == "prepare":
            async with self._db.connection() as connection:
                await self._repository.begin(connection, lease.video_id)

    async def renew(self, lease: Lease, progress: float) -> None:
        """Keep it for another `lease_seconds`. Raises `LeaseLost`."""
        async with self._db.connection() as connection:
            if not await self._repository.renew(connection, lease, self.lease_seconds, progress):
                raise LeaseLost

    async def hand_in(self, lease: Lease, prepared: Prepared | None = None) -> None:
        """It is done, and what follows may be taken. Raises `LeaseLost`."""
        async with self._db.transaction() as connection:
            await self._repository.lock(connection, lease.video_id)
            if not await self._repository.finish(connection, lease):
                raise LeaseLost
            if prepared is not None:
                await self._repository.set_plan(
                    connection, lease.video_id, prepared.probed, prepared.plan, prepared.sha256
                )
                await self._repository.add(connection, lease.video_id, self._follows(prepared.plan))
            elif lease.kind == "finish":
                await self._repository.set_state(connection, lease.video_id, "done")
            elif await self._repository.unfinished(connection, lease.video_id) == 0:
                await self._repository.add(connection, lease.video_id, [last_task()])

    async def give_back(self, lease: Lease, again: Again) -> None:
        """It ended without a result; others may have it after the pause. Of a lost lease nothing is said."""
        async with self._db.connection() as connection:
            await self._repository.give_back(
                connection, lease.key, again.pause_seconds, counts=again.counts, excuse=not again.counts
            )

    async def put_down(self, lease: Lease) -> None:
        """We are told to stop: others may have it at once, as if we never had."""
        async with self._db.connection() as connection:
            await self._repository.give_back(connection, lease.key, 0.0, counts=False, excuse=False)

    async def look_later(self, lease: Lease, seconds: float) -> None:
        """Somebody else works on it; it is looked at again after a while, as if we never had."""
        async with self._db.connection() as connection:
            await self._repository.give_back(connection, lease.key, seconds, counts=False, excuse=False)

    async def leave(self, prefix: str) -> None:
        """Files below it are deleted after a while."""
        async with self._db.connection() as connection:
            await self._repository.leave(connection, [prefix], self._left_seconds)

    async def give_up(self, lease: Lease, failure: Failure) -> bool:
        """The whole video fails; false when the task was no longer ours. Its document is told by `tell_failures`."""
        async with self._db.transaction() as connection:
            row = await self._repository.lock(connection, lease.video_id)
            if row is None or not await self._repository.hold(connection, lease):
                return False
            await self._fail(connection, lease.video_id, lease.build, failure)
        return True

    async def _fail(self, connection: Connection, video_id: str, build: str, failure: Failure) -> None:
        await self._repository.set_state(connection, video_id, "failing", failure)
        await self._repository.leave(connection, [build_folder(video_id, build)], self._left_seconds)
        log.error("transcode.failed", video_id=video_id, code=failure.code)

    # --- what nobody else does

    async def sweep_lost(self) -> int:
        """Free the tasks of workers that were not heard of; how many there were."""
        async with self._db.connection() as connection:
            lost = await self._repository.lost(connection, BATCH)
        return sum([await self._free(task) for task in lost])

    async def _free(self, task: LostTask) -> bool:
        async with self._db.transaction() as connection:
            row = await self._repository.lock(connection, task.video_id)
            if row is None or not await self._repository.is_still_lost(connection, task):
                return False
            verdict = after_loss(task.attempt, self.max_attempts, self._clock())
            log.info("transcode.lease_lost", video_id=task.video_id, task=task.kind, attempt=task.attempt)
            if isinstance(verdict, GiveUp):
                await self._fail(connection, task.video_id, row["build"], verdict.failure)
                return True
            key = (task.video_id, task.kind, task.chunk, task.claim)
            return await self._repository.give_back(connection, key, verdict.pause_seconds, counts=True, excuse=False)

    async def tell_failures(self, tell: Callable[[str, str, Failure], Awaitable[None]]) -> int:
        """`tell(video_id, creator_id, failure)` of every video that was given up and whose document does not say so."""
        async with self._db.connection() as connection:
            failing = await self._repository.failing(connection, BATCH)
        return sum([await self._tell(video_id, tell) for video_id in failing])

    async def _tell(self, video_id: str, tell: Callable[[str, str, Failure], Awaitable[None]]) -> bool:
        # Under the row's lock, so that a second try that begins meanwhile is not told to be a failure.
        async with self._db.transaction() as connection:
            row = await self._repository.lock(connection, video_id)
            failure = failure_of(row) if row is not None and row["state"] == "failing" else None
            if row is None or failure is None:
                return False
            await tell(video_id, str(row["creator_id"]), failure)
            await self._repository.set_state(connection, video_id, "failed")
        return True

    # --- what is published

    @asynccontextmanager
    async def alone(self, lease: Lease) -> AsyncIterator["Alone"]:
        """Inside the block nobody else publishes this build. Raises `LeaseLost`.

        The lock is the transaction's; a worker that is stopped inside the block loses it after `ALONE_SECONDS`.
        """
        async with self._db.transaction() as connection:
            await connection.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', $2, true), "
                "pg_advisory_xact_lock(hashtextextended($1, 0))",
                lease.video_id, f"{ALONE_SECONDS}s",
            )  # fmt: skip
            shown = await self._repository.shown(connection, lease.video_id)
            if shown is None or not shown.is_running or shown.build != lease.build:
                raise LeaseLost
            yield Alone(connection, self._repository, lease, shown)

    # --- segments and progress

    async def add_segments(self, lease: Lease, segments: Iterable[Segment]) -> None:
        """Their files are there. Raises `LeaseLost`."""
        async with self._db.transaction() as connection:
            if not await self._repository.hold(connection, lease):
                raise LeaseLost
            await self._repository.add_segments(connection, lease.video_id, segments)

    async def set_pictures(self, lease: Lease, *, poster: bool = False, storyboard: bool = False) -> None:
        """The poster, or the storyboard, is stored. Raises `LeaseLost`."""
        async with self._db.transaction() as connection:
            if not await self._repository.hold(connection, lease):
                raise LeaseLost
            await self._repository.set_pictures(connection, lease.video_id, poster=poster, storyboard=storyboard)

    async def known_numbers(self, lease: Lease) -> set[tuple[str, int]]:
        """`(rendition, number)` of every segment there is."""
        async with self._db.connection() as connection:
            return await self._repository.known_numbers(connection, lease)

    async def progress(self, video_id: str, every_seconds: float) -> Progress | None:
        """How far the video is; None when another worker tells, or told less than `every_seconds` ago."""
        async with self._db.connection() as connection:
            spent = await self._repository.may_report(connection, video_id, every_seconds)
            if spent is None:
                return None
            shares = await self._repository.shares(connection, video_id)
            shown = await self._repository.shown(connection, video_id)
        return Progress(shares, spent, shown is not None and bool(shown.renditions))
