"""Timestamps become a clock that only goes forward, and no faster than twice."""

from hypothesis import given
from hypothesis import strategies as some

from media.ingest.flv import Kind
from media.ingest.timeline import BURST_SECONDS, RATE, Pace, Timeline

kinds = some.sampled_from([Kind.AUDIO, Kind.VIDEO])


def test_a_regular_encoder_keeps_its_times() -> None:
    timeline = Timeline()
    placed = [timeline.place(Kind.VIDEO, 5000 + at) for at in (0, 33, 67, 100)]
    assert placed == [0, 33, 67, 100]
    assert timeline.jumps == 0


def test_audio_a_little_behind_is_no_jump() -> None:
    timeline = Timeline()
    placed = [timeline.place(Kind.VIDEO, 500), timeline.place(Kind.AUDIO, 480), timeline.place(Kind.VIDEO, 533)]
    assert placed == [0, 0, 33]
    assert timeline.jumps == 0


def test_a_jump_moves_sound_and_picture_together() -> None:
    timeline = Timeline()
    timeline.place(Kind.VIDEO, 0)
    timeline.place(Kind.AUDIO, 10)
    video, audio = timeline.place(Kind.VIDEO, 3_600_000), timeline.place(Kind.AUDIO, 3_600_010)
    assert audio - video == 10
    assert video < 100
    assert timeline.jumps == 1


def test_the_wrap_of_32_bits_is_no_jump() -> None:
    timeline = Timeline()
    assert [timeline.place(Kind.VIDEO, at) for at in ((1 << 32) - 20, 13)] == [0, 33]
    assert timeline.jumps == 0


@given(some.lists(some.tuples(kinds, some.integers(0, (1 << 32) - 1)), max_size=100))
def test_every_kind_only_goes_forward(tags: list[tuple[Kind, int]]) -> None:
    timeline, last = Timeline(), dict[Kind, int]()
    for kind, timestamp in tags:
        placed = timeline.place(kind, timestamp)
        assert placed > last.get(kind, -1)
        last[kind] = placed


@given(some.lists(some.integers(0, 5000), max_size=200))
def test_waiting_as_told_keeps_media_within_its_budget(steps: list[int]) -> None:
    pace, now, media = Pace(0.0), 0.0, 0.0
    for step in steps:
        media += step / 1000
        now += pace.wait_seconds(step, now)
        assert media <= BURST_SECONDS + RATE * now + 0.001


def test_real_time_never_waits() -> None:
    pace = Pace(0.0)
    assert [pace.wait_seconds(40, tick * 0.04) for tick in range(1000)] == [0.0] * 1000
