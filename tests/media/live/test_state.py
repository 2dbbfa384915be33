"""The life of a stream, whatever happens in whatever order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import StreamIsOver
from media.live.state import CHANGES, Stream, change_between, connect, drop, end, end_if_overdue, event_of, overdue
from tests.media.live.world import NOON, a_stream

MINUTE = timedelta(minutes=1)
HAPPENINGS = st.lists(st.tuples(st.sampled_from(["connect", "drop", "stop", "sweep"]), st.integers(0, 50_000)))


def happen(stream: Stream, what: str, now_seconds: int) -> Stream:
    now = NOON + timedelta(seconds=now_seconds)
    match what:
        case "connect":
            return connect(stream, now)
        case "drop":
            return drop(stream, now)
        case "stop":
            return end(stream, "stopped_by_creator", now)
        case _:
            return end_if_overdue(stream, now, MINUTE)


@given(HAPPENINGS)
def test_any_sequence_of_happenings_keeps_the_life_in_order(happenings: list[tuple[str, int]]) -> None:
    stream, now, connections = a_stream(), 0, 0
    for what, later in happenings:
        now += later
        before = stream
        try:
            stream = happen(before, what, now)
        except StreamIsOver:
            assert before.is_over
            continue
        connections += what == "connect"
        if before.status != stream.status:
            assert (before.status, stream.status) in CHANGES
        assert not before.is_over or stream is before, "an ended stream never changes"
        assert (stream.started_at is None) == (connections == 0)
        assert (stream.interrupted_at is not None) == (stream.status == "interrupted") or stream.is_over
        assert (stream.ended_at is not None) == (stream.end_reason is not None) == stream.is_over
        assert stream.connections == connections
        told = event_of(before, stream, NOON)
        assert (told is not None) == (before.status != stream.status)


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (("connect",), ["went_live"]),
        (("connect", "drop", "connect"), ["went_live", "interrupted", "resumed"]),
        (("connect", "connect"), ["went_live", None]),
        (("connect", "drop", "drop", "stop", "stop"), ["went_live", "interrupted", None, "ended", None]),
        (("drop", "stop"), [None, "ended"]),
    ],
)
def test_each_change_has_its_name(steps: tuple[str, ...], names: list[str | None]) -> None:
    stream, found = a_stream(), []
    for step in steps:
        before, stream = stream, happen(stream, step, 1)
        found.append(change_between(before, stream))
    assert found == names


def test_the_first_reason_of_an_end_stays() -> None:
    ended = end(a_stream(), "stopped_by_admin", NOON)
    assert end(ended, "stopped_by_creator", NOON + MINUTE) is ended


@pytest.mark.parametrize(
    ("stream", "after", "reason"),
    [
        (a_stream(status="interrupted", interrupted_at=NOON), timedelta(seconds=59.9), None),
        (a_stream(status="interrupted", interrupted_at=NOON), timedelta(seconds=60), "encoder_gone"),
        (a_stream(), timedelta(hours=11, minutes=59), None),
        (a_stream(), timedelta(hours=12), "never_started"),
        (a_stream(status="live", started_at=NOON), timedelta(days=3), None),
        (a_stream(status="ended", ended_at=NOON), timedelta(days=3), None),
    ],
)
def test_a_stream_that_nobody_ends_ends_in_time(stream: Stream, after: timedelta, reason: str | None) -> None:
    assert overdue(stream, NOON + after, MINUTE) == reason
    assert end_if_overdue(stream, NOON + after, MINUTE).end_reason == reason
