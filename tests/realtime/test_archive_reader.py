"""The archive as anybody may read it: what was removed is a tombstone there, in whatever order it was archived."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from infra.clock import new_id
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.redis import Redis
from realtime.archive.entries import Row, document
from realtime.archive.mongo import MongoArchive
from realtime.archive.reader import PublicArchive, PublicLine
from realtime.room.log import Draft
from realtime.room.log_redis import RedisRoomLog, room_functions
from tests.realtime.archives import archiver_of
from tests.realtime.logs import Decisions

ROOM = "room-1"


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(replace(mongo_settings, database=f"reader-{new_id()}")) as store:
        yield store


@pytest.fixture
def archive(mongo: Mongo) -> PublicArchive:
    return PublicArchive(mongo)


def row(offset: int, mark: str, *, epoch: str = "e1", kind: str = "message", **values: Any) -> Row:
    entry = {"offset": offset, "stream_id": ROOM, "kind": kind, "at": offset * 10, "text": f"text-{epoch}-{offset}"}
    return Row(offset, epoch, msgspec.json.encode(entry | values), mark.encode())


async def keep(mongo: Mongo, *rows: Row) -> None:
    await MongoArchive(mongo).keep([document(ROOM, one) for one in rows])


def shown(lines: list[PublicLine]) -> list[str]:
    """The texts, `-` for what is gone."""
    assert [line.place.offset for line in lines] == [line.entry["offset"] for line in lines]
    return ["-" if line.entry["kind"] == "removed" else line.entry["text"] for line in lines]


async def test_a_removal_counts_whether_it_is_archived_before_or_after_its_message(
    mongo: Mongo, archive: PublicArchive
) -> None:
    rows = [
        row(1, "ada a"),
        row(2, "bob b"),
        row(3, "!m bob b", kind="moderation"),
        row(4, "adam c"),
        row(5, "+ada a", kind="pin"),
        row(6, "!u ada", kind="moderation"),
        row(7, "ada d"),
        row(8, "!", kind="settings"),
    ]
    random.Random(7).shuffle(rows)  # noqa: S311  # any order will do
    expected = ["-", "-", "text-e1-3", "text-e1-4", "-", "text-e1-6", "text-e1-7", "text-e1-8"]
    for one in rows:
        await keep(mongo, one)
    lines = await archive.entries(ROOM)
    assert shown(lines) == expected
    assert lines[0].entry == {"offset": 1, "kind": "removed", "stream_id": ROOM}
    assert lines[3].entry.keys() == {"offset", "stream_id", "kind", "at", "text"}


async def test_a_clear_of_a_later_life_of_the_log_covers_the_earlier_one(mongo: Mongo, archive: PublicArchive) -> None:
    await keep(mongo, row(1, "ada a"), row(2, "bob b"), row(50, "bob c"))
    await keep(mongo, row(3, "ada d", epoch="e0", at=900), row(4, "!u bob", epoch="e0", kind="moderation", at=910))
    assert shown(await archive.entries(ROOM)) == ["text-e1-1", "-", "-", "text-e0-3", "text-e0-4"]
    await keep(mongo, row(5, "!*", epoch="e0", kind="moderation", at=920), row(6, "bob e", epoch="e0", at=930))
    texts = ["-", "-", "-", "-", "text-e0-4", "text-e0-5", "text-e0-6"]
    assert shown(await archive.entries(ROOM)) == texts


async def test_a_removal_does_not_reach_what_was_said_after_it_in_any_life(
    mongo: Mongo, archive: PublicArchive
) -> None:
    await keep(mongo, row(1, "ada a"), row(9, "!u ada", kind="moderation"))
    await keep(mongo, row(2, "ada b", epoch="e0", at=900))
    assert shown(await archive.entries(ROOM)) == ["-", "text-e1-9", "text-e0-2"]


async def test_what_was_said_again_after_a_failover_is_given_once(mongo: Mongo, archive: PublicArchive) -> None:
    await keep(mongo, row(1, "ada a"), row(2, "bob b"), row(2, "bob b"))
    await keep(mongo, row(2, "bob b", epoch="e0", at=900), row(3, "bob c", epoch="e0", at=910))
    assert shown(await archive.entries(ROOM)) == ["text-e1-1", "text-e1-2", "-", "text-e0-3"]


async def test_pages_follow_each_other_over_all_lives_of_the_log(mongo: Mongo, archive: PublicArchive) -> None:
    await keep(mongo, *(row(number, f"ada {number}") for number in range(1, 8)))
    await keep(mongo, *(row(number, f"bob {number}", epoch="e0", at=900) for number in range(3, 8)))
    found: list[PublicLine] = []
    while page := await archive.entries(ROOM, found[-1].place if found else None, limit=3):
        assert len(page) <= 3
        found += page
    assert [line.place for line in found] == [("e1", n) for n in range(1, 8)] + [("e0", n) for n in range(3, 8)]
    assert await archive.entries("another") == []


async def test_the_archive_shows_what_the_log_shows(redis: Redis, mongo: Mongo, archive: PublicArchive) -> None:
    log = RedisRoomLog(room_functions(redis))
    decide = Decisions(log, ROOM)
    for text in ("a", "b", "c"):
        entry = {"kind": "message", "stream_id": ROOM, "at": 1, "text": text}
        await log.append(ROOM, Draft("ada", f"id-{text}", msgspec.json.encode(entry)))
    single = await decide.make("!m ada id-a")
    await decide.make("!m ada id-b")
    await decide.make(restores=single)
    await archiver_of(redis, mongo).round()
    lines = [line.entry for line in await archive.entries(ROOM)]
    assert lines == [msgspec.json.decode(line.entry) | {"stream_id": ROOM} for line in await log.tail(ROOM, 100)]
    assert lines[-1]["message"]["text"] == "a"
