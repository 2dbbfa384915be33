"""What strangers send cannot read other files, reach the network, hang, or fill the machine."""

import asyncio
import ctypes
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.settings import VodSettings
from media.vod.encode import encode_chunk
from media.vod.errors import EncodeFailed, MediaRefused, PictureTooLarge, TooLong, TooManyStreams, Truncated
from media.vod.ladder import plan
from media.vod.pictures import make_poster, make_storyboard
from media.vod.plan import Probed, VideoTrack
from media.vod.probe import probe
from tests.media.publisher import ffmpeg
from tests.media.vod.hostile import avi, broken, disguises, many_tracks_matroska, with_duration, zipped
from tests.media.vod.sources import draw, make, played, run

IN_OPEN = 0x20
NOWHERE = Path("/nowhere")
DISGUISES = tuple(disguises("http://127.0.0.1:1", NOWHERE))
BROKEN = tuple(broken())


class Watch:
    """Tells whether anybody opened a file, by inotify."""

    def __init__(self, file: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._descriptor, str(file).encode(), IN_OPEN) >= 0

    @property
    def was_opened(self) -> bool:
        try:
            return bool(os.read(self._descriptor, 4096))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass
class Neighbourhood:
    """Another user's video, and a host that counts who calls."""

    other: Path
    watch: Watch
    url: str
    calls: list[object] = field(default_factory=list)

    def is_untouched(self) -> bool:
        return not self.watch.was_opened and not self.calls


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.ts").write_bytes(b"somebody else's")
    watch = Watch(tmp_path / "other" / "b.ts")
    yield watch
    watch.close()


@pytest.fixture
async def neighbourhood(tmp_path: Path, watch: Watch) -> AsyncIterator[Neighbourhood]:
    calls: list[object] = []

    async def called(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(called, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield Neighbourhood(tmp_path / "other" / "b.ts", watch, f"http://{host}:{port}", calls)


def pretended() -> Probed:
    """What an honest file would be: the encoder must be safe even if the probe were fooled."""
    video = VideoTrack(codec="h264", profile="", width=64, height=36, fps=25.0, pixel_format="yuv420p", bitrate_bps=1)
    return Probed(container="mov", duration_seconds=4.0, size_bytes=1000, video=video)


async def refused(source: Path) -> type[MediaRefused]:
    with pytest.raises(MediaRefused) as failure:
        await probe(source, source.parent, settings=VodSettings())
    assert not failure.value.retryable
    assert failure.value.message
    return type(failure.value)


async def encoded(source: Path, probed: Probed) -> None:
    made = plan(probed)
    await encode_chunk(
        source, probed, made, made.chunks[0], [made.renditions[0].name], source.parent,
        ffmpeg=ffmpeg(), on_segment=lambda _: None, on_progress=lambda _: None,
    )  # fmt: skip


async def test_the_trap_for_readers_and_the_host_that_counts_do_work(neighbourhood: Neighbourhood) -> None:
    assert neighbourhood.is_untouched()
    assert await asyncio.to_thread(neighbourhood.other.read_bytes)
    assert neighbourhood.watch.was_opened
    port = int(neighbourhood.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while not neighbourhood.calls:  # noqa: ASYNC110 - the server's task adds it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", DISGUISES)
async def test_a_disguise_is_refused_and_nothing_it_names_is_touched(
    name: str, neighbourhood: Neighbourhood, tmp_path: Path
) -> None:
    source = tmp_path / "other" / "a.mp4"  # beside the other's file, which is worse than it is in truth
    source.write_bytes(disguises(neighbourhood.url, neighbourhood.other)[name])
    await refused(source)
    with pytest.raises(EncodeFailed):
        await make_poster(source, pretended(), tmp_path, ffmpeg=ffmpeg())
    with pytest.raises(EncodeFailed):
        await encoded(source, pretended())
    assert neighbourhood.is_untouched()


@pytest.mark.parametrize("name", ["playlist with a host", "playlist with another's file", "concat list with a host"])
async def test_a_file_within_a_videos_subtitles_is_not_followed(
    name: str, neighbourhood: Neighbourhood, tmp_path: Path
) -> None:
    source = tmp_path / "a.mp4"
    inner = disguises(neighbourhood.url, neighbourhood.other)[name]
    source.write_bytes(avi(16, 16, [bytes([number * 8]) * 768 for number in range(25)], inner))
    probed = await probe(source, tmp_path, settings=VodSettings())
    await encoded(source, probed)
    await make_poster(source, probed, tmp_path, ffmpeg=ffmpeg())
    await make_storyboard(source, probed, tmp_path, ffmpeg=ffmpeg())
    assert neighbourhood.is_untouched()


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_video_or_promises_too_much_is_refused(name: str, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(broken()[name])
    kind = await refused(source)
    if name == "a picture of 8K":
        assert kind is PictureTooLarge


async def test_more_tracks_than_any_video_has_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(many_tracks_matroska(40))
    assert await refused(tmp_path / "a.mkv") is TooManyStreams


@pytest.mark.parametrize(("seconds", "kind"), [(36_000.0, Truncated), (1e6, TooLong)])
async def test_a_header_cannot_promise_more_than_there_is(
    seconds: float, kind: type[MediaRefused], tmp_path: Path
) -> None:
    assert await refused(await with_duration(tmp_path / "a.mkv", seconds)) is kind


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
async def test_a_file_whose_end_is_missing_is_refused(share: float, tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mp4", "-movflags", "+faststart", seconds=8.0)
    data = source.read_bytes()
    source.write_bytes(data[: int(len(data) * share)])
    assert await refused(source) is Truncated


async def test_sound_without_a_picture_and_a_cover_beside_sound_are_no_video(tmp_path: Path) -> None:
    sound = ("-f", "lavfi", "-i", "sine=duration=2")
    await run(*sound, "-c:a", "aac", str(tmp_path / "a.m4a"))
    cover = ("-f", "lavfi", "-i", "color=size=64x36:duration=1:rate=1")
    await run(*sound, *cover, "-c:a", "aac", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v", "attached_pic",
              str(tmp_path / "b.m4a"))  # fmt: skip
    for name in ("a.m4a", "b.m4a"):
        assert (await refused(tmp_path / name)).code == "video.no_picture"


async def test_what_is_hidden_behind_a_video_is_not_passed_on(tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mp4", seconds=2.0)
    with source.open("ab") as file:
        file.write(zipped("payload.html", b"<script>hidden</script>" * 10))
    probed = await probe(source, tmp_path, settings=VodSettings())
    made = plan(probed)
    await make(source, probed, made, tmp_path / "out", made.renditions[-1].name)
    assert played(tmp_path / "out", made.renditions[-1].name, [0])
    assert not [file for file in (tmp_path / "out").rglob("*.m*") if b"hidden" in file.read_bytes()]


@pytest.mark.parametrize("seed", range(6))
async def test_a_damaged_file_gives_a_video_or_a_reason(seed: int, tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mp4", seconds=2.0)
    data, dice = bytearray(source.read_bytes()), random.Random(seed)  # noqa: S311 - damage, not secrets
    for _ in range(30):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    source.write_bytes(data)
    try:
        probed = await probe(source, tmp_path, settings=VodSettings())
        await encoded(source, probed)
    except (MediaRefused, EncodeFailed):
        return
    assert probed.duration_seconds > 0


def test_loopback_is_there_to_be_reached() -> None:
    """Else counting calls would show nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
