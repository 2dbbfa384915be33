"""The live process with real encoders: from RTMP to playlists and segments that a strict reader accepts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.clock import system_clock
from infra.local.parts import LOOPBACK, free_port
from infra.settings import LiveSettings
from media.live import broadcast
from media.live.process import LiveProcess
from tests.media.desk import MemoryDesk, Opened
from tests.media.hls import Playlist, check_continues, check_full_parts, read_playlist
from tests.media.publisher import SOUND, command, ffmpeg, publishing


@dataclass
class Live:
    """A running live process and what tests ask of it."""

    process: LiveProcess
    desk: MemoryDesk
    port: int

    def url(self, key: str) -> str:
        return f"rtmp://{LOOPBACK}:{self.port}/live/{key}"

    async def get(self, path: str, query: str = "", method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        await self.process.origin(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], sent[1]["body"], headers

    async def playlist(self, opened: Opened, query: str = "") -> Playlist:
        status, body, _ = await self.get(f"/live/{opened.playback_id}/source.m3u8", query)
        assert status == 200, body
        return read_playlist(body.decode())

    async def fetch(self, opened: Opened, uri: str) -> bytes:
        status, body, headers = await self.get(f"/live/{opened.playback_id}/{uri}")
        assert status == 200
        assert "immutable" in headers["cache-control"]
        return body


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    port = free_port()
    desk = MemoryDesk()
    process = LiveProcess(desk, LiveSettings(rtmp_port=port, ffmpeg=ffmpeg()), system_clock)
    await process.start()
    yield Live(process, desk, port)
    await process.close()


async def decoded_frames(data: bytes, folder: Path) -> int:
    """How many pictures a decoder that stops at the first error gets out of fragmented MP4."""
    file = folder / "segments.mp4"
    file.write_bytes(data)
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg(), "-v", "error", "-xerror", "-i", str(file), "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert b"\n1, " in output, "no sound"
    return output.count(b"\n0, ")


async def test_a_published_stream_plays_in_parts(live: Live, tmp_path: Path) -> None:
    opened = live.desk.open("low")
    assert (await live.get(f"/live/{opened.playback_id}/index.m3u8"))[0] == 404
    async with publishing(live.url(opened.key)):
        await live.desk.until_playable(opened)
        before = await live.playlist(opened)
        for _ in range(8):
            number, index = before.newest
            query = f"_HLS_msn={number + 1}&_HLS_part=0" if index > 1000 else f"_HLS_msn={number}&_HLS_part={index}"
            hinted = before.hint
            after = await live.playlist(opened, query)
            check_continues(before, after)
            check_full_parts(after)
            assert after.newest > before.newest
            assert any(uri == hinted for piece in after.pieces for _, uri, _ in piece.parts), "the hint was wrong"
            before = after
        _, index_text, _ = await live.get(f"/live/{opened.playback_id}/index.m3u8")
        assert b"RESOLUTION=320x180,FRAME-RATE=25.000" in index_text
        assert b'CODECS="avc1.42c00d,mp4a.40.2"' in index_text
        segment = before.segments[-1]
        header = await live.fetch(opened, segment.header)
        whole = await live.fetch(opened, segment.uri)
        assert whole == b"".join([await live.fetch(opened, uri) for _, uri, _ in segment.parts])
        assert await decoded_frames(header + whole, tmp_path) == 25
    assert opened.health[-1].video_codec == "h264"


async def test_standard_latency_has_whole_segments_only(live: Live, tmp_path: Path) -> None:
    opened = live.desk.open("standard", "standard")
    async with publishing(live.url(opened.key), keyframe_seconds=2, seconds=8.4, real_time=False):
        await live.desk.until(opened, "interrupted")
    playlist = await live.playlist(opened)
    assert [piece.duration for piece in playlist.segments[:4]] == [2.0, 2.0, 2.0, 2.0]
    assert playlist.target == 2
    assert playlist.part_target is None
    data = [await live.fetch(opened, piece.uri) for piece in playlist.segments]
    header = await live.fetch(opened, playlist.pieces[0].header)
    assert await decoded_frames(header + b"".join(data), tmp_path) == 210


async def test_an_encoder_that_returns_continues_the_same_playlist(live: Live) -> None:
    opened = live.desk.open("back")
    async with publishing(live.url(opened.key), seconds=4, real_time=False):
        await live.desk.until(opened, "interrupted")
    before = await live.playlist(opened)
    async with publishing(live.url(opened.key), size="640x360", seconds=2, real_time=False):
        await live.desk.until(opened, "live")
        await live.desk.until(opened, "interrupted")
    after = await live.playlist(opened)
    check_continues(before, after)
    assert after.discontinuities == before.discontinuities + 1
    headers = [await live.fetch(opened, uri) for uri in sorted({piece.header for piece in after.pieces})]
    assert len(headers) == 2
    assert headers[0] != headers[1]
    assert opened.connections == 2


async def test_a_killed_ffmpeg_is_replaced_under_a_live_encoder(live: Live) -> None:
    opened = live.desk.open("killed")
    async with publishing(live.url(opened.key), keyframe_seconds=0.4):
        await live.desk.until_playable(opened)
        before = await live.playlist(opened)
        publisher = live.process._broadcasts["killed"].publisher
        assert publisher is not None
        encoder = publisher._feed.encoder
        assert encoder is not None
        os.kill(encoder.pid, signal.SIGKILL)
        number = before.pieces[-1].number
        after = before
        while after.discontinuities == before.discontinuities:
            number = after.pieces[-1].number
            after = await live.playlist(opened, f"_HLS_msn={number + 1}&_HLS_part=0")
            check_continues(before, after)
        assert opened.status == "live"
        assert opened.connections == 1


async def test_the_end_of_a_stream_ends_its_playlist(live: Live) -> None:
    opened = live.desk.open("ended")
    async with publishing(live.url(opened.key)) as publisher:
        await live.desk.until_playable(opened)
        far = (await live.playlist(opened)).newest[0] + 2
        waiting = asyncio.create_task(live.playlist(opened, f"_HLS_msn={far}"))
        await asyncio.sleep(0)
        opened.status = "ended"
        await live.process.drop("ended", "stopped_by_creator")
        await publisher.ended()
        assert (await live.playlist(opened)).ended
        assert (await waiting).ended
    process = await asyncio.create_subprocess_exec(
        *command(live.url(opened.key)), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    _, said = await process.communicate()
    assert b"This stream is over." in said


async def test_what_ended_unheard_is_found_by_asking(live: Live) -> None:
    opened, renewed = live.desk.open("unheard"), live.desk.open("renewed")
    async with publishing(live.url(opened.key)) as publisher, publishing(live.url(renewed.key)) as other:
        await asyncio.gather(live.desk.until_playable(opened), live.desk.until_playable(renewed))
        opened.status, renewed.key = "ended", "live_new"
        await asyncio.gather(publisher.ended(), other.ended())
        async with publishing(live.url("live_new")):
            await live.desk.until(renewed, "live")
    assert (await live.playlist(opened)).ended
    assert not (await live.playlist(renewed)).ended


async def test_a_desk_that_is_down_refuses_and_lets_in_later(live: Live) -> None:
    opened = live.desk.open("later")
    live.desk.is_down = True
    async with publishing(live.url(opened.key)) as publisher:
        assert await publisher.ended() != 0
        assert "Try again in a moment" in publisher.said
    live.desk.is_down = False
    async with publishing(live.url(opened.key)):
        await live.desk.until(opened, "live")


async def test_numbers_go_on_above_those_of_the_process_before(live: Live) -> None:
    opened = live.desk.open("restarted")
    async with publishing(live.url(opened.key), seconds=4, real_time=False):
        await live.desk.until(opened, "interrupted")
    before = await live.playlist(opened)
    port = free_port()
    process = LiveProcess(live.desk, LiveSettings(rtmp_port=port, ffmpeg=ffmpeg()), system_clock)
    await process.start()
    try:
        second = Live(process, live.desk, port)
        async with publishing(second.url(opened.key), seconds=3, real_time=False):
            await live.desk.until(opened, "live")
            await live.desk.until(opened, "interrupted")
        after = await second.playlist(opened)
    finally:
        await process.close()
    assert after.sequence > before.segments[-1].number
    assert after.discontinuity_sequence > before.discontinuities
    assert {piece.header for piece in after.pieces}.isdisjoint({piece.header for piece in before.pieces})


async def test_a_second_encoder_is_refused_until_the_first_falls_silent(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = live.desk.open("twice")
    async with publishing(live.url(opened.key)) as first:
        await live.desk.until(opened, "live")
        async with publishing(live.url(opened.key)) as second:
            assert await second.ended() != 0
        assert "Already publishing" in second.said
        os.kill(first.process.pid, signal.SIGSTOP)
        monkeypatch.setattr(broadcast, "SILENT_SECONDS", 0.3)  # the same rule in less time
        await asyncio.sleep(0.4)
        async with publishing(live.url(opened.key)):
            while opened.connections < 2:
                await live.desk.next()
            os.kill(first.process.pid, signal.SIGCONT)
            await first.ended()
            assert opened.drops == [], "the stream was live all the time"


async def test_a_new_key_takes_over_from_the_old_one(live: Live) -> None:
    opened = live.desk.open("renewed")
    async with publishing(live.url(opened.key)) as first:
        await live.desk.until(opened, "live")
        opened.key = "live_new"
        async with publishing(live.url("live_new")):
            await first.ended()
            while opened.connections < 2:
                await live.desk.next()


async def test_other_codecs_are_named_and_do_not_go_through(live: Live) -> None:
    mp3, silent = live.desk.open("mp3"), live.desk.open("silent")
    sound = (*SOUND, "-c:a", "libmp3lame", "-ar", "44100")
    async with publishing(live.url(mp3.key), audio=sound), publishing(live.url(silent.key), audio=()):
        assert "AAC" in await live.desk.until_warned(mp3, "codec.unsupported")
        await asyncio.gather(live.desk.until_playable(mp3), live.desk.until_playable(silent))
    _, text, _ = await live.get(f"/live/{mp3.playback_id}/index.m3u8")
    assert b'CODECS="avc1.42c00d",' in text
    hevc = live.desk.open("hevc")
    video = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25")
    async with publishing(live.url(hevc.key), video=video):
        assert "H.264" in await live.desk.until_warned(hevc, "codec.unsupported")
    assert hevc.status == "created"


async def test_the_ingest_is_full_at_its_limit(live: Live) -> None:
    live.process._settings = replace(live.process._settings, max_publishers=1)
    first, second = live.desk.open("first"), live.desk.open("second")
    async with publishing(live.url(first.key)):
        await live.desk.until(first, "live")
        async with publishing(live.url(second.key)) as refused:
            await refused.ended()
        assert "The ingest is full" in refused.said


async def test_closing_ends_publishers_and_their_ffmpeg() -> None:
    desk, port = MemoryDesk(), free_port()
    process = LiveProcess(desk, LiveSettings(rtmp_port=port, ffmpeg=ffmpeg()), system_clock)
    await process.start()
    opened = desk.open("closing")
    async with publishing(f"rtmp://{LOOPBACK}:{port}/live/{opened.key}") as publisher:
        await desk.until_playable(opened)
        on_air = process._broadcasts["closing"].publisher
        assert on_air is not None
        encoder = on_air._feed.encoder
        assert encoder is not None
        await process.close()
        await publisher.ended()
        assert not encoder.alive
    assert opened.drops == ["shutting_down"]
