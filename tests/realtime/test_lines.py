"""The lines a room keeps in memory answer as the log would, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.room.lines import RecentLines
from realtime.room.log import FRESH_ENTRIES, KEEP_ENTRIES, Line, Lost, Position, Recovered

EPOCH = "e1"


def log_of(newest: int, asked: int | None, *, fresh: int = FRESH_ENTRIES, first: int = 1) -> Recovered | Lost:
    """What a log with the entries `first` to `newest` says."""
    here = Position(EPOCH, newest)
    if asked is not None and 0 <= newest - asked <= KEEP_ENTRIES and asked >= first - 1:
        return Recovered(here, numbered(asked + 1, newest))
    return Lost(here, numbered(max(first, newest - fresh + 1), newest))


def numbered(first: int, last: int) -> list[Line]:
    return [Line(offset, b"%d" % offset) for offset in range(first, last + 1)]


@given(
    begun=st.integers(0, 2500),
    passed_on=st.integers(0, 1200),
    filled=st.booleans(),
    asked=st.none() | st.integers(0, 4000),
)
def test_memory_says_what_the_log_says_or_nothing(begun: int, passed_on: int, filled: bool, asked: int | None) -> None:
    lines, newest = RecentLines("stream-1"), begun + passed_on
    lines.begin(log_of(begun, None))
    for line in numbered(begun + 1, newest):
        lines.add(line)
    if filled:
        assert lines.fill(log_of(newest, None, fresh=KEEP_ENTRIES))
    answer = lines.answer(None if asked is None else Position(EPOCH, asked))
    if asked is not None and asked > newest:
        assert answer is None
    elif answer is None:
        assert not filled
        assert asked is not None
        assert newest - asked > min(begun, FRESH_ENTRIES) + passed_on or newest - asked > KEEP_ENTRIES
    else:
        assert answer == log_of(newest, asked)


@given(begun=st.integers(0, 300), at_read=st.integers(0, 2500), later=st.integers(0, 2500))
def test_what_was_passed_on_since_a_reading_is_bridged_or_read_again(begun: int, at_read: int, later: int) -> None:
    lines = RecentLines("stream-1")
    lines.begin(log_of(begun, None))
    for line in numbered(begun + 1, begun + at_read):
        lines.add(line)
    found = log_of(begun + at_read, None)
    for line in numbered(begun + at_read + 1, begun + at_read + later):
        lines.add(line)
    bridge = lines.bridge(found)
    assert (bridge is None) == (later > KEEP_ENTRIES)
    assert bridge is None or bridge == numbered(begun + at_read + 1, begun + at_read + later)


def test_another_epoch_is_never_mixed_in() -> None:
    lines = RecentLines("stream-1")
    assert lines.answer(None) is None
    lines.begin(log_of(5, None))
    other = Lost(Position("e2", 9), numbered(1, 9))
    assert lines.bridge(other) is None
    assert not lines.fill(other)
    answer = lines.answer(Position("e2", 9))
    assert isinstance(answer, Lost)
    assert answer.position == Position(EPOCH, 5)


def test_lines_before_a_hole_are_not_kept() -> None:
    lines = RecentLines("stream-1")
    lines.begin(Lost(Position(EPOCH, 9), [*numbered(1, 3), *numbered(6, 9)]))
    answer = lines.answer(Position(EPOCH, 5))
    assert isinstance(answer, Recovered)
    assert answer.lines == numbered(6, 9)
    assert isinstance(lines.answer(Position(EPOCH, 4)), Lost)
    lines.begin(Lost(Position(EPOCH, 9), numbered(1, 3)))
    assert isinstance(lines.answer(Position(EPOCH, 2)), Lost)


def test_a_room_that_was_not_begun_adds_to_nothing() -> None:
    lines = RecentLines("stream-1")
    lines.add(Line(1, b"1"))
    assert lines.position is None
