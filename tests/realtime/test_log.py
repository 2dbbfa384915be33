"""One contract for both room logs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from infra.stores.redis import Redis
from realtime.errors import ChatTooFast, RoomEnded
from realtime.room.log import KEEP_ENTRIES, Draft, Line, Lost, Position, Recovered, RoomLog
from realtime.room.log_memory import MemoryRoomLog
from realtime.room.log_redis import RedisRoomLog, key, room_functions

ROOM = "room-1"


@dataclass
class Made:
    """A log, and what the contract needs beside it."""

    log: RoomLog
    end: Callable[[], object]
    lose: Callable[[], object]


@pytest.fixture(params=["memory", "redis_cluster"])
async def made(request: pytest.FixtureRequest, redis: Redis) -> Made:
    if request.param == "memory":
        memory = MemoryRoomLog(lambda: datetime.now(UTC), lambda room, payload: None)

        async def end() -> None:
            memory.end(ROOM)

        async def lose() -> None:
            memory.lose(ROOM)

        return Made(memory, end, lose)
    return Made(
        RedisRoomLog(room_functions(redis)),
        lambda: redis.hset(key(ROOM, "stream"), "status", "ended"),
        lambda: redis.delete(key(ROOM, "meta")),
    )


@pytest.fixture
def log(made: Made) -> RoomLog:
    return made.log


def said(text: str, user: str = "ada") -> Draft:
    return Draft(user, f"id-{text}", b'{"text":"%b"}' % text.encode())


def texts(found: Recovered | Lost | list[Line]) -> list[str]:
    lines = found if isinstance(found, list) else found.lines
    assert [line.offset for line in lines] == list(range(lines[0].offset, lines[0].offset + len(lines))) if lines else 1
    return [line.entry.decode().split('"text":"')[1][:-2] for line in lines]


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


async def test_the_log_is_bounded_and_a_hole_is_never_given(log: RoomLog) -> None:
    drafts = [said(str(number), f"user-{number}") for number in range(KEEP_ENTRIES + 50)]
    last = (await asyncio.gather(*(log.append(ROOM, draft) for draft in drafts)))[-1]
    newest = KEEP_ENTRIES + 50
    edge = await log.since(ROOM, Position(last.epoch, newest - KEEP_ENTRIES))
    assert isinstance(edge, Recovered)
    assert len(edge.lines) == KEEP_ENTRIES
    beyond = await log.since(ROOM, Position(last.epoch, newest - KEEP_ENTRIES - 1))
    assert isinstance(beyond, Lost)
    assert [line.offset for line in beyond.lines] == list(range(newest - 99, newest + 1))
    assert [line.offset for line in await log.tail(ROOM, 3)] == [newest - 2, newest - 1, newest]


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
    await made.end()  # type: ignore[misc]  # one of two awaitables
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, said("b"))
    assert (await made.log.append(ROOM, said("a"))).offset == 1


async def test_a_lost_log_begins_a_new_epoch(made: Made) -> None:
    first = await made.log.append(ROOM, said("a"))
    await made.lose()  # type: ignore[misc]  # one of two awaitables
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
