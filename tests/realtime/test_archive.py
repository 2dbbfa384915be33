"""Every acknowledged entry reaches the archive exactly once, whoever dies on the way."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.clock import new_id
from infra.local.mongo import mongo_part
from infra.local.parts import free_port
from infra.local.process import start
from infra.metrics import Metrics
from infra.settings import MongoSettings, RedisSettings
from infra.stores.mongo import Mongo, MongoUnavailable, open_mongo
from infra.stores.redis import Redis, open_redis
from realtime.archive.entries import Row, document, only_duplicates
from realtime.archive.mongo import COLLECTION, MongoArchive
from realtime.archive.schedule import FIRST_SECONDS, LONGEST_SECONDS, Schedule, backoff
from realtime.archive.source import IDLE_SECONDS, RoomSource
from realtime.room.log import KEEP_ENTRIES, ArchiveBehind, RoomLog
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from realtime.room.marks import INDEX
from tests.realtime.archives import (
    archiver_of,
    archiver_part,
    archiving,
    eventually,
    holds,
    say,
    stored,
)
from tests.realtime.test_failover import ROOM as FAILING_ROOM
from tests.realtime.test_failover import replicated, settings_of

ROOM = "stream-archived"


@pytest.fixture
def own_mongo_settings(mongo_settings: MongoSettings) -> MongoSettings:
    return replace(mongo_settings, database=f"archive-{new_id()}")


@pytest.fixture
async def mongo(own_mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(own_mongo_settings) as store:
        yield store


@pytest.fixture
def log(redis: Redis) -> RoomLog:
    return RedisRoomLog(room_functions(redis))


def test_a_document_is_the_entry_under_an_id_that_repeats_with_it() -> None:
    stored_as = document("s", Row(7, "beef", b'{"offset":7,"kind":"message","text":"hi","at":5}', b"ada m-1"))
    assert stored_as == {
        "_id": "s:beef:7", "stream_id": "s", "epoch": "beef", "offset": 7, "kind": "message", "text": "hi", "at": 5,
        "mark": "ada m-1",
    }  # fmt: skip


def test_only_duplicates_are_success() -> None:
    assert only_duplicates({"writeErrors": [{"code": 11000}, {"code": 11000}]})
    assert not only_duplicates({"writeErrors": [{"code": 11000}, {"code": 121}]})
    assert not only_duplicates({"writeErrors": [{"code": 11000}], "writeConcernErrors": [{"code": 64}]})


@given(st.lists(st.booleans(), max_size=30))
def test_a_quiet_room_is_looked_at_less_often_and_a_busy_one_every_second(looks: list[bool]) -> None:
    schedule, now, gap = Schedule(), 0.0, 0.0
    assert schedule.due(["a"], now) == ["a"]
    for found in looks:
        schedule.looked("a", now, found=found)
        before, gap = gap, 0.0
        while not schedule.due(["a"], now):
            now, gap = now + 0.5, gap + 0.5
        assert gap == (FIRST_SECONDS if found else min(LONGEST_SECONDS, max(FIRST_SECONDS, 2 * before)))
    assert schedule.due([], now) == []


def test_the_pauses_of_a_long_outage_are_bounded() -> None:
    assert [backoff(failures) for failures in (1, 2, 3, 6, 1000)] == [0.5, 1.0, 2.0, 15.0, 15.0]


@pytest.mark.timeout(300)  # thousands of documents, which the embedded MongoDB takes its time for on a loaded machine
async def test_every_entry_is_archived_with_its_epoch_and_the_log_stays_short(
    redis: Redis, mongo: Mongo, log: RoomLog
) -> None:
    metrics = Metrics()
    expected = await say(log, ROOM, KEEP_ENTRIES + 300) + await say(log, "other", 3)
    assert await redis.xlen(key(ROOM, "log")) == KEEP_ENTRIES + 300
    archiver = archiver_of(redis, mongo, metrics=metrics)
    await RoomSource(redis, room_functions(redis)).mark_found()  # so many at once may have kept the room's mark away
    while sorted(await stored(mongo)) != sorted(expected):  # on a busy machine a store may not answer in time
        await archiver.round()
        await asyncio.sleep(0.5)  # reading everything without a pause keeps the store from taking the rest
    assert await redis.xlen(key(ROOM, "log")) == KEEP_ENTRIES
    assert metrics.registry.get_sample_value("footlight_archived_total") == len(expected)
    async with mongo.collection(COLLECTION) as entries:
        found = await entries.find({"stream_id": ROOM}).sort([("at", 1), ("offset", 1)]).to_list(2)
    assert [(entry["offset"], entry["text"]) for entry in found] == [(1, "hello"), (2, "hello")]


async def test_a_room_is_kept_until_it_is_archived_and_a_day_after(redis: Redis, mongo: Mongo, log: RoomLog) -> None:
    await say(log, ROOM, 2)
    assert await redis.ttl(key(ROOM, "log")) == await redis.ttl(key(ROOM, "meta")) == -1
    await archiver_of(redis, mongo).round()
    assert 0 < await redis.ttl(key(ROOM, "log")) <= 86_400
    await say(log, ROOM, 1)
    assert await redis.ttl(key(ROOM, "log")) == await redis.ttl(key(ROOM, "meta")) == -1


async def test_a_batch_stored_twice_is_there_once(mongo: Mongo) -> None:
    archive, documents = MongoArchive(mongo), [document("s", Row(n, "e", b'{"offset":%d}' % n)) for n in range(5)]
    assert await archive.keep([dict(one) for one in documents[:3]]) == 3
    assert await archive.keep([dict(one) for one in documents]) == 2
    assert len(await stored(mongo)) == 5


async def test_a_killed_archiver_is_followed_by_another_without_gap_or_repeat(
    tmp_path: Path, redis: Redis, redis_settings: RedisSettings, own_mongo_settings: MongoSettings, mongo: Mongo,
    log: RoomLog,
) -> None:  # fmt: skip
    expected, before = await say(log, ROOM, 150), 0

    async def works() -> bool:
        return len(await stored(mongo)) > before

    for attempt in range(3):
        archiver = await start(archiver_part(tmp_path / str(attempt), redis_settings, own_mongo_settings))
        try:
            await eventually(works)
            if attempt < 2:
                archiver.send(signal.SIGKILL)
                await archiver.process.wait()
                expected += await say(log, ROOM, 50)
                before = len(await stored(mongo))
            else:
                await holds(mongo, expected)
        finally:
            await archiver.stop()


async def test_while_the_archive_is_away_everything_waits_and_then_arrives(tmp_path: Path, redis: Redis) -> None:
    part, url = mongo_part(tmp_path / "mongo", free_port())
    log = RedisRoomLog(room_functions(redis), max_unarchived=40)
    server = await start(part)
    try:
        await server.wait_ready()
        async with open_mongo(MongoSettings(url=url, timeout_seconds=1.0)) as mongo:
            archiver = archiver_of(redis, mongo)
            expected = await say(log, ROOM, 5)
            await archiver.round()
            server.send(signal.SIGKILL)
            await server.process.wait()
            expected += await say(log, ROOM, 40)
            with pytest.raises(ArchiveBehind):
                await say(log, ROOM, 1)
            async with archiving(archiver):
                server = await start(part)
                await server.wait_ready()
                await holds(mongo, expected)
                expected += await say(log, ROOM, 1)
                await holds(mongo, expected)
    finally:
        await server.stop()


async def test_a_room_whose_archive_is_away_is_told_and_tried_again(redis: Redis, log: RoomLog) -> None:
    await say(log, ROOM, 1)
    async with open_mongo(MongoSettings(url=f"mongodb://127.0.0.1:{free_port()}", timeout_seconds=0.2)) as nowhere:
        with pytest.raises(MongoUnavailable):
            await MongoArchive(nowhere).keep([{"_id": "x"}])
        metrics = Metrics()
        with pytest.raises(Exception, match="does not answer"):
            await archiver_of(redis, nowhere, metrics=metrics).round()
        assert metrics.registry.get_sample_value("footlight_archive_backlog") == 1


async def test_a_replica_that_was_behind_takes_over_and_both_lives_are_archived(tmp_path: Path, mongo: Mongo) -> None:
    async with replicated(tmp_path) as (settings, cluster), open_redis(settings) as client:
        log = RedisRoomLog(room_functions(client))
        expected = await say(log, FAILING_ROOM, 3, text="kept")
        await cluster.owner_node.execute_command("WAIT", 1, 5000)
        await cluster.fall_behind()
        expected += await say(log, FAILING_ROOM, 3, text="lost on the replica")
        source = RoomSource(client, room_functions(client))
        seen = await source.unarchived(FAILING_ROOM, 10)
        assert seen is not None
        await MongoArchive(mongo).keep([document(FAILING_ROOM, row) for row in seen.rows])
        await cluster.fail_over()
        async with open_redis(settings_of(settings, cluster)) as after:
            # What the archiver learned from the shard that died must not hide the new entries of the same offsets.
            await RoomSource(after, room_functions(after)).archived(FAILING_ROOM, seen.rows[-1])
            expected += await say(RedisRoomLog(room_functions(after)), FAILING_ROOM, 5, text="new")
            await RoomSource(after, room_functions(after)).archived(FAILING_ROOM, seen.rows[-1])
            async with archiving(archiver_of(after, mongo)):
                await holds(mongo, expected)
    assert len({name.split(":")[1] for name in expected}) == 2


async def test_two_archivers_share_the_rooms(redis: Redis, mongo: Mongo, log: RoomLog) -> None:
    figures = [Metrics(), Metrics()]
    expected = []
    async with (
        archiving(archiver_of(redis, mongo, metrics=figures[0], batch=7)),
        archiving(archiver_of(redis, mongo, metrics=figures[1], batch=7)),
    ):
        for number in range(6):
            expected += await say(log, f"room-{number}", 40)
        await holds(mongo, expected)
    archived = [one.registry.get_sample_value("footlight_archived_total") or 0.0 for one in figures]
    assert sum(archived) == len(expected)


async def test_one_archiver_at_a_time_works_at_a_room(redis: Redis, log: RoomLog) -> None:
    await say(log, ROOM, 1)
    one, two = (RoomSource(redis, room_functions(redis)) for _ in range(2))
    assert await one.unarchived(ROOM, 10) is not None
    assert await two.unarchived(ROOM, 10) is None
    await two.release(ROOM)  # not theirs to give
    assert await two.unarchived(ROOM, 10) is None
    await one.release(ROOM)
    assert await two.unarchived(ROOM, 10) is not None


async def test_an_idle_room_is_dropped_and_a_forgotten_one_is_found(redis: Redis, mongo: Mongo, log: RoomLog) -> None:
    await say(log, ROOM, 2)
    archiver = archiver_of(redis, mongo)
    source = RoomSource(redis, room_functions(redis))
    await archiver.round()
    assert await source.marked() == [ROOM]  # somebody spoke a moment ago
    seconds, microseconds = await redis.time(target_nodes=redis.get_node_from_key(INDEX))
    await redis.zadd(INDEX, {ROOM: (seconds - IDLE_SECONDS - 1) * 1000 + microseconds // 1000})
    await archiver_of(redis, mongo).round()
    assert await source.marked() == []
    assert await source.mark_found() == 1
    assert await source.mark_found() == 0
    assert await source.marked() == [ROOM]


async def test_a_log_that_lost_entries_does_not_stop_the_archiver(redis: Redis, mongo: Mongo, log: RoomLog) -> None:
    first = await say(log, ROOM, 3)
    await archiver_of(redis, mongo).round()
    await say(log, ROOM, 2)
    await redis.xtrim(key(ROOM, "log"), maxlen=0, approximate=False)
    after = await say(log, ROOM, 2)
    await archiver_of(redis, mongo).round()
    assert sorted(await stored(mongo)) == sorted(first + after)
    await redis.delete(key(ROOM, "log"), key(ROOM, "meta"))
    await archiver_of(redis, mongo).round()
    again = await say(log, ROOM, 2)
    await archiver_of(redis, mongo).round()
    assert sorted(await stored(mongo)) == sorted(first + after + again)
