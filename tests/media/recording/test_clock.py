"""Wall clock and position tell the same, whatever the encoder's absences were."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.catalog.model import Span
from media.recording.clock import end_of, position_of, seen_from

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
LENGTHS = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=6)


def spans_of(lengths: list[tuple[int, int]]) -> list[Span]:
    """Of (seconds on air, seconds away)."""
    found, at, position = [], NOON, 0.0
    for on_air, away in lengths:
        found.append(Span(at, position, float(on_air)))
        at, position = at + timedelta(seconds=on_air + away), position + on_air
    return found


@given(LENGTHS, st.integers(0, 6000))
def test_positions_never_go_back_and_stay_inside(lengths: list[tuple[int, int]], seconds: int) -> None:
    spans = spans_of(lengths)
    here, later = (position_of(spans, NOON + timedelta(seconds=at)) for at in (seconds, seconds + 1))
    length = sum(on_air for on_air, _ in lengths)
    assert here is None or 0 <= here < length
    assert later is None or (here is not None and later >= here)
    assert (here is None) == (NOON + timedelta(seconds=seconds) >= end_of(spans))


@given(LENGTHS, st.integers(1, 3000))
def test_what_is_seen_from_a_position_on_is_there_or_later(lengths: list[tuple[int, int]], seconds: int) -> None:
    spans = spans_of(lengths)
    since = seen_from(spans, float(seconds))
    assert since is not None
    found = position_of(spans, since)
    assert found is None or found == pytest.approx(min(seconds, sum(on_air for on_air, _ in lengths)))
    just_before = position_of(spans, since - timedelta(milliseconds=1))
    assert just_before is not None
    assert just_before < seconds


def test_a_video_without_spans_has_no_positions() -> None:
    assert position_of([], NOON) is None
    assert seen_from([], 5.0) is None
