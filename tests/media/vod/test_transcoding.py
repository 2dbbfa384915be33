"""Videos made by real transcoders on real servers, and what happens to them when something goes wrong on the way."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.commands.transcode import open_transcoder
from infra.bus.port import BusUnavailable, Message
from infra.clock import new_id, system_clock
from infra.local.parts import LOOPBACK, free_port
from infra.settings import (
    LiveSettings,
    MetricsSettings,
    MongoSettings,
    ObjectSettings,
    PostgresSettings,
    RedisSettings,
    Settings,
    VodSettings,
)
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from loadtest.soak import Soak
from loadtest.stack import tree
from loadtest.vod.desk import Desk, command_of, draw, open_desk
from media.catalog.model import Video
from media.events import VideoProgress
from media.vod.leases import Leases
from media.vod.progress import Reporter
from media.vod.scratch import Scratch
from media.vod.transcoder import Pace
from tests.infra.local.small import until as became_true
from tests.media.publisher import ffmpeg
from tests.media.vod.work import Work

CHUNKED = str(Path(__file__).with_name("chunked.py"))
PACE = Pace(poll_seconds=0.5)


@dataclass(frozen=True)
class Drawn:
    """A source and how many frames it has."""

    file: Path
    frames: int


@pytest.fixture(scope="session")
async def short_video(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    file = tmp_path_factory.mktemp("sources") / "short.mp4"
    return Drawn(file, await draw(ffmpeg(), file, 4, size="480x270"))


@pytest.fixture(scope="session")
async def long_video(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    file = tmp_path_factory.mktemp("sources") / "long.mp4"
    return Drawn(file, await draw(ffmpeg(), file, 10, size="480x270"))


@pytest.fixture
async def desk(
    db: Postgres,
    redis: Redis,
    migrated: PostgresSettings,
    redis_settings: RedisSettings,
    mongo_settings: MongoSettings,
    objects_settings: ObjectSettings,
    tmp_path: Path,
) -> AsyncIterator[Desk]:
    settings = Settings(
        postgres=replace(migrated, pool_size=5),
        redis=redis_settings,
        mongo=replace(mongo_settings, database=f"vod-{new_id()}"),
        objects=objects_settings,
        live=LiveSettings(ffmpeg=ffmpeg()),
        vod=VodSettings(lease_seconds=2, scratch=str(tmp_path / "scratch")),
    )
    async with open_desk(settings) as desk:
        yield desk


@asynccontextmanager
async def transcoding(
    desk: Desk, program: Path | None = None, pace: Pace = PACE, metrics_port: int = 0, **changes: Any
) -> AsyncIterator[None]:
    """A transcoder in this process, for as long as the block lasts; `program` in place of ffmpeg."""
    settings = desk.settings
    if program is not None:
        settings = replace(settings, live=replace(settings.live, ffmpeg=str(program)))
    metrics = MetricsSettings(transcode_port=metrics_port)
    settings = replace(settings, vod=replace(settings.vod, **changes), metrics=metrics)
    stop = asyncio.Event()
    async with open_transcoder(settings, pace=pace) as transcoder:
        running = asyncio.create_task(transcoder.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running


async def value(desk: Desk, query: str) -> object:
    async with desk.db.connection() as connection:
        return await connection.fetchval(query)


async def made(desk: Desk, video_id: str) -> Video:
    """The video, once the work on it is over."""
    video = await desk.until(video_id)
    await until(desk, "SELECT state IN ('done', 'failed') FROM transcodes")
    return video


async def until(desk: Desk, query: str) -> None:
    """Until the database says so."""
    async with asyncio.timeout(30):
        while not await value(desk, query):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


def children() -> list[str]:
    return [command for pid in tree(os.getpid())[1:] if "ffmpeg" in (command := command_of(pid))]


def a_program(folder: Path, script: str) -> Path:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


async def test_an_upload_becomes_a_whole_video_and_its_creator_hears_how_far_it_is(
    desk: Desk, short_video: Drawn
) -> None:
    heard: list[VideoProgress] = []

    async def hear(message: Message) -> None:
        heard.append(VideoProgress.from_message(message))

    await desk.bus.listen([VideoProgress.topic], hear)
    async with transcoding(desk):
        video_id = await desk.upload(short_video.file)
        playable = await desk.until_playable(video_id)
        assert playable.published_at is not None
        video = await made(desk, video_id)
        await became_true(lambda: bool(heard) and heard[-1].stage == "done")
    assert await desk.faults(video_id, short_video.frames) == []
    assert (video.metadata.width, video.metadata.height, video.metadata.fps) == (480, 270, 25.0)
    assert video.metadata.duration == pytest.approx(4.0, abs=0.1)
    assert video.metadata.stored_bytes > 0
    assert video.metadata.thumbnails
    assert video.metadata.storyboard
    assert any(progress.playable and progress.status == "processing" for progress in heard)
    assert (heard[-1].status, heard[-1].done) == ("ready", 1.0)
    assert all(0 <= progress.done <= 1 for progress in heard)
    assert await value(desk, "SELECT count(*) FROM transcode_segments") == 0


async def test_files_are_served_as_what_they_are_and_kept_for_as_long_as_they_stay(
    desk: Desk, short_video: Drawn
) -> None:
    async with transcoding(desk):
        video_id = await desk.upload(short_video.file)
        await made(desk, video_id)
    seen = {}
    for key in await desk.keys(f"vod/{video_id}/") | await desk.keys(f"posters/{video_id}/"):
        head = await desk.objects.call("head_object", Key=key)
        seen[Path(key).suffix] = (head["ContentType"].split(";")[0], head["CacheControl"].split(", ", 1)[1])
    for_good = "max-age=31536000, immutable"
    assert seen == {
        ".m3u8": ("application/vnd.apple.mpegurl", "max-age=3600"),
        ".mp4": ("video/mp4", for_good),
        ".m4s": ("video/iso.segment", for_good),
        ".vtt": ("text/vtt", for_good),
        ".jpg": ("image/jpeg", for_good),
    }


async def test_workers_share_a_long_video(desk: Desk, long_video: Drawn, tmp_path: Path) -> None:
    async with (
        desk.worker(tmp_path / "work", CHUNKED) as one,
        desk.worker(tmp_path / "work", CHUNKED) as other,
    ):
        video_id = await desk.upload(long_video.file)
        await made(desk, video_id)
        assert await desk.faults(video_id, long_video.frames) == []
        for worker in (one, other):
            assert "task.done" in worker.log.read_text()
    assert "high 2" in one.log.read_text() + other.log.read_text()  # the last of three chunks


async def test_workers_killed_at_random_moments_leave_whole_videos_and_nothing_else(
    desk: Desk, short_video: Drawn, tmp_path: Path
) -> None:
    dice = random.Random(5)  # noqa: S311 - moments, not secrets
    matrix = await Soak(desk, tmp_path, dice).run(short_video.file, short_video.frames, kills=5)
    assert matrix.faults == []
    assert matrix.is_perfect, matrix


async def test_a_worker_told_to_stop_puts_its_task_down_at_once(desk: Desk, long_video: Drawn, tmp_path: Path) -> None:
    slow = a_program(tmp_path, "exec sleep 100")
    async with desk.worker(tmp_path / "work", FFMPEG=slow) as worker:
        await desk.upload(long_video.file)
        await until(desk, "SELECT count(*) = 3 FROM transcode_tasks WHERE state = 'running' AND kind <> 'prepare'")
        family = tree(worker.process.pid)
        worker.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await worker.process.wait() == 0
    assert await value(desk, "SELECT count(*) FROM transcode_tasks WHERE attempt > 0 AND state <> 'done'") == 0
    assert await value(desk, "SELECT count(*) FROM transcode_tasks WHERE state = 'waiting'") == 5
    assert [pid for pid in family if command_of(pid)] == []
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["lock"]


async def test_an_encoder_that_hangs_is_ended_and_tried_again_until_the_video_fails_with_a_reason(
    desk: Desk, short_video: Drawn, tmp_path: Path
) -> None:
    hasty = replace(PACE, stall_seconds=1.0)
    async with transcoding(desk, a_program(tmp_path, "exec sleep 100"), hasty, max_attempts=2):
        video_id = await desk.upload(short_video.file)
        video = await made(desk, video_id)
        assert video.failure is not None
        assert video.failure.code == "transcode.stalled"
        assert video.failure.retryable
        assert "2 times" in video.failure.message
        assert children() == []
    assert await desk.again(video_id)
    await desk.catalogue.processing(video_id)
    async with transcoding(desk):
        await made(desk, video_id)
    assert await desk.faults(video_id, short_video.frames) == []


async def test_a_file_that_is_no_video_fails_at_once_and_for_good(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"not a video" * 1000)
    async with transcoding(desk):
        video = await made(desk, await desk.upload(tmp_path / "text"))
    assert video.failure is not None
    assert not video.failure.retryable


async def test_what_a_transcoder_did_is_shown(desk: Desk, short_video: Drawn) -> None:
    port = free_port()
    async with transcoding(desk, metrics_port=port), aiohttp.ClientSession() as session:
        await made(desk, await desk.upload(short_video.file))
        async with session.get(f"http://{LOOPBACK}:{port}/metrics") as answer:
            page = await answer.text()
    assert 'footlight_transcode_attempts_total{ended="done",kind="finish"} 1.0' in page
    assert 'footlight_transcode_video_seconds_total{kind="low"}' in page


async def test_a_file_that_never_fits_on_the_disk_is_refused_at_once(desk: Desk, short_video: Drawn) -> None:
    async with transcoding(desk, scratch_bytes=short_video.file.stat().st_size):
        video = await made(desk, await desk.upload(short_video.file))
    assert video.failure is not None
    assert (video.failure.code, video.failure.retryable) == ("video.too_large_file", False)


async def test_a_disk_without_room_is_not_the_videos_fault(
    desk: Desk, short_video: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fills_it = a_program(tmp_path, "head -c 2000000 /dev/zero > rubbish; exec sleep 100")
    with monkeypatch.context() as full:
        full.setattr(Scratch, "_disk_bytes", lambda _: 0)
        async with transcoding(desk):
            video_id = await desk.upload(short_video.file)
            await until(desk, "SELECT excuses >= 2 FROM transcode_tasks")
    async with transcoding(desk, fills_it, scratch_bytes=short_video.file.stat().st_size + 1_000_000):
        await until(desk, "SELECT count(*) >= 2 FROM transcode_tasks WHERE excuses > 0 AND kind <> 'prepare'")
        assert await value(desk, "SELECT max(attempt) FROM transcode_tasks") == 1
        assert children() == []
    async with transcoding(desk):
        await made(desk, video_id)
    assert await desk.faults(video_id, short_video.frames) == []


async def test_a_video_that_is_deleted_in_the_middle_is_stopped_and_leaves_no_file(
    desk: Desk, long_video: Drawn, tmp_path: Path
) -> None:
    async with transcoding(desk, a_program(tmp_path, "exec sleep 100"), max_attempts=9):
        video_id = await desk.upload(long_video.file)
        await until(desk, "SELECT count(*) >= 2 FROM transcode_tasks WHERE state = 'running' AND kind <> 'prepare'")
        build = await value(desk, "SELECT build FROM transcodes")
        await desk.objects.call("put_object", Key=f"vod/{video_id}/{build}/240p/0.m4s", Body=b"0")
        await desk.cancel(video_id)
        await became_true(lambda: not children())
        await until(desk, "SELECT count(*) = 0 FROM transcode_leftovers")
        assert await desk.keys(f"vod/{video_id}/") == set()


async def test_a_bus_that_is_away_stops_no_work(db: Postgres) -> None:
    class Away:
        async def publish(self, message: Message) -> None:
            raise BusUnavailable

    work = Work(db)
    await work.requested()
    lease = await work.claimed()
    reporter = Reporter(Away(), Leases(db, system_clock, lease_seconds=2, max_attempts=3), system_clock)
    await reporter.going_on(lease)
    await reporter.more_work(lease.video_id)


async def test_progress_is_told_now_and_then_but_at_once_that_it_can_be_played(db: Postgres) -> None:
    class Heard(list[Message]):
        async def publish(self, message: Message) -> None:
            self.append(message)

    work, heard = Work(db), Heard()
    await work.requested()
    lease = await work.claimed()
    reporter = Reporter(heard, Leases(db, system_clock, lease_seconds=2, max_attempts=3), system_clock)
    await reporter.going_on(lease)
    await reporter.going_on(lease)
    assert len(heard) == 1
    await reporter.playable(lease)
    assert len(heard) == 2
