"""Transcodes, their tasks and segments in PostgreSQL. Knows SQL and nothing of the rules; every method works in the
caller's transaction. Who locks both locks the video's row first, then the task's.

Leases are counted by the database's clock, the only one that all workers share.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from infra.stores.postgres import Connection
from media.catalog.model import Failure
from media.vod.plan import Plan, Probed, Segment
from media.vod.ports import Source
from media.vod.tasks import Kind, NewTask, TaskShare

VIDEO = (
    "v.video_id, v.creator_id, v.build, v.poster, v.source_key, v.size_bytes, v.part_bytes, v.part_sums, v.sha256, "
    "v.probed, v.plan"
)
# Quick places come first for whoever waits; elsewhere creators take turns before anything else counts.
CLAIM = f"""
WITH chosen AS (
    SELECT t.video_id, t.kind, t.chunk
    FROM transcode_tasks t JOIN transcodes v USING (video_id) LEFT JOIN transcode_turns c USING (creator_id)
    WHERE t.state = 'waiting' AND v.state = 'running' AND t.due_at <= now() AND (t.quick OR NOT $2) AND t.kind <> 'job'
    ORDER BY c.served_at NULLS FIRST, t.rank, v.requested_at, t.video_id, t.chunk
    LIMIT 1 FOR UPDATE OF t SKIP LOCKED
), claimed AS (
    UPDATE transcode_tasks t
    SET state = 'running', attempt = attempt + 1, claim = nextval('transcode_claims'),
        lease_until = now() + $1::interval
    FROM chosen WHERE (t.video_id, t.kind, t.chunk) = (chosen.video_id, chosen.kind, chosen.chunk)
    RETURNING t.*
)
SELECT {VIDEO}, t.kind, t.chunk, t.claim, t.attempt, t.excuses FROM claimed t JOIN transcodes v USING (video_id)
"""  # noqa: S608 - constants
# The next task of one video, whenever it was meant to be looked at next.
CLAIM_OF = CLAIM.replace("t.due_at <= now() AND (t.quick OR NOT $2) AND t.kind <> 'job'", "v.video_id = $2")
OURS = "video_id = $1 AND kind = $2 AND chunk = $3 AND claim = $4 AND state = 'running'"


@dataclass(frozen=True, slots=True)
class Lease:
    """A task in hand, and what is known of its video. `claim` is what a result is taken by."""

    video_id: str
    creator_id: str
    build: str
    poster: str
    kind: Kind
    chunk: int
    claim: int
    attempt: int
    excuses: int
    source: Source
    probed: Probed | None
    plan: Plan | None

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.video_id, self.kind, self.chunk, self.claim


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a video others know of."""

    build: str
    is_running: bool
    renditions: tuple[str, ...]
    has_poster: bool
    has_storyboard: bool


@dataclass(frozen=True, slots=True)
class LostTask:
    """A running task whose worker was not heard of."""

    video_id: str
    kind: Kind
    chunk: int
    claim: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Queue:
    """How much there is to do, and what nobody does any more."""

    waiting: int
    running: int
    failed_videos: int


class TaskRepository:
    """Rows of `transcodes`, `transcode_tasks`, `transcode_segments`, `transcode_turns`, `transcode_leftovers`."""

    # --- videos

    async def queue(self, connection: Connection) -> Queue:
        row = await connection.fetchrow(
            "SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, "
            "count(*) FILTER (WHERE state = 'running') AS running, "
            "(SELECT count(*) FROM transcodes WHERE state IN ('failing', 'failed')) AS failed "
            "FROM transcode_tasks WHERE state IN ('waiting', 'running')"
        )
        return Queue(row["waiting"], row["running"], row["failed"]) if row is not None else Queue(0, 0, 0)

    async def insert(self, connection: Connection, source: Source, build: str, poster: str) -> bool:
        """False when the video was requested before."""
        status: str = await connection.execute(
            "INSERT INTO transcodes (video_id, creator_id, build, poster, state, source_key, size_bytes, part_bytes, "
            "part_sums, sha256, requested_at) VALUES ($1, $2, $3, $4, 'running', $5, $6, $7, $8, $9, now()) "
            "ON CONFLICT (video_id) DO NOTHING",
            source.video_id, source.creator_id, build, poster, source.key, source.size_bytes, source.part_bytes,
            list(source.part_sums), source.sha256,
        )  # fmt: skip
        return status == "INSERT 0 1"

    async def lock(self, connection: Connection, video_id: str) -> Any | None:
        """The video's row, which no other transaction changes until ours ends; segments may still be added."""
        return await connection.fetchrow("SELECT * FROM transcodes WHERE video_id = $1 FOR NO KEY UPDATE", video_id)

    async def start_over(self, connection: Connection, video_id: str, build: str, poster: str) -> None:
        await connection.execute(
            "UPDATE transcodes SET build = $2, poster = $3, state = 'running', probed = NULL, plan = NULL, "
            "has_poster = false, has_storyboard = false, shown = '{}', failure = NULL, requested_at = now(), "
            "began_at = NULL, reported_at = NULL WHERE video_id = $1",
            video_id, build, poster,
        )  # fmt: skip

    async def delete(self, connection: Connection, video_id: str) -> None:
        await connection.execute("DELETE FROM transcodes WHERE video_id = $1", video_id)

    async def set_plan(
        self, connection: Connection, video_id: str, probed: Probed, plan: Plan, sha256: bytes | None
    ) -> None:
        await connection.execute(
            "UPDATE transcodes SET probed = $2, plan = $3, sha256 = coalesce($4, sha256) WHERE video_id = $1",
            video_id, msgspec.json.encode(probed), msgspec.json.encode(plan), sha256,
        )  # fmt: skip

    async def set_state(
        self, connection: Connection, video_id: str, state: str, failure: Failure | None = None
    ) -> None:
        """The work is over: tasks and segments are forgotten."""
        told = None if failure is None else msgspec.json.encode(failure).decode()
        await connection.execute(
            "UPDATE transcodes SET state = $2, failure = coalesce($3::jsonb, failure) WHERE video_id = $1",
            video_id, state, told,
        )  # fmt: skip
        await connection.execute("DELETE FROM transcode_tasks WHERE video_id = $1", video_id)
        await connection.execute("DELETE FROM transcode_segments WHERE video_id = $1", video_id)

    async def failing(self, connection: Connection, limit: int) -> list[str]:
        rows = await connection.fetch("SELECT video_id FROM transcodes WHERE state = 'failing' LIMIT $1", limit)
        return [str(row["video_id"]) for row in rows]

    # --- tasks

    async def add(self, connection: Connection, video_id: str, tasks: Iterable[NewTask]) -> None:
        await connection.executemany(
            "INSERT INTO transcode_tasks (video_id, kind, chunk, rank, quick, weight, due_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT DO NOTHING",
            [(video_id, task.kind, task.chunk, task.rank, task.quick, task.weight) for task in tasks],
        )

    async def claim(self, connection: Connection, lease_seconds: float, *, quick_only: bool) -> Lease | None:
        """The task whose turn it is, now ours."""
        row = await connection.fetchrow(CLAIM, _interval(lease_seconds), quick_only)
        if row is None:
            return None
        await connection.execute(
            "INSERT INTO transcode_turns (creator_id, served_at) VALUES ($1, clock_timestamp()) "
            "ON CONFLICT (creator_id) DO UPDATE SET served_at = excluded.served_at",
            row["creator_id"],
        )
        return _lease(row)

    async def claim_of(self, connection: Connection, lease_seconds: float, video_id: str) -> Lease | None:
        """The next task of this video, now ours; None when there is none, or somebody has it."""
        row = await connection.fetchrow(CLAIM_OF, _interval(lease_seconds), video_id)
        return None if row is None else _lease(row)

    async def begin(self, connection: Connection, video_id: str) -> None:
        """Somebody works on it: the time of an estimate starts."""
        await connection.execute(
            "UPDATE transcodes SET began_at = now() WHERE video_id = $1 AND began_at IS NULL", video_id
        )

    async def renew(self, connection: Connection, lease: Lease, lease_seconds: float, progress: float) -> bool:
        """False when it is no longer ours."""
        status: str = await connection.execute(
            f"UPDATE transcode_tasks SET lease_until = now() + $5::interval, progress = $6 WHERE {OURS}",  # noqa: S608
            *lease.key, _interval(lease_seconds), progress,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def finish(self, connection: Connection, lease: Lease) -> bool:
        """Mark it done; false when it is no longer ours."""
        status: str = await connection.execute(
            f"UPDATE transcode_tasks SET state = 'done', lease_until = NULL, progress = 1 WHERE {OURS}",  # noqa: S608
            *lease.key,
        )
        return status == "UPDATE 1"

    async def give_back(
        self,
        connection: Connection,
        key: tuple[str, str, int, int],
        pause_seconds: float,
        *,
        counts: bool,
        excuse: bool,
    ) -> bool:
        """Let others have it after a pause; the attempt `counts` or is taken back. False when it was not ours."""
        status: str = await connection.execute(
            "UPDATE transcode_tasks SET state = 'waiting', lease_until = NULL, progress = 0, "  # noqa: S608 - constants
            f"due_at = now() + $5::interval, attempt = attempt - $6, excuses = excuses + $7 WHERE {OURS}",
            *key, _interval(pause_seconds), 0 if counts else 1, 1 if excuse else 0,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def lost(self, connection: Connection, limit: int) -> list[LostTask]:
        """Running tasks whose lease ran out, the oldest first."""
        rows = await connection.fetch(
            "SELECT video_id, kind, chunk, claim, attempt FROM transcode_tasks "
            "WHERE state = 'running' AND lease_until < now() ORDER BY lease_until LIMIT $1",
            limit,
        )
        return [LostTask(str(row["video_id"]), *tuple(row)[1:]) for row in rows]

    async def is_still_lost(self, connection: Connection, task: LostTask) -> bool:
        return bool(
            await connection.fetchval(
                f"SELECT true FROM transcode_tasks WHERE {OURS} AND lease_until < now() FOR UPDATE",  # noqa: S608
                task.video_id, task.kind, task.chunk, task.claim,
            )
        )  # fmt: skip

    async def unfinished(self, connection: Connection, video_id: str) -> int:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM transcode_tasks WHERE video_id = $1 AND state <> 'done'", video_id
        )
        return count

    async def shares(self, connection: Connection, video_id: str) -> list[TaskShare]:
        rows = await connection.fetch(
            "SELECT kind, weight, progress FROM transcode_tasks WHERE video_id = $1", video_id
        )
        return [TaskShare(row["kind"], row["weight"], row["progress"]) for row in rows]

    async def may_report(self, connection: Connection, video_id: str, every_seconds: float) -> float | None:
        """Seconds of work so far, for the one worker that is to report progress now; None for all others."""
        row = await connection.fetchrow(
            "UPDATE transcodes SET reported_at = now() WHERE video_id = $1 AND state = 'running' "
            "AND (reported_at IS NULL OR reported_at <= now() - $2::interval) "
            "RETURNING coalesce(extract(epoch FROM now() - began_at), 0)::float8 AS spent",
            video_id, _interval(every_seconds),
        )  # fmt: skip
        return None if row is None else float(row["spent"])

    # --- segments

    async def hold(self, connection: Connection, lease: Lease) -> bool:
        """Whether the task is ours, and stays so until the transaction ends."""
        await connection.execute("SELECT FROM transcodes WHERE video_id = $1 FOR KEY SHARE", lease.video_id)
        statement = f"SELECT true FROM transcode_tasks WHERE {OURS} FOR SHARE"  # noqa: S608 - constants
        return bool(await connection.fetchval(statement, *lease.key))

    async def add_segments(self, connection: Connection, video_id: str, segments: Iterable[Segment]) -> None:
        """Their files are there. Those that were there before stay as they are."""
        await connection.executemany(
            "INSERT INTO transcode_segments (video_id, rendition, number, duration_seconds, size_bytes) "
            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            [(video_id, one.rendition, one.number, one.duration_seconds, one.size_bytes) for one in segments],
        )

    async def segments(self, connection: Connection, video_id: str, renditions: Collection[str]) -> list[Segment]:
        """In order, from the first to before the first that is missing."""
        rows = await connection.fetch(
            "SELECT rendition, number, duration_seconds, size_bytes FROM ("
            "SELECT *, row_number() OVER (PARTITION BY rendition ORDER BY number) - 1 AS place "
            "FROM transcode_segments WHERE video_id = $1 AND rendition = ANY($2)) s "
            "WHERE number = place ORDER BY rendition, number",
            video_id, list(renditions),
        )  # fmt: skip
        return [Segment(**dict(row)) for row in rows]

    async def known_numbers(self, connection: Connection, lease: Lease) -> set[tuple[str, int]]:
        """`(rendition, number)` of every segment there is."""
        rows = await connection.fetch(
            "SELECT rendition, number FROM transcode_segments WHERE video_id = $1", lease.video_id
        )
        return {(row["rendition"], row["number"]) for row in rows}

    async def begun(self, connection: Connection, video_id: str) -> set[str]:
        """Renditions whose first segment is there."""
        rows = await connection.fetch(
            "SELECT rendition FROM transcode_segments WHERE video_id = $1 AND number = 0", video_id
        )
        return {row["rendition"] for row in rows}

    async def stored_bytes(self, connection: Connection, video_id: str) -> int:
        total: int = await connection.fetchval(
            "SELECT coalesce(sum(size_bytes), 0)::bigint FROM transcode_segments WHERE video_id = $1", video_id
        )
        return total

    async def shown(self, connection: Connection, video_id: str) -> Shown | None:
        row = await connection.fetchrow(
            "SELECT build, state, shown, has_poster, has_storyboard FROM transcodes WHERE video_id = $1", video_id
        )
        if row is None:
            return None
        names = tuple(row["shown"])
        return Shown(row["build"], row["state"] == "running", names, row["has_poster"], row["has_storyboard"])

    async def set_shown(self, connection: Connection, video_id: str, renditions: Sequence[str]) -> None:
        await connection.execute("UPDATE transcodes SET shown = $2 WHERE video_id = $1", video_id, list(renditions))

    async def set_pictures(self, connection: Connection, video_id: str, *, poster: bool, storyboard: bool) -> None:
        """What of the two is there; what was there stays."""
        await connection.execute(
            "UPDATE transcodes SET has_poster = has_poster OR $2, has_storyboard = has_storyboard OR $3 "
            "WHERE video_id = $1",
            video_id, poster, storyboard,
        )  # fmt: skip

    # --- leftovers

    async def leave(self, connection: Connection, prefixes: Iterable[str], seconds: float) -> None:
        """Files below these are to be deleted after a while; asked again, later still."""
        await connection.executemany(
            "INSERT INTO transcode_leftovers (prefix, due_at) VALUES ($1, now() + $2::interval) "
            "ON CONFLICT (prefix) DO UPDATE SET due_at = excluded.due_at",
            [(prefix, _interval(seconds)) for prefix in prefixes],
        )

    async def leftovers(self, connection: Connection, limit: int) -> list[tuple[str, datetime]]:
        """`(prefix, due_at)` of what is due."""
        rows = await connection.fetch(
            "SELECT prefix, due_at FROM transcode_leftovers WHERE due_at <= now() ORDER BY due_at LIMIT $1", limit
        )
        return [(row["prefix"], row["due_at"]) for row in rows]

    async def forget_leftover(self, connection: Connection, prefix: str, due_at: datetime) -> None:
        """Unless it was left once more since."""
        await connection.execute("DELETE FROM transcode_leftovers WHERE prefix = $1 AND due_at = $2", prefix, due_at)


def failure_of(row: Any) -> Failure | None:
    """Why a video was given up."""
    return None if row["failure"] is None else msgspec.json.decode(row["failure"], type=Failure)


def _interval(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _lease(row: Any) -> Lease:
    source = Source(
        video_id=str(row["video_id"]),
        creator_id=str(row["creator_id"]),
        key=row["source_key"],
        size_bytes=row["size_bytes"],
        part_bytes=row["part_bytes"],
        part_sums=tuple(row["part_sums"]),
        sha256=row["sha256"],
    )
    return Lease(
        video_id=source.video_id,
        creator_id=source.creator_id,
        build=row["build"],
        poster=row["poster"],
        kind=row["kind"],
        chunk=row["chunk"],
        claim=row["claim"],
        attempt=row["attempt"],
        excuses=row["excuses"],
        source=source,
        probed=None if row["probed"] is None else msgspec.json.decode(row["probed"], type=Probed),
        plan=None if row["plan"] is None else msgspec.json.decode(row["plan"], type=Plan),
    )
