"""One contract for both room logs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.stores.redis import Redis
from realtime.errors import ChatBanned, ChatSlowMode, ChatTooFast, RoomEnded
from realtime.room.log import KEEP_ENTRIES, ArchiveBehind, Draft, Line, Lost, Position, Recovered, RoomLog
from realtime.room.log_memory import MemoryRoomLog
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from tests.realtime.archives import call_archived

ROOM = "room-1"
BOUND = KEEP_ENTRIES + 200


@dataclass
class Made:
    """A log, and what the contract needs beside it; `said` is what its channel heard."""

    log: RoomLog
    end: Callable[[], Awaitable[object]]
    lose: Callable[[], Awaitable[object]]
    archive: Callable[[], Awaitable[object]]


@pytest.fixture(params=["memory", "redis_cluster"])
async def made(request: pytest.FixtureRequest, redis: Redis) -> Made:
    return _in_memory() if request.param == "memory" else _in_redis(redis)


def _in_memory() -> Made:
    memory = MemoryRoomLog(lambda: datetime.now(UTC), lambda room, payload: None, max_unarchived=BOUND)

    async def end() -> None:
        memory.end(ROOM)

    async def lose() -> None:
        memory.lose(ROOM)

    async def archive() -> None:
        memory.archive(ROOM)

    return Made(memory, end, lose, archive)


def _in_redis(redis: Redis) -> Made:
    return Made(
        RedisRoomLog(room_functions(redis), max_unarchived=BOUND),
        lambda: redis.hset(key(ROOM, "stream"), "status", "ended"),
        lambda: redis.delete(key(ROOM, "meta"), key(ROOM, "log")),
        lambda: call_archived(redis, ROOM),
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


async def test_who_is_banned_may_not_speak_until_then(log: RoomLog) -> None:
    await log.append(ROOM, said("before"))
    await log.ban(ROOM, "ada", datetime.now(UTC) + timedelta(minutes=1))
    with pytest.raises(ChatBanned) as refused:
        await log.append(ROOM, said("a"))
    assert 0 < refused.value.details["retry_after_ms"] <= 60_000
    assert (await log.append(ROOM, said("before"))).offset == 1
    assert (await log.append("elsewhere", said("a"))).offset == 1
    assert (await log.append(ROOM, said("a", "bob"))).offset == 2
    await log.ban(ROOM, "ada", datetime.now(UTC) - timedelta(seconds=1))
    assert (await log.append(ROOM, said("a"))).offset == 3


async def test_a_ban_for_good_ends_when_it_is_lifted(log: RoomLog) -> None:
    await log.ban(ROOM, "ada", None)
    with pytest.raises(ChatBanned) as refused:
        await log.append(ROOM, said("a"))
    assert refused.value.details == {}
    await log.lift(ROOM, "ada")
    await log.lift(ROOM, "nobody")
    assert (await log.append(ROOM, said("a"))).offset == 1


async def test_slow_mode_leaves_time_between_two_messages(log: RoomLog) -> None:
    await log.set_slow(ROOM, 30)
    await log.append(ROOM, said("a"))
    with pytest.raises(ChatSlowMode) as refused:
        await log.append(ROOM, said("b"))
    assert 20_000 < refused.value.details["retry_after_ms"] <= 30_000
    assert (await log.append(ROOM, said("a"))).offset == 1
    assert (await log.append(ROOM, replace(said("c"), exempt=True))).offset == 2
    assert (await log.append(ROOM, said("b", "bob"))).offset == 3
    assert (await log.since(ROOM, None)).slow_seconds == 30
    await log.set_slow(ROOM, 0)
    assert (await log.append(ROOM, said("b"))).offset == 4
    assert (await log.since(ROOM, None)).slow_seconds == 0


async def test_the_order_of_the_checks(made: Made) -> None:
    await made.log.set_slow(ROOM, 30)
    await made.log.append(ROOM, said("a"))
    await made.log.ban(ROOM, "ada", None)
    with pytest.raises(ChatBanned):
        await made.log.append(ROOM, said("b"))
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, replace(said("b"), ended=True))
    await made.end()
    with pytest.raises(RoomEnded):
        await made.log.append(ROOM, said("b"))
    assert (await made.log.append(ROOM, replace(said("a"), ended=True))).offset == 1


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
