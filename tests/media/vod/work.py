"""Requests and leases for the tests of transcoding."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.clock import new_id
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from media.vod.leases import Leases, Prepared
from media.vod.plan import Chunk, Plan, PlannedAudio, PlannedRendition, Probed, VideoTrack
from media.vod.ports import Source
from media.vod.task_repository import Lease
from media.vod.transcodes import Transcodes

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


def a_source(creator_id: str | None = None, size_bytes: int = 1000) -> Source:
    video_id = new_id()
    return Source(video_id, creator_id or new_id(), f"uploads/{video_id}/{'s' * 16}/source", size_bytes)


def a_rendition(name: str, height: int) -> PlannedRendition:
    return PlannedRendition(name=name, width=height * 16 // 9, height=height, fps=30, bitrate_bps=1000, codecs="avc1")


def a_plan(chunks: int = 1, *, audio: bool = True, segments_each: int = 2, renditions: int = 2) -> Plan:
    """Segments of two seconds."""
    count = chunks * segments_each
    return Plan(
        duration_seconds=2.0 * count,
        cuts=tuple(2.0 * number for number in range(count)),
        renditions=(a_rendition("240p", 240), a_rendition("480p", 480))[:renditions],
        audio=PlannedAudio(bitrate_bps=96_000) if audio else None,
        chunks=tuple(Chunk(number=n, first=n * segments_each, end=(n + 1) * segments_each) for n in range(chunks)),
    )


def a_probed(seconds: float = 4.0) -> Probed:
    track = VideoTrack(
        codec="h264", profile="High", width=854, height=480, fps=30, pixel_format="yuv420p", bitrate_bps=1_000_000
    )
    return Probed(container="mov", duration_seconds=seconds, size_bytes=1000, video=track)


@dataclass
class Work:
    """The queue on a real database."""

    db: Postgres
    lease_seconds: float = 30.0
    max_attempts: int = 3
    outbox: Outbox = field(default_factory=Outbox)

    def __post_init__(self) -> None:
        self.transcodes = Transcodes(self.outbox, lambda: NOON, left_seconds=0)
        self.leases = Leases(
            self.db,
            lambda: NOON,
            lease_seconds=self.lease_seconds,
            max_attempts=self.max_attempts,
            left_seconds=0,
        )

    async def requested(self, source: Source | None = None) -> Source:
        source = source or a_source()
        async with self.db.transaction() as connection:
            await self.transcodes.request(connection, source)
        return source

    async def again(self, video_id: str) -> bool:
        async with self.db.transaction() as connection:
            return await self.transcodes.again(connection, video_id)

    async def cancel(self, video_id: str) -> None:
        async with self.db.transaction() as connection:
            await self.transcodes.cancel(connection, video_id)

    async def claimed(self, *, quick_only: bool = False) -> Lease:
        lease = await self.leases.claim(quick_only=quick_only)
        assert lease is not None, "there is nothing to do"
        return lease

    async def prepared(self, plan: Plan, source: Source | None = None) -> Source:
        """A requested video whose source was looked at."""
        source = await self.requested(source)
        lease = await self.claimed()
        while lease.video_id != source.video_id:
            await self.leases.put_down(lease)
            lease = await self.claimed()
        await self.leases.hand_in(lease, Prepared(a_probed(), plan, b"\0" * 32))
        return source

    async def lose_all(self) -> None:
        """All leases ran out."""
        await self.execute("UPDATE transcode_tasks SET lease_until = now() - interval '1 s' WHERE state = 'running'")

    async def all_due(self) -> None:
        await self.execute("UPDATE transcode_tasks SET due_at = now()")

    async def execute(self, statement: str) -> None:
        async with self.db.connection() as connection:
            await connection.execute(statement)

    async def value(self, query: str, *arguments: object) -> object:
        async with self.db.connection() as connection:
            return await connection.fetchval(query, *arguments)
