"""A viewer who misses, doubles or reorders one message is not whole, whatever way it went wrong."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from loadtest.users.news import Answer, Entry, News, Newsroom, Told
from loadtest.users.seat import Seat
from loadtest.users.stage import Ledger


def seat_at(offset: int) -> Seat:
    seat = Seat()
    seat.joined(Answer(ok=True, epoch="e", offset=offset, recovered=False))
    return seat


def news(*offsets: int) -> News:
    body = [{"offset": offset, "id": f"message-{offset}"} for offset in offsets]
    found = Newsroom({}).of(msgspec.json.encode(["chat", body]))
    assert isinstance(found, News)
    return found


def test_each_message_once_and_in_order_is_whole() -> None:
    seat = seat_at(5)
    assert seat.take(news(6, 7))
    assert seat.take(news(8))
    assert seat.is_whole(8)


def test_who_has_not_heard_the_last_message_is_not_whole() -> None:
    seat = seat_at(5)
    seat.take(news(6, 7))
    assert not seat.is_whole(8)


def test_a_gap_is_noticed_and_filled_by_joining_again() -> None:
    seat = seat_at(5)
    assert not seat.take(news(7))
    assert (seat.standing, seat.gaps, seat.position()) == (False, 1, {"epoch": "e", "offset": 5})
    assert seat.joined(Answer(ok=True, epoch="e", offset=7, recovered=True, entries=[Entry(6), Entry(7)]))
    assert seat.is_whole(7)


def test_a_recovery_with_a_hole_is_not_believed() -> None:
    seat = seat_at(5)
    assert not seat.joined(Answer(ok=True, epoch="e", offset=8, recovered=True, entries=[Entry(6), Entry(8)]))
    assert not seat.is_whole(8)
    empty = seat_at(5)
    assert not empty.joined(Answer(ok=True, epoch="e", offset=6, recovered=True))


def test_a_new_beginning_is_not_whole() -> None:
    seat = seat_at(5)
    seat.joined(Answer(ok=True, epoch="f", offset=2, recovered=False))
    assert seat.resets == 1
    assert not seat.is_whole(2)


@given(st.lists(st.lists(st.integers(1, 12), max_size=5), max_size=12))
def test_whatever_comes_only_the_next_message_counts(told: list[list[int]]) -> None:
    seat = seat_at(0)
    expected = 0
    for offsets in told:
        for offset in offsets:
            if offset > expected + 1:
                break
            expected = max(expected, offset)
        if not seat.take(news(*offsets)):
            seat.standing = True
    assert seat.offset == expected
    assert seat.taken == expected
    assert seat.is_whole(expected)


def test_two_frames_that_tell_one_offset_apart_are_a_conflict() -> None:
    room = Newsroom({})
    room.of(b'["chat",[{"offset":1,"id":"a"}]]')
    room.of(b'["chat",[{"offset":1,"id":"b"}]]')
    assert room.conflicts == 1


def test_what_is_for_one_client_alone_is_told_apart() -> None:
    told = Newsroom({}).of(b'["session:closing",{"code":"node.draining"}]')
    assert isinstance(told, Told)
    assert told.name == "session:closing"


def test_an_acknowledged_message_that_nobody_saw_is_wrong() -> None:
    ledger = Ledger()
    ledger.acknowledged = {1: "a", 2: "b"}
    assert ledger.wrong({1: "a"}) == 1
    assert ledger.wrong({1: "a", 2: "b"}) == 0
