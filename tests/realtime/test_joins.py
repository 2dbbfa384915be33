"""Joins are answered from memory: a storm of reconnects costs a handful of looks into the log, and no database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from infra.clock import system_clock
from infra.errors import Unavailable
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.redis import Redis
from realtime.cluster import open_channels
from realtime.connections import Connections
from realtime.handlers.standing import Standings
from realtime.room.log import KEEP_ENTRIES, Position
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from realtime.room.presence import Presence, presence_functions
from realtime.room.rooms import Joined, Rooms
from realtime.room.streams import Streams
from tests.realtime.archives import call_archived, say
from tests.realtime.nodes import KnownStreams, until
from tests.realtime.test_local import Screen

STORM = 10_000


@dataclass
class Node:
    """The rooms of one node, without its sockets."""

    rooms: Rooms
    streams: KnownStreams
    log: RedisRoomLog

    async def join(self, stream_id: str, offset: int | None = None, epoch: str = "") -> Joined:
        position = None if offset is None else Position(epoch, offset)
        return await self.rooms.join(stream_id, Screen(), position, None)


@asynccontextmanager
async def rooms_of(redis: Redis, settings: RedisSettings) -> AsyncIterator[Node]:
    functions, known = room_functions(redis), KnownStreams()
    log = RedisRoomLog(functions)
    async with open_channels(redis, settings) as channels:
        standings = Standings(Connections(system_clock), Presence(presence_functions(redis)))
        streams = Streams(redis, functions, known)
        rooms = Rooms(channels, log, streams, lambda _: None, standings, system_clock, RealtimeSettings())
        yield Node(rooms, known, log)
        await rooms.close()


@pytest.fixture
async def one(redis: Redis, redis_settings: RedisSettings) -> AsyncIterator[Node]:
    async with rooms_of(redis, redis_settings) as node:
        yield node


@pytest.fixture
async def two(redis: Redis, redis_settings: RedisSettings) -> AsyncIterator[Node]:
    async with rooms_of(redis, redis_settings) as node:
        yield node


def offsets(joined: Joined) -> list[int]:
    return [line.offset for line in joined.lines]


async def test_a_storm_of_reconnects_asks_the_log_twice_and_no_database(one: Node, two: Node, stream_id: str) -> None:
    first = await one.join(stream_id)
    await say(one.log, stream_id, 600)
    epoch = first.position.epoch
    # The other node has never heard of the room, and everybody missed something else.
    joined = await asyncio.gather(*(two.join(stream_id, number % 600, epoch) for number in range(STORM)))
    assert all(one_of.recovered for one_of in joined)
    assert all(offsets(one_of) == list(range(n % 600 + 1, 601)) for n, one_of in enumerate(joined))
    assert two.rooms.log_reads.count == 2  # when the room opened, and once for those who missed more than it read
    assert two.streams.asked == 0
    fresh = await asyncio.gather(*(two.join(stream_id) for _ in range(100)))
    assert all(offsets(one_of) == list(range(501, 601)) for one_of in fresh)
    assert two.rooms.log_reads.count == 2


async def test_a_shard_that_is_away_does_not_stop_joins_of_an_open_room(
    one: Node, stream_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await one.join(stream_id)
    await say(one.log, stream_id, 3)
    room = one.rooms.find(stream_id)
    assert room is not None
    await until(lambda: room.position == (first.position.epoch, 3))

    async def away(*question: object, **options: object) -> None:
        raise Unavailable

    monkeypatch.setattr(one.log, "since", away)
    assert offsets(await one.join(stream_id, 1, first.position.epoch)) == [2, 3]
    assert offsets(await one.join(stream_id)) == [1, 2, 3]


async def test_a_reader_that_knows_more_than_this_node_is_answered_by_the_log(one: Node, stream_id: str) -> None:
    first = await one.join(stream_id)
    room = one.rooms.find(stream_id)
    assert room is not None
    await say(one.log, stream_id, 5)
    await until(lambda: room.lines.position == (first.position.epoch, 5))
    room.lines.begin(await one.log.since(stream_id, None))
    room.lines.position = Position(first.position.epoch, 2)  # as if the rest were on its way
    before = one.rooms.log_reads.count
    joined = await asyncio.gather(*(one.join(stream_id, 4, first.position.epoch) for _ in range(50)))
    assert [(one_of.recovered, offsets(one_of), one_of.position.offset) for one_of in joined] == [(True, [5], 5)] * 50
    assert one.rooms.log_reads.count == before + 1


@pytest.mark.parametrize("archived", [False, True])
async def test_a_thousand_missed_entries_are_recovered_and_more_are_told_to_be_lost(
    one: Node, redis: Redis, stream_id: str, archived: bool
) -> None:
    await say(one.log, stream_id, KEEP_ENTRIES + 20)
    if archived:
        await call_archived(redis, stream_id)
        assert await redis.xlen(key(stream_id, "log")) == KEEP_ENTRIES
    epoch = (await one.join(stream_id)).position.epoch
    edge, beyond = await one.join(stream_id, 20, epoch), await one.join(stream_id, 19, epoch)
    assert (edge.recovered, offsets(edge)) == (True, list(range(21, KEEP_ENTRIES + 21)))
    assert (beyond.recovered, offsets(beyond)) == (False, list(range(KEEP_ENTRIES - 79, KEEP_ENTRIES + 21)))


async def test_the_next_epoch_reaches_who_joins_from_memory(one: Node, redis: Redis, stream_id: str) -> None:
    first = await one.join(stream_id)
    await say(one.log, stream_id, 150)
    room = one.rooms.find(stream_id)
    assert room is not None
    await until(lambda: room.position == (first.position.epoch, 150))
    await redis.delete(key(stream_id, "meta"), key(stream_id, "log"))
    before = await one.join(stream_id, 100, first.position.epoch)
    assert len(before.lines) == 50
    await say(one.log, stream_id, 1)
    await until(lambda: room.position and room.position.epoch != first.position.epoch)
    after = await one.join(stream_id, 100, first.position.epoch)
    assert (after.recovered, offsets(after)) == (False, [1])
