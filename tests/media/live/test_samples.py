"""A life of any length fits on a chart, and nothing that was counted is lost or made up."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from media.live.samples import (
    BURST_ACTIONS,
    SLOT_SECONDS,
    Reading,
    Sample,
    bursts,
    down_sample,
    samples_of,
    slot_of,
    step_for,
)
from tests.media.live.world import NOON

SLOT = timedelta(seconds=SLOT_SECONDS)
COUNT = st.integers(0, 1000)
PARTS = {
    "viewers": COUNT,
    "peak": COUNT,
    "messages": st.none() | COUNT,
    "actions": COUNT,
    "followers": COUNT,
    "bitrate_kbps": st.none() | st.floats(0, 9000),
    "fps": st.none() | st.floats(0, 120),
    "status": st.sampled_from(["live", "interrupted"]),
}
# Slots that are there; the others are gaps.
LIVES = st.lists(st.integers(0, 40_000), max_size=60, unique=True).map(sorted).flatmap(
    lambda slots: st.tuples(*(st.builds(Sample, at=st.just(NOON + n * SLOT), **PARTS) for n in slots)).map(list)
)  # fmt: skip


def sample(slot: int, **changes: Any) -> Sample:
    values = {"viewers": 1, "peak": 1, "messages": 0, "actions": 0, "followers": 0, "bitrate_kbps": 2500.0, "fps": 30.0}
    return Sample(at=NOON + slot * SLOT, status=changes.pop("status", "live"), **{**values, **changes})


def reading(slot: int, entries: int | None) -> Reading:
    return Reading(
        stream_id="s", at=NOON + slot * SLOT, status="live", viewers=1, peak=1, entries=entries, actions=0,
        followers=0, bitrate_kbps=None, fps=None,
    )  # fmt: skip


def known(values: list[int | None]) -> list[int]:
    return [value for value in values if value is not None]


@given(LIVES, st.integers(2, 500))
def test_a_chart_has_few_points_and_the_same_peaks_and_sums(life: list[Sample], points: int) -> None:
    if not life:
        assert down_sample(life, SLOT_SECONDS) == []
        return
    step = step_for(life[0].at, life[-1].at, points)
    shown = down_sample(life, step)
    assert 1 <= len(shown) <= points
    assert max(one.viewers for one in shown) == max(one.viewers for one in life)
    assert max(one.peak for one in shown) == max(one.peak for one in life)
    for name in ("messages", "actions", "followers"):
        assert sum(known([getattr(s, name) for s in shown])) == sum(known([getattr(s, name) for s in life]))
    assert any(one.status == "interrupted" for one in shown) == any(one.status == "interrupted" for one in life)


@given(LIVES, st.integers(2, 500))
def test_points_stand_where_something_was_recorded_and_nowhere_else(life: list[Sample], points: int) -> None:
    if not life:
        return
    step = step_for(life[0].at, life[-1].at, points)
    places = [one.at.timestamp() for one in down_sample(life, step)]
    assert places == sorted({one.at.timestamp() // step * step for one in life})


@given(LIVES)
def test_at_the_finest_step_nothing_changes(life: list[Sample]) -> None:
    rounded = [[getattr(one, name) for name in PARTS if name not in {"bitrate_kbps", "fps"}] for one in life]
    shown = down_sample(life, SLOT_SECONDS)
    assert [[getattr(one, name) for name in PARTS if name not in {"bitrate_kbps", "fps"}] for one in shown] == rounded
    assert [one.at for one in shown] == [one.at for one in life]


def test_health_is_the_mean_of_what_is_known() -> None:
    [shown] = down_sample(
        [sample(0, bitrate_kbps=None, fps=None), sample(1, bitrate_kbps=2000.0), sample(2, bitrate_kbps=3001.0)], 60
    )
    assert (shown.bitrate_kbps, shown.fps) == (2500.5, 30.0)
    [silent] = down_sample([sample(0, bitrate_kbps=None, fps=None, messages=None)], 60)
    assert (silent.bitrate_kbps, silent.fps, silent.messages) == (None, None, None)


def test_what_was_said_is_the_growth_of_the_log() -> None:
    said = [one.messages for one in samples_of([reading(0, 5), reading(1, 12), reading(2, 12), reading(3, None)])]
    assert said == [None, 7, 0, None]


def test_a_log_that_began_anew_counts_from_its_beginning() -> None:
    assert [one.messages for one in samples_of([reading(0, 500), reading(1, 3)])] == [None, 3]


def test_what_was_said_during_a_gap_belongs_to_no_sample() -> None:
    assert [one.messages for one in samples_of([reading(0, 5), reading(3, 9), reading(7, 400)])] == [None, 4, None]


@given(st.lists(COUNT, min_size=1))
def test_whatever_was_said_while_readings_were_taken_is_shown_once(said: list[int]) -> None:
    offsets = [sum(said[:place]) for place in range(len(said) + 1)]
    shown = samples_of([reading(slot, offset) for slot, offset in enumerate(offsets)])
    assert [one.messages for one in shown][1:] == said


def test_a_slot_ends_every_ten_seconds_of_the_clock() -> None:
    assert slot_of(NOON) == NOON
    assert slot_of(NOON + timedelta(seconds=9.999)) == NOON
    assert slot_of(NOON + timedelta(seconds=10.5)) == NOON + SLOT


def test_a_burst_of_moderation_is_one_mark_until_it_is_calm() -> None:
    calm, busy = [0] * 8, [4, 4, 4, 4]
    life = [sample(slot, actions=count) for slot, count in enumerate([*calm, *busy, *calm, *busy])]
    marks = bursts(life)
    assert [(mark.at, mark.kind) for mark in marks] == [
        (life[10].at, "moderation_burst"), (life[22].at, "moderation_burst"),
    ]  # fmt: skip
    assert marks[0].text == "12 moderation actions in a minute"


def test_steady_work_is_no_burst() -> None:
    assert bursts([sample(slot, actions=1) for slot in range(60)]) == []
    assert bursts([sample(0, actions=BURST_ACTIONS - 1), sample(6, actions=BURST_ACTIONS - 1)]) == []
    assert bursts([]) == []
