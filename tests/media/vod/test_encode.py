"""Encoding real sources: no frame lost or doubled, cuts where the plan has them, sound as long as the picture."""

from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest

from infra.settings import VodSettings
from media.vod.encode import check_complete, encode_audio, encode_chunk
from media.vod.errors import Truncated
from media.vod.ladder import plan
from media.vod.plan import Plan, Probed, VideoTrack
from media.vod.probe import probe
from tests.media.publisher import ffmpeg
from tests.media.vod.sources import STEPS, draw, heard, make, played, run

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "20")
# Open groups: pictures before a key frame in time that are stored after it, and need the group before it.
OPEN_GROUPS = (
    "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-crf", "20", "-bf", "3", "-g", "40",
    "-x264-params", "open-gop=1:scenecut=0",
)  # fmt: skip
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "30")

# name -> (file, what ffmpeg is told, frames there must be)
Source = tuple[str, dict[str, object], tuple[str, ...], int]
SOURCES: dict[str, Source] = {
    "24 frames": ("a.mkv", {"rate": "24", "codec": ("-c:v", "mpeg4", "-q:v", "2", "-g", "48"), "sound": None}, (), 144),
    "25 frames": ("a.mp4", {"rate": "25", "codec": ("-c:v", "mpeg4", "-q:v", "2", "-g", "250")}, (), 150),
    "30 frames": ("a.webm", {"rate": "30", "codec": ("-c:v", "libvpx", "-b:v", "1M", "-deadline", "realtime"),
                             "sound": None}, (), 180),
    "29.97 frames": ("a.mp4", {"rate": "30000/1001", "codec": ("-c:v", "mpeg4", "-q:v", "2")}, (), 180),
    "open groups": ("a.ts", {"codec": MPEG2, "sound": None}, (), 150),
    "a beginning of its own": ("a.mkv", {"codec": ("-c:v", "mpeg4", "-q:v", "2"), "sound": None},
                               ("-output_ts_offset", "7.3"), 150),
    "kept": ("a.mp4", {"size": "160x90", "codec": (*X264, "-g", "25", "-bf", "2")}, (), 150),
    "kept, few key frames": ("a.mp4", {"size": "160x90", "codec": (*X264, "-g", "70")}, (), 150),
    "kept, open groups": ("a.mp4", {"size": "160x90", "codec": OPEN_GROUPS}, (), 150),
    "matroska, kept when in one piece": ("a.mkv", {"sound": None, "size": "160x90", "codec": OPEN_GROUPS},
                                         ("-output_ts_offset", "7.3"), 150),
    "kept, a beginning of its own": ("a.mp4", {"size": "160x90", "codec": (*X264, "-g", "25", "-bf", "2")},
                                     ("-output_ts_offset", "7.3"), 150),
    "kept, 29.97 frames": ("a.mp4", {"rate": "30000/1001", "size": "160x90", "codec": (*X264, "-g", "30")}, (), 180),
}  # fmt: skip


async def prepared(source: Path, chunk_seconds: float = 2.0) -> tuple[Probed, Plan, Plan]:
    """What is in it, the plan in chunks, and the plan in one piece."""
    probed = await probe(source, source.parent, settings=VodSettings())
    return probed, plan(probed, chunk_over_seconds=1.0, chunk_seconds=chunk_seconds), plan(probed)


async def encoded_sound(source: Path, probed: Probed, made: Plan, out: Path) -> tuple[float, float, int]:
    segments = await encode_audio(
        source, probed, made, out, ffmpeg=ffmpeg(), on_segment=lambda _: None, on_progress=lambda _: None
    )
    assert [segment.number for segment in segments] == list(range(len(made.cuts)))
    return heard(out, range(len(made.cuts)))


@pytest.mark.parametrize("name", SOURCES)
async def test_no_frame_is_lost_doubled_or_moved_where_chunks_meet(name: str, tmp_path: Path) -> None:
    file, options, arguments, frames = SOURCES[name]
    source = await draw(tmp_path / file, *arguments, **options)  # type: ignore[arg-type]  # passed through
    probed, chunked, _ = await prepared(source)
    top = chunked.renditions[-1]
    assert top.copy is name.startswith("kept")
    assert len(chunked.chunks) >= 2
    segments = await make(source, probed, chunked, tmp_path / "out", top.name)
    assert [segment.number for segment in segments] == list(range(len(chunked.cuts)))
    shown = played(tmp_path / "out", top.name, range(len(chunked.cuts)))
    assert [frame.step for frame in shown] == [number % STEPS for number in range(frames)]
    # Sound may begin a little before the picture; then that is zero.
    assert shown[0].seconds == pytest.approx(0.0, abs=0.025 if top.copy else 0.001)
    gaps = {round(after.seconds - before.seconds, 2) for before, after in pairwise(shown)}
    assert gaps <= {round(1 / top.fps + slack, 2) for slack in (-0.001, 0.0, 0.001)}


@pytest.mark.parametrize("name", SOURCES)
async def test_each_segment_begins_at_its_cut_with_a_picture_one_can_begin_at(name: str, tmp_path: Path) -> None:
    file, options, arguments, _ = SOURCES[name]
    source = await draw(tmp_path / file, *arguments, **options)  # type: ignore[arg-type]  # passed through
    probed, _, whole = await prepared(source)
    top = whole.renditions[-1]
    segments = await make(source, probed, whole, tmp_path / "out", top.name)
    for number, cut in enumerate(whole.cuts):
        shown = played(tmp_path / "out", top.name, [number])
        first = next(frame for frame in shown if frame.is_key)
        assert first.seconds == pytest.approx(cut, abs=0.7 / top.fps)
    assert sum(segment.duration_seconds for segment in segments) == pytest.approx(whole.duration_seconds, abs=0.1)


async def test_a_source_of_changing_speed_gives_the_same_frames_in_chunks_as_in_one_piece(tmp_path: Path) -> None:
    uneven = "select='not(mod(n\\,3)*mod(n\\,7))'"
    source = await draw(
        tmp_path / "a.mkv", "-fps_mode", "vfr", rate="30",
        picture=f"geq=lum='30+10*mod(N\\,20)':cb=128:cr=128,{uneven}", codec=("-c:v", "mpeg4", "-q:v", "2"),
    )  # fmt: skip
    probed, chunked, whole = await prepared(source)
    top = whole.renditions[-1].name
    await make(source, probed, chunked, tmp_path / "chunked", top)
    await make(source, probed, whole, tmp_path / "whole", top)
    numbers = range(len(whole.cuts))
    assert len(chunked.chunks) > 1
    assert played(tmp_path / "chunked", top, numbers) == played(tmp_path / "whole", top, numbers)


async def test_all_qualities_are_cut_at_the_same_moments_though_one_is_kept(tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mp4", size="480x270", codec=(*X264, "-g", "60", "-b:v", "300k"))
    probed, chunked, _ = await prepared(source)
    assert [(one.name, one.copy) for one in chunked.renditions] == [("240p", False), ("270p", True)]
    await make(source, probed, chunked, tmp_path / "out", "240p", "270p")
    for number, cut in enumerate(chunked.cuts):
        for name in ("240p", "270p"):
            first = next(frame for frame in played(tmp_path / "out", name, [number]) if frame.is_key)
            assert first.seconds == pytest.approx(cut, abs=0.02)


@pytest.mark.parametrize(
    ("options", "arguments", "size"),
    [
        pytest.param({"size": "64x36"}, ("-vf", "setsar=2"), (128, 36), id="pixels that are not square"),
        pytest.param({"size": "64x40"}, ("-vf", "interlace"), (64, 40), id="two fields"),
        pytest.param({"codec": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-preset", "ultrafast")}, (), (64, 36),
                     id="ten bits"),
        pytest.param({"codec": ("-c:v", "libx264", "-pix_fmt", "yuv444p", "-preset", "ultrafast")}, (), (64, 36),
                     id="full colour"),
    ],
)  # fmt: skip
async def test_what_players_cannot_show_becomes_what_they_can(
    options: dict[str, object], arguments: tuple[str, ...], size: tuple[int, int], tmp_path: Path
) -> None:
    if "interlace" in arguments:
        arguments = ("-vf", "interlace,fieldorder=tff", "-flags", "+ilme+ildct")
    source = await draw(tmp_path / "a.mkv", *arguments, seconds=2, **options)  # type: ignore[arg-type]  # passed through
    probed, _, whole = await prepared(source)
    top = whole.renditions[-1]
    assert (probed.video.width, probed.video.height) == size
    await make(source, probed, whole, tmp_path / "out", top.name)
    assert played(tmp_path / "out", top.name, [0])
    again = await probe(tmp_path / "out" / f"{top.name}.played.mp4", tmp_path, settings=VodSettings())
    assert (again.video.width, again.video.height) == size
    assert (again.video.codec, again.video.pixel_format) == ("h264", "yuv420p")
    assert not again.video.interlaced
    assert not again.video.anamorphic


async def test_a_picture_filmed_upright_stays_upright(tmp_path: Path) -> None:
    lying = await draw(tmp_path / "lying.mp4", seconds=2, size="64x36")
    await run("-display_rotation", "90", "-i", str(lying), "-c", "copy", str(tmp_path / "a.mp4"))
    probed, _, whole = await prepared(tmp_path / "a.mp4")
    top = whole.renditions[-1]
    assert (top.width, top.height, top.copy) == (36, 64, False)
    await make(tmp_path / "a.mp4", probed, whole, tmp_path / "out", top.name)
    assert [frame.step for frame in played(tmp_path / "out", top.name, [0])] == [n % STEPS for n in range(50)]


@pytest.mark.parametrize("channels", ["mono", "stereo", "5.1"])
async def test_sound_is_stereo_and_as_long_as_the_picture(channels: str, tmp_path: Path) -> None:
    source = await draw(
        tmp_path / "a.mkv", "-af", f"aformat=channel_layouts={channels}", "-output_ts_offset", "3", seconds=5
    )
    probed, _, whole = await prepared(source)
    begin, end, count = await encoded_sound(source, probed, whole, tmp_path)
    assert count == 2
    assert begin == pytest.approx(0.0, abs=0.025)
    assert end == pytest.approx(whole.duration_seconds, abs=0.05)


async def test_sound_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mkv", "-af", "atrim=end=1", seconds=4)
    probed, _, whole = await prepared(source)
    _, end, _ = await encoded_sound(source, probed, whole, tmp_path)
    assert end == pytest.approx(4.0, abs=0.05)


async def test_progress_grows_to_the_length_of_the_chunk(tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mkv", rate="30", codec=("-c:v", "mpeg4", "-q:v", "2"))
    probed, chunked, _ = await prepared(source)
    seen: list[float] = []
    await encode_chunk(
        source, probed, chunked, chunked.chunks[1], [chunked.renditions[0].name], tmp_path,
        ffmpeg=ffmpeg(), on_segment=lambda _: None, on_progress=seen.append,
    )  # fmt: skip
    assert seen == sorted(seen)
    assert 1.5 <= seen[-1] <= 2.0 + 0.01


async def test_a_file_that_ends_before_it_says_is_refused_though_the_encoder_calls_it_a_success(tmp_path: Path) -> None:
    source = await draw(tmp_path / "a.mp4", "-movflags", "+faststart", codec=(*X264, "-g", "25"))
    probed, _, whole = await prepared(source)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(Truncated):
        await make(source, probed, whole, tmp_path / "out", whole.renditions[-1].name)


@pytest.mark.parametrize(("seconds", "refused"), [(100.0, False), (96.0, False), (90.0, True), (0.0, True)])
def test_an_end_is_missing_when_more_than_a_twentieth_is(seconds: float, refused: bool) -> None:
    video = VideoTrack(codec="h264", profile="", width=64, height=36, fps=25.0, pixel_format="yuv420p", bitrate_bps=1)
    probed = Probed(container="mov", duration_seconds=100.0, size_bytes=1, video=video)
    with pytest.raises(Truncated) if refused else nullcontext():
        check_complete(probed, seconds)
