"""Which qualities a source gives, and where they are cut."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.vod.ladder import codecs_of, plan
from media.vod.plan import AudioTrack, Plan, Probed, VideoTrack

SOUND = AudioTrack(codec="opus", channels=6, sample_rate=48_000, bitrate_bps=256_000)


def source(  # noqa: PLR0913 - one for each thing that decides
    width: int = 1920, height: int = 1080, *, duration: float = 60.0, fps: float = 30.0, codec: str = "h264",
    pixel_format: str = "yuv420p", bitrate_bps: int = 4_000_000, rotation: int = 0, interlaced: bool = False,
    anamorphic: bool = False, keyframes: Sequence[float] = (), audio: AudioTrack | None = SOUND, container: str = "mov",
) -> Probed:  # fmt: skip
    video = VideoTrack(
        codec=codec, profile="High", width=width, height=height, fps=fps, pixel_format=pixel_format,
        bitrate_bps=bitrate_bps, rotation=rotation, interlaced=interlaced, anamorphic=anamorphic,
        keyframes=tuple(keyframes),
    )  # fmt: skip
    return Probed(container=container, duration_seconds=duration, size_bytes=1000, video=video, audio=audio)


def every(seconds: float, until: float) -> list[float]:
    return [round(number * seconds, 6) for number in range(int(until / seconds + 0.999))]


def names(made: Plan) -> list[str]:
    return [rendition.name for rendition in made.renditions]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, ["240p", "360p", "480p", "720p", "1080p"]),
        (1080, 1920, ["240p", "360p", "480p", "720p", "1080p"]),
        (3840, 2160, ["240p", "360p", "480p", "720p", "1080p"]),
        (1280, 720, ["240p", "360p", "480p", "720p"]),
        (854, 480, ["240p", "360p", "480p"]),
        (1440, 500, ["240p", "360p", "500p"]),
        (320, 240, ["240p"]),
        (160, 90, ["90p"]),
        (2, 2, ["2p"]),
    ],
)
def test_qualities_go_up_to_the_short_side_of_the_source(width: int, height: int, expected: list[str]) -> None:
    assert names(plan(source(width, height))) == expected


def test_an_upright_picture_stays_upright() -> None:
    assert all(one.height > one.width for one in plan(source(1080, 1920)).renditions)


@pytest.mark.parametrize(("fps", "expected"), [(29.97, 29.97), (23.976, 23.976), (25.0, 25.0), (60.0, 60.0),
                                               (120.0, 60.0), (59.94, 59.94), (17.3, 17.3)])  # fmt: skip
def test_the_rate_of_frames_is_the_sources_up_to_sixty(fps: float, expected: float) -> None:
    assert [one.fps for one in plan(source(fps=fps)).renditions] == pytest.approx([expected] * 5, abs=0.01)


def test_a_source_that_is_what_we_would_make_is_kept_and_cut_at_its_key_frames() -> None:
    made = plan(source(keyframes=every(1.5, 60.0)))
    assert [one.copy for one in made.renditions] == [False, False, False, False, True]
    assert made.cuts == tuple(every(3.0, 60.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": "hevc"}, {"pixel_format": "yuv420p10le"}, {"rotation": 90}, {"interlaced": True},
        {"anamorphic": True}, {"bitrate_bps": 40_000_000}, {"fps": 120.0}, {"keyframes": ()},
        {"keyframes": every(8.0, 60.0)}, {"keyframes": every(0.04, 60.0)}, {"keyframes": [0.3, *every(2.0, 60.0)[1:]]},
        {"height": 2160, "width": 3840}, {"duration": 400.0, "keyframes": every(2.0, 400.0), "container": "mpegts"},
    ],
)  # fmt: skip
def test_any_other_source_is_encoded_and_cut_every_two_seconds(changes: dict[str, object]) -> None:
    made = plan(source(**{"keyframes": every(2.0, 60.0), **changes}))  # type: ignore[arg-type]  # passed through
    assert not any(one.copy for one in made.renditions)
    assert all(end - start == pytest.approx(2.0, abs=0.05) for start, end in pairwise(made.cuts))


def test_a_video_of_up_to_five_minutes_is_one_chunk_and_a_longer_one_is_cut_each_minute() -> None:
    assert len(plan(source(duration=300.0)).chunks) == 1
    assert [chunk.end - chunk.first for chunk in plan(source(duration=320.0)).chunks] == [30, 30, 30, 30, 40]


def test_a_source_without_sound_gives_none() -> None:
    assert plan(source(audio=None)).audio is None
    assert plan(source()).audio is not None


@pytest.mark.parametrize(
    ("size", "codecs"),
    [((426, 240, 30.0), "avc1.640015"), ((854, 480, 30.0), "avc1.64001f"), ((1280, 720, 30.0), "avc1.64001f"),
     ((1920, 1080, 30.0), "avc1.640028"), ((1920, 1080, 60.0), "avc1.64002a")],
)  # fmt: skip
def test_codecs_name_the_lowest_level_that_holds_the_picture(size: tuple[int, int, float], codecs: str) -> None:
    assert codecs_of(*size) == codecs


sources = st.builds(
    source,
    st.integers(2, 4096),
    st.integers(2, 4096),
    duration=st.floats(0.05, 5000.0).map(lambda seconds: round(seconds, 3)),
    fps=st.one_of(st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 120.0]), st.floats(1.0, 240.0)),
    bitrate_bps=st.integers(1000, 50_000_000),
    rotation=st.sampled_from([0, 0, 0, 90, 180]),
    container=st.sampled_from(["mov,mp4,m4a,3gp,3g2,mj2", "mpegts"]),
)
gaps = st.lists(st.floats(0.2, 6.0).map(lambda gap: round(gap, 3)), min_size=1, max_size=200)


def with_keyframes(probed: Probed, between: list[float]) -> Probed:
    """As long as its key frames reach."""
    moments = [0.0]
    for gap in between:
        moments.append(round(moments[-1] + gap, 6))
    return source(854, 480, duration=round(moments[-1] + 0.04, 3), bitrate_bps=probed.video.bitrate_bps,
                  keyframes=moments, container=probed.container)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.one_of(sources, st.builds(with_keyframes, sources, gaps)))
def test_any_plan_covers_the_video_once_in_even_sizes_no_larger_than_the_source(probed: Probed) -> None:
    made = plan(probed)
    assert made == plan(probed)
    assert made.cuts[0] == 0.0
    assert all(start < end for start, end in pairwise(made.cuts))
    assert made.cuts[-1] < made.duration_seconds
    assert [number for chunk in made.chunks for number in range(chunk.first, chunk.end)] == list(range(len(made.cuts)))
    assert [chunk.number for chunk in made.chunks] == list(range(len(made.chunks)))
    assert len(set(names(made))) == len(made.renditions) >= 1
    for rendition in made.renditions:
        if not rendition.copy:
            assert rendition.width % 2 == rendition.height % 2 == 0
            assert rendition.fps <= 60.0
        assert rendition.width <= max(2, probed.video.width)
        assert rendition.height <= max(2, probed.video.height)
    if any(rendition.copy for rendition in made.renditions):
        assert set(made.cuts) <= set(probed.video.keyframes) | {0.0}
