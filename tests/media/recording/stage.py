"""Live streams on real stores, recorded by a real live process, and what became of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from accounts.model import Identity
from infra.clock import system_clock
from infra.local.parts import LOOPBACK, free_port
from infra.outbox import Outbox
from infra.settings import LiveSettings
from infra.stores.objects import Objects, ObjectsUnavailable
from infra.stores.redis import Redis
from media.catalog.model import Video
from media.live.process import LiveProcess
from media.live.streams import Started, Streams
from media.recording.maker import Maker
from media.recording.open import open_recorder
from media.recording.recorder import Recorder
from media.recording.repository import RecordingRepository
from tests.media.publisher import ffmpeg, publishing
from tests.media.vod.upload_stage import UploadStage

T = TypeVar("T")


class Storage(Objects):
    """The bucket, which can be cut off."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(objects._client, objects.bucket, objects._threads)
        self.is_away = False
        self.refused = asyncio.Event()

    async def run(self, work: Callable[[], T]) -> T:
        if self.is_away:
            self.refused.set()
            raise ObjectsUnavailable
        return await super().run(work)


class RecordingStage:
    """`port` is where encoders publish while `live` runs."""

    def __init__(
        self, uploading: UploadStage, redis: Redis, spool: Path, postgres_url: str, nodes: Sequence[str]
    ) -> None:
        self.uploading = uploading
        self.postgres_url = postgres_url
        self.redis_nodes = nodes
        self.storage = Storage(uploading.objects)
        self.settings = LiveSettings(rtmp_port=free_port(), ffmpeg=ffmpeg(), recording_spool=spool)
        self.streams = Streams.over(uploading.db, redis, Outbox(), self.settings)
        self.repository = RecordingRepository()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[Recorder]:
        """A live process."""
        db = self.uploading.db
        async with open_recorder(self.settings, db, self.storage, system_clock) as recorder:
            process = LiveProcess(self.streams, self.settings, system_clock, recorder)
            await process.start()
            try:
                yield recorder
            finally:
                await process.close()

    @asynccontextmanager
    async def killable_live(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A live process of its own, with storage that does not answer."""
        arguments = (self.postgres_url, ",".join(self.redis_nodes), str(self.settings.rtmp_port))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.media.recording.child", *arguments, str(self.settings.recording_spool),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert child.stdout is not None
            while b"live.started" not in await child.stdout.readline():
                pass
            draining = asyncio.create_task(child.stdout.read())
            yield child
            await draining
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()

    def spooled(self) -> int:
        """Whole segments on the disk."""
        return len(list(self.settings.recording_spool.glob("*/*/*/*.m4s")))

    async def until_spooled(self, segments: int) -> None:
        while self.spooled() < segments:  # noqa: ASYNC110  # files of another process
            await asyncio.sleep(0.05)

    async def until_all_is_stored(self, started: Started) -> None:
        closed = "SELECT bool_and(closed_at IS NOT NULL) FROM recording_connections WHERE stream_id = $1"
        while True:
            async with self.uploading.db.connection() as connection:
                if await connection.fetchval(closed, started.stream.id):
                    return
            await asyncio.sleep(0.05)

    async def started(self, *, record: bool = True) -> Started:
        return (await self.started_by(record=record))[0]

    async def started_by(self, *, record: bool = True) -> tuple[Started, Identity]:
        who = await self.uploading.person()
        return await self.streams.start(who, "A morning by the sea", "Nature", "low", record=record), who

    async def publish(self, started: Started, seconds: float, **options: Any) -> None:
        """From connecting to being gone."""
        connections = (await self.streams.get(started.stream.id)).connections + 1
        async with publishing(self.url(started), seconds=seconds, real_time=False, **options) as encoder:
            assert await encoder.ended() == 0, encoder.said
        await self.until_gone(started, connections)

    def url(self, started: Started) -> str:
        return f"rtmp://{LOOPBACK}:{self.settings.rtmp_port}/live/{started.ingest.key}"

    async def until_gone(self, started: Started, connections: int) -> None:
        """The encoder of that connection came and went: it may be gone before the live process has read all it sent."""
        while True:
            stream = await self.streams.get(started.stream.id)
            if (stream.status, stream.connections) == ("interrupted", connections):
                return
            await asyncio.sleep(0.05)

    async def end(self, started: Started) -> None:
        async with self.uploading.db.connection() as connection:
            await connection.execute(
                "UPDATE streams SET status = 'ended', ended_at = now(), end_reason = 'encoder_gone' WHERE id = $1",
                started.stream.id,
            )

    def maker(self, **changes: Any) -> Maker:
        values: dict[str, Any] = {
            "db": self.uploading.db,
            "objects": self.storage,
            "catalogue": self.uploading.catalogue,
            "uploads": self.uploading.uploads,
            "ffmpeg": ffmpeg(),
            "clock": system_clock,
            "patience": timedelta(minutes=30),
        }
        return Maker(**{**values, **changes})

    async def videos(self) -> list[Video]:
        async with self.uploading.mongo.collection("videos") as videos:
            return [Video.from_document(one) for one in await videos.find().to_list()]

    async def pieces(self, started: Started) -> list[str]:
        found = await self.uploading.objects.call("list_objects_v2", Prefix=f"recordings/{started.stream.id}/")
        return [one["Key"] for one in found.get("Contents", ())]

    async def state(self, started: Started) -> str:
        async with self.uploading.db.connection() as connection:
            return str(
                await connection.fetchval("SELECT state FROM recordings WHERE stream_id = $1", started.stream.id)
            )

    async def due_now(self) -> None:
        async with self.uploading.db.connection() as connection:
            await connection.execute("UPDATE recordings SET next_at = now() - interval '1 s'")

    async def source(self, video: Video) -> bytes:
        assert video.upload_url is not None
        return await self.uploading.content(video.upload_url)


async def decoded(data: bytes, folder: Path, *, after: Sequence[str] = ()) -> tuple[list[float], int, set[str]]:
    """Times of all pictures in seconds, the number of sound packets, and the sizes of pictures, as a decoder that stops
    at the first error sees them."""
    file = folder / "source.mp4"
    file.write_bytes(data)
    child = await asyncio.create_subprocess_exec(
        ffmpeg(), "-v", "error", "-xerror", *after, "-i", str(file), "-map", "0:v", "-map", "0:a", "-f", "framecrc",
        "-fps_mode", "passthrough", "-",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await child.communicate()
    assert child.returncode == 0, errors.decode()
    assert not errors, errors.decode()
    lines = [line.split(",") for line in output.decode().splitlines() if line and not line.startswith("#")]
    scale = next(line for line in output.decode().splitlines() if line.startswith("#tb 0:")).split()[-1]
    above, below = (int(part) for part in scale.split("/"))
    pictures = [line for line in lines if line[0] == "0"]
    times = [int(line[2]) * above / below for line in pictures]
    return times, len(lines) - len(pictures), {line[4].strip() for line in pictures}
