"""Videos as an uploader asks for them and a strict viewer finds them, for tests and for the soak.

The desk puts sources into the object store, asks for videos, and says of each what is not whole: a playlist that does
not end, a segment that is not there, a frame that is missing, a file that nobody names.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.bus.open import open_bus
from infra.bus.port import Bus
from infra.children import ends_with_us
from infra.clock import new_id, system_clock
from infra.metrics import Metrics
from infra.outbox import Outbox
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import Objects, open_objects
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.redis import open_redis
from loadtest.stack import tree
from media.catalog.announcing import to_bus
from media.catalog.model import Video
from media.catalog.videos import Catalogue
from media.events import TranscodeRequested
from media.vod.ports import Source, Transcoding
from media.vod.transcodes import Transcodes

PART_BYTES = 64 << 10
LOOK_SECONDS = 0.05
GONE_SECONDS = 2.0
URI = re.compile(r'URI="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Worker:
    """A `footlight transcode` of its own."""

    process: asyncio.subprocess.Process
    log: Path

    async def kill(self) -> list[str]:
        """kill -9; what of it is still there afterwards."""
        family = tree(self.process.pid)
        self.process.kill()
        await self.process.wait()
        deadline = time.monotonic() + GONE_SECONDS
        while True:
            left = [line for pid in family if (line := command_of(pid))]
            if not left or time.monotonic() > deadline:
                return left
            await asyncio.sleep(LOOK_SECONDS)


@dataclass(frozen=True)
class Desk:
    """Open stores, and the settings that workers of their own are started with."""

    settings: Settings
    db: Postgres
    objects: Objects
    mongo: Mongo
    bus: Bus
    catalogue: Catalogue
    transcodes: Transcoding

    async def upload(self, file: Path, creator_id: str | None = None) -> str:
        """Store the file as a source, and ask for the video; returns its id."""
        data = await asyncio.to_thread(file.read_bytes)
        video_id, creator_id = new_id(), creator_id or new_id()
        key = f"uploads/{video_id}/{'s' * 16}/source"
        sums = [hashlib.sha256(data[at : at + PART_BYTES]).digest() for at in range(0, len(data), PART_BYTES)]
        await self.objects.call("put_object", Key=key, Body=data)
        now = system_clock()
        await self.catalogue.create(
            Video(
                id=video_id, creator_id=creator_id, title="A test", created_at=now, updated_at=now, creator_name="Ada"
            )
        )
        await self.catalogue.stored(video_id, key, len(data))
        async with self.db.transaction() as connection:
            source = Source(video_id, creator_id, key, len(data), PART_BYTES, tuple(sums))
            await self.transcodes.request(connection, source)
        await self.bus.publish(TranscodeRequested(at=now, video_id=video_id).to_message())
        return video_id

    async def again(self, video_id: str) -> bool:
        async with self.db.transaction() as connection:
            return await self.transcodes.again(connection, video_id)

    async def cancel(self, video_id: str) -> None:
        async with self.db.transaction() as connection:
            await self.transcodes.cancel(connection, video_id)

    async def until(self, video_id: str, *status: str, seconds: float = 60.0) -> Video:
        """The video, once it is ready (or whatever is asked for). Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while True:
                video = await self.catalogue.get(video_id)
                if video.status in (status or ("ready", "failed")):
                    return video
                await asyncio.sleep(LOOK_SECONDS)

    async def until_playable(self, video_id: str, seconds: float = 60.0) -> Video:
        """The video, once something of it can be played. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while True:
                video = await self.catalogue.get(video_id)
                if video.is_playable:
                    return video
                await asyncio.sleep(LOOK_SECONDS / 5)

    async def keys(self, prefix: str) -> set[str]:
        """Everything stored below it."""
        found: set[str] = set()
        token: dict[str, str] = {}
        while True:
            page = await self.objects.call("list_objects_v2", Prefix=prefix, **token)
            found |= {item["Key"] for item in page.get("Contents", [])}
            if not page.get("IsTruncated"):
                return found
            token = {"ContinuationToken": page["NextContinuationToken"]}

    async def text(self, path: str) -> str:
        """A small file by the path that viewers ask for."""
        return (await self.objects.read(path.lstrip("/"))).decode()

    # --- what a strict viewer finds

    async def faults(self, video_id: str, frames: int, *, sound: bool = True) -> list[str]:
        """What is wrong with a video that should be whole. `frames`: of the source, at the source's rate."""
        video = await self.catalogue.get(video_id)
        if video.status != "ready" or video.manifest_path is None:
            return [f"{video_id} is {video.status}: {video.failure}"]
        named = {video.manifest_path}
        faults = []
        names = [rendition.url for rendition in video.playback_urls]
        folder = video.manifest_path.rpartition("/")[0]
        master = await self.text(video.manifest_path)
        faults += [f"{name} is not in the master playlist" for name in names if Path(name).name not in master]
        for path in [*names, *([f"{folder}/audio.m3u8"] if sound else [])]:
            files = await self._files_of(path)
            named |= {path, *files}
            count = await self._decoded(files)
            if path in names and count != frames:
                faults.append(f"{path} has {count} frames instead of {frames}")
            if path not in names and count < 1:
                faults.append(f"{path} has no sound")
            if "#EXT-X-ENDLIST" not in await self.text(path):
                faults.append(f"{path} does not end")
        named |= await self._pictures(video)
        stored = await self.keys(f"vod/{video_id}/") | await self.keys(f"posters/{video_id}/")
        wanted = {path.lstrip("/") for path in named}
        return [*faults, *(f"nobody names {key}" for key in sorted(stored - wanted)),
                *(f"{key} is missing" for key in sorted(wanted - stored))]  # fmt: skip

    async def _files_of(self, playlist: str) -> list[str]:
        """The files a playlist names, the header first."""
        folder = playlist.rpartition("/")[0]
        lines = (await self.text(playlist)).splitlines()
        headers = [found[1] for line in lines if line.startswith("#EXT-X-MAP") and (found := URI.search(line))]
        return [f"{folder}/{name}" for name in [*headers[:1], *(line for line in lines if line and line[0] != "#")]]

    async def _pictures(self, video: Video) -> set[str]:
        paths = set(video.metadata.thumbnails)
        if board := video.metadata.storyboard:
            folder = board.rpartition("/")[0]
            cues = (await self.text(board)).splitlines()
            paths |= {board, *(f"{folder}/{cue.partition('#')[0]}" for cue in cues if ".jpg" in cue)}
        return paths

    async def _decoded(self, files: list[str]) -> int:
        """How many frames a decoder that stops at the first error finds."""
        with tempfile.NamedTemporaryFile(suffix=".mp4") as joined:
            for path in files:
                joined.write(await self.objects.read(path.lstrip("/")))
            joined.flush()
            command = (self.settings.live.ffmpeg, "-v", "error", "-xerror", "-i", joined.name, "-f", "framecrc", "-")
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            output, errors = await process.communicate()
        if process.returncode:
            raise AssertionError(f"{files[0]}: {errors.decode()}")
        return sum(line[:1] != b"#" for line in output.splitlines())

    # --- workers

    def environment(self, scratch: Path, **more: object) -> dict[str, str]:
        """What a worker is started with; `more` are settings by the end of their names."""
        ours = self.settings
        values: Mapping[str, object] = {
            "POSTGRES_URL": ours.postgres.url,
            "REDIS_NODES": ",".join(ours.redis.nodes),
            "MONGO_URL": ours.mongo.url,
            "MONGO_DATABASE": ours.mongo.database,
            "S3_ENDPOINT": ours.objects.endpoint,
            "S3_BUCKET": ours.objects.bucket,
            "S3_ACCESS_KEY": ours.objects.access_key,
            "S3_SECRET_KEY": ours.objects.secret_key,
            "FFMPEG": ours.live.ffmpeg,
            "TRANSCODE_SCRATCH": scratch,
            "TRANSCODE_LEASE": ours.vod.lease_seconds,
            "LOG_STYLE": "console",
            **more,
        }
        return {**os.environ, **{f"FOOTLIGHT_{name}": str(value) for name, value in values.items()}}

    async def start_worker(self, scratch: Path, *program: str, **more: object) -> Worker:
        """A transcoder in a process of its own; `program` instead of `-m gateway`."""
        log = scratch.with_name(f"{scratch.name}-{new_id()}.log")
        command = ends_with_us((sys.executable, *(program or ("-m", "gateway")), "transcode"))
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=output, stderr=output,
                env=self.environment(scratch, **more), start_new_session=True,
            )  # fmt: skip
        worker = Worker(process, log)
        await self._until_started(worker)
        return worker

    async def _until_started(self, worker: Worker) -> None:
        async with asyncio.timeout(30):
            while "transcoder.started" not in worker.log.read_text():
                if worker.process.returncode is not None:
                    raise RuntimeError(f"the worker ended:\n{worker.log.read_text()[-3000:]}")
                await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def worker(self, scratch: Path, *program: str, **more: object) -> AsyncIterator[Worker]:
        """One for as long as the block lasts; it is told to stop, and killed when it does not."""
        worker = await self.start_worker(scratch, *program, **more)
        try:
            yield worker
        finally:
            with contextlib.suppress(ProcessLookupError):
                worker.process.terminate()
            await asyncio.wait_for(worker.process.wait(), 10)


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """On servers that run, with a schema that is up to date."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_postgres(settings.postgres))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        bus = await stack.enter_async_context(open_bus(settings.bus, redis, Metrics()))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        catalogue = Catalogue(mongo, to_bus(bus), system_clock)
        transcodes = Transcodes(Outbox(), system_clock, left_seconds=0)
        yield Desk(settings, db, objects, mongo, bus, catalogue, transcodes)


def command_of(pid: int) -> str:
    """The command line of a process, '' when there is none (any more)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


async def draw(ffmpeg: str, file: Path, seconds: float, *, size: str = "320x180", rate: int = 25) -> int:
    """A test picture with a tone, H.264 and AAC; returns its frames."""
    command = (
        ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", str(rate * 2), "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", str(file),
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise RuntimeError("the test video could not be drawn")
    return round(seconds * rate)
