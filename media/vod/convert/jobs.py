"""Asking for videos where MediaConvert makes them, and the jobs that were made at the service.

The rows are those of our own transcoders (`media.vod.transcodes`), so progress, second tries, deletion and failures are
the same. What differs is a table of jobs, because a job outlives the row it was made for: it must be cancelled.
"""

from infra.clock import Clock
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from media.vod.convert.service import MediaConvert
from media.vod.ports import Source
from media.vod.task_repository import Lease
from media.vod.transcodes import LEFT_SECONDS, Transcodes

BATCH = 20


class MediaConvertTranscoding:
    """`media.vod.ports.Transcoding` over AWS MediaConvert. Nothing of AWS is asked here: the queue in front of the
    converter hears of it from S3 and from our workers."""

    def __init__(self, outbox: Outbox, clock: Clock, *, left_seconds: float = LEFT_SECONDS) -> None:
        self._rows = Transcodes(outbox, clock, left_seconds=left_seconds)

    async def request(self, connection: Connection, source: Source) -> None:
        """Make a video of it. Asked twice for one video, it is done once."""
        await self._rows.request(connection, source)

    async def again(self, connection: Connection, video_id: str) -> bool:
        """Begin anew what failed, in a new build; false when there is nothing that failed."""
        begun = await self._rows.again(connection, video_id)
        if begun:
            await _drop(connection, video_id)
        return begun

    async def is_under_way(self, connection: Connection, video_id: str) -> bool:
        return await self._rows.is_under_way(connection, video_id)

    async def cancel(self, connection: Connection, video_id: str) -> None:
        """Stop, and forget: the job is cancelled within seconds, what it still writes is deleted afterwards."""
        await self._rows.cancel(connection, video_id)
        await _drop(connection, video_id)


async def _drop(connection: Connection, video_id: str) -> None:
    await connection.execute("UPDATE convert_jobs SET cancel = true WHERE video_id = $1", video_id)


class Jobs:
    """The table. Raises `PostgresUnavailable`."""

    def __init__(self, db: Postgres) -> None:
        self._db = db

    async def of(self, lease: Lease) -> str | None:
        """The job of this try of this build."""
        async with self._db.connection() as connection:
            found: str | None = await connection.fetchval(
                "SELECT job_id FROM convert_jobs WHERE video_id = $1 AND build = $2 AND attempt = $3 AND NOT cancel",
                lease.video_id, lease.build, lease.attempt,
            )  # fmt: skip
        return found

    async def keep(self, lease: Lease, job_id: str) -> None:
        """It was made. When the video was deleted meanwhile, it is to be cancelled."""
        async with self._db.transaction() as connection:
            wanted = await connection.fetchval(
                "SELECT true FROM transcodes WHERE video_id = $1 AND build = $2 AND state = 'running' FOR KEY SHARE",
                lease.video_id, lease.build,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO convert_jobs (video_id, build, attempt, job_id, asked_at, cancel) "
                "VALUES ($1, $2, $3, $4, now(), $5) ON CONFLICT DO NOTHING",
                lease.video_id, lease.build, lease.attempt, job_id, not wanted,
            )  # fmt: skip

    async def forget(self, lease: Lease) -> None:
        """It is over, and so are those before it."""
        async with self._db.connection() as connection:
            await connection.execute(
                "DELETE FROM convert_jobs WHERE video_id = $1 AND build = $2 AND attempt <= $3 AND NOT cancel",
                lease.video_id, lease.build, lease.attempt,
            )  # fmt: skip

    async def cancel_dropped(self, service: MediaConvert) -> int:
        """Cancel at the service what nobody wants; how many there were. Raises `ConvertUnavailable`."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT job_id FROM convert_jobs WHERE cancel ORDER BY asked_at LIMIT $1", BATCH
            )
        for row in rows:
            await service.cancel(row["job_id"])
            async with self._db.connection() as connection:
                await connection.execute("DELETE FROM convert_jobs WHERE job_id = $1", row["job_id"])
        return len(rows)

    async def waiting(self, idle_seconds: float) -> list[str]:
        """Videos whose next step has been due for so long: whoever should have looked did not."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT video_id FROM transcode_tasks t JOIN transcodes v USING (video_id) "
                "WHERE t.state = 'waiting' AND v.state = 'running' "
                "AND t.due_at < now() - make_interval(secs => $1) LIMIT $2",
                idle_seconds, BATCH,
            )  # fmt: skip
        return [str(row["video_id"]) for row in rows]
