"""One contract for both room logs: order, recovery, limits. What moderation adds is in test_log_moderation.py."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.stores.redis import Redis
from realtime.errors import ChatTooFast, RoomEnded
from realtime.room.log import KEEP_ENTRIES, ArchiveBehind, Lost, Position, Recovered, RoomLog
from realtime.room.log_memory import MemoryRoomLog
from tests.realtime.logs import BOUND, ROOM, Made, said, texts


async def test_a_reader_who_knows_the_last_offset_misses_nothing(log: RoomLog) -> None:
    for text in ("a", "b", "c"):
        last = await log.append(ROOM, said(text))
    found = await log.since(ROOM, Position(last.epoch, 1))
    assert isinstance(found, Recovered)
    assert (texts(found), found.position, last.offset) == (["b", "c"], last, 3)
    assert found.lines[0].entry == b'{"offset":2,"text":"b"}'
    level = await log.since(ROOM, last)
    assert isinstance(level, Recovered)
    assert level.lines == []


async def test_an_empty_log_has_a_position(log: RoomLog) -> None:
    found = await log.since(ROOM, None)
    assert isinstance(found, Lost)
    assert (found.position.offset, found.lines) == (0, [])
    assert (await log.append(ROOM, said("a"))) == (found.position.epoch, 1)


async def test_a_position_from_elsewhere_is_lost(log: RoomLog) -> None:
    last = await log.append(ROOM, said("a"))
    for position in (None, Position("beef", 1), Position(last.epoch, 7)):
        found = await log.since(ROOM, position)
        assert isinstance(found, Lost)
        assert texts(found) == ["a"]


async def fill(log: RoomLog, count: int, name: str = "") -> Position:
    drafts = [said(f"{name}{number}", f"user-{name}{number}") for number in range(count)]
    return max(await asyncio.gather(*(log.append(ROOM, draft) for draft in drafts)))


@pytest.mark.parametrize("archived", [False, True])
async def test_a_thousand_missed_entries_are_given_and_one_more_is_not(made: Made, archived: bool) -> None:
    newest = KEEP_ENTRIES + 50
    last = await fill(made.log, newest)
    if archived:
        await made.archive()
    edge = await made.log.since(ROOM, Position(last.epoch, newest - KEEP_ENTRIES))
    assert isinstance(edge, Recovered)
    assert [line.offset for line in edge.lines] == list(range(51, newest + 1))
    beyond = await made.log.since(ROOM, Position(last.epoch, newest - KEEP_ENTRIES - 1))
    assert isinstance(beyond, Lost)
    assert [line.offset for line in beyond.lines] == list(range(newest - 99, newest + 1))
    assert [line.offset for line in await made.log.tail(ROOM, 3)] == [newest - 2, newest - 1, newest]
    assert len(await made.log.tail(ROOM, 5 * KEEP_ENTRIES)) == KEEP_ENTRIES


async def test_what_is_not_archived_is_kept_and_then_nothing_more_is_taken(made: Made) -> None:
    await fill(made.log, BOUND)
    with pytest.raises(ArchiveBehind) as refused:
        await made.log.append(ROOM, said("more"))
    assert refused.value.retryable
    assert (await made.log.append(ROOM, said("0", "user-0"))).offset >= 1  # a repeat is answered all the same
    await made.archive()
    assert (await made.log.append(ROOM, said("more"))).offset == BOUND + 1


async def test_the_same_id_has_one_place(log: RoomLog) -> None:
    places = await asyncio.gather(*(log.append(ROOM, said("a")) for _ in range(20)))
    other = await log.append(ROOM, said("a", "bob"))
    assert {place.offset for place in places} == {1}
    assert other.offset == 2


async def test_twenty_are_admitted_and_repeats_do_not_count(log: RoomLog) -> None:
    for number in range(20):
        await log.append(ROOM, said(str(number)))
        await log.append(ROOM, said("0"))
    with pytest.raises(ChatTooFast) as refused:
        await log.append(ROOM, said("20"))
    assert 0 < refused.value.details["retry_after_ms"] <= 30_000
    assert (await log.append(ROOM, said("5"))).offset == 6
    assert (await log.append(ROOM, said("20", "bob"))).offset == 21


async def test_an_ended_room_takes_nothing_more_but_knows_what_it_took(made: Made) -> None:
    await made.log.append(ROOM, said("a"))
    await made.end()
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, said("b"))
    assert (await made.log.append(ROOM, said("a"))).offset == 1


async def test_the_limit_of_a_user_is_over_all_rooms_and_a_parameter(log: RoomLog) -> None:
    for number in range(20):
        await log.append(f"other-{number}", said("same"))
    with pytest.raises(ChatTooFast):
        await log.append(ROOM, said("same"))
    moderator = replace(said("same"), rate_count=22)
    assert (await log.append(ROOM, moderator)).offset == 1
    assert (await log.append(ROOM, replace(moderator, id="other-id"))).offset == 2
    with pytest.raises(ChatTooFast) as refused:
        await log.append(ROOM, replace(moderator, id="third-id"))
    assert 0 < refused.value.details["retry_after_ms"] <= 30_000


async def test_a_lost_log_begins_a_new_epoch(made: Made) -> None:
    first = await made.log.append(ROOM, said("a"))
    await made.lose()
    again = await made.log.append(ROOM, said("b"))
    assert (again.offset, again.epoch == first.epoch) == (1, False)
    found = await made.log.since(ROOM, first)
    assert isinstance(found, Lost)
    assert texts(found) == ["b"]


async def test_the_window_slides(redis: Redis) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    times = [now]
    log = MemoryRoomLog(lambda: times[-1], lambda room, payload: None)
    for number in range(20):
        times.append(now + timedelta(seconds=number))
        await log.append(ROOM, said(str(number)))
    with pytest.raises(ChatTooFast) as refused:
        await log.append(ROOM, said("x"))
    assert refused.value.details["retry_after_ms"] == 11_000
    times.append(now + timedelta(seconds=30))
    await log.append(ROOM, said("x"))
    with pytest.raises(ChatTooFast):
        await log.append(ROOM, said("y"))
