"""The chat beside a recording: in step with it, and without what was removed, whenever that was."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from accounts.model import Identity
from infra.clock import milliseconds, new_id
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from media.catalog.model import Recording, Span, Video
from realtime.archive.entries import Row, document
from realtime.archive.mongo import COLLECTION, MongoArchive
from realtime.archive.reader import SAID_ORDER, PublicArchive, said_query
from realtime.archive.replay import Replay, ReplayPage

ROOM = "0198c5a2-7d1e-7c3b-9a54-2f6b1d0e8c77"
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
# Ten seconds, a minute without an encoder, ten seconds more.
SPANS = [Span(NOON, 0.0, 10.0), Span(NOON + timedelta(seconds=70), 10.04, 10.0)]


def video(spans: list[Span]) -> Video:
    return Video(
        id=new_id(), creator_id="ada", creator_name="Ada", title="Waves", created_at=NOON, updated_at=NOON,
        recording=Recording(ROOM, spans),
    )  # fmt: skip


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(replace(mongo_settings, database=f"replay-{new_id()}")) as store:
        yield store


@pytest.fixture
def replay(mongo: Mongo) -> Replay:
    async def watched(_: str, __: Identity | None) -> Video:
        return video(SPANS)

    return Replay(PublicArchive(mongo), watched)


def row(offset: int, seconds: float, mark: str, kind: str = "message", **values: Any) -> Row:
    at = milliseconds(NOON + timedelta(seconds=seconds))
    entry = {"offset": offset, "stream_id": ROOM, "kind": kind, "at": at, "text": f"{offset}"}
    return Row(offset, "e1", msgspec.json.encode(entry | values), mark.encode())


async def keep(mongo: Mongo, *rows: Row) -> None:
    await MongoArchive(mongo).keep([document(ROOM, one) for one in rows])


async def talk(mongo: Mongo) -> None:
    await keep(
        mongo,
        row(1, -5, "ada a"),
        row(2, 1.5, "bob b"),
        row(3, 2, "!", kind="settings"),
        row(4, 9.999, "ada c"),
        row(5, 30, "bob d"),
        row(6, 60, "mo e", kind="announcement"),
        row(7, 71, "ada f"),
        row(8, 79.9, "bob g"),
        row(9, 85, "bob h"),
    )


def shown(page: ReplayPage) -> list[tuple[float, str]]:
    return [(line.at_seconds, line.entry["text"]) for line in page.lines]


async def test_lines_stand_where_they_were_said(mongo: Mongo, replay: Replay) -> None:
    await talk(mongo)
    page = await replay.page("v", None)
    assert shown(page) == [
        (0.0, "1"), (1.5, "2"), (9.999, "4"), (10.04, "5"), (10.04, "6"), (11.04, "7"), (19.94, "8"),
    ]  # fmt: skip
    assert page.next_cursor is None
    assert page.lines[0].entry.keys() == {"offset", "stream_id", "kind", "at", "text"}


@pytest.mark.parametrize(
    ("seconds", "first"),
    [(0, "1"), (0.1, "2"), (1.6, "4"), (10, "5"), (10.04, "5"), (10.05, "7"), (11.1, "8"), (20, "")],
)
async def test_a_seek_finds_what_is_said_from_there_on(
    mongo: Mongo, replay: Replay, seconds: float, first: str
) -> None:
    await talk(mongo)
    found = shown(await replay.page("v", None, seconds))
    assert (found[0][1] if found else "") == first


async def test_pages_follow_each_other_without_a_hole(mongo: Mongo, replay: Replay) -> None:
    await keep(mongo, *(row(number, 1 + number // 4, f"ada {number}") for number in range(1, 26)))
    texts, cursor = [], None
    while True:
        page = await replay.page("v", None, 1.0, cursor, limit=3)
        texts += [text for _, text in shown(page)]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert texts == [str(number) for number in range(1, 26)]


async def test_what_was_removed_later_is_gone_from_the_next_page_asked(mongo: Mongo, replay: Replay) -> None:
    await talk(mongo)
    before = await replay.page("v", None)
    await keep(mongo, row(10, 5000, "!m bob b", kind="moderation"), row(11, 5001, "!u ada", kind="moderation"))
    page = await replay.page("v", None)
    assert [text for _, text in shown(page)] == ["5", "6", "8"]
    assert page.revision > before.revision
    await keep(mongo, row(12, 5002, "bob b", kind="restored", message={"text": "2"}))
    assert [text for _, text in shown(await replay.page("v", None))] == ["2", "5", "6", "8"]
    await keep(mongo, row(13, 5003, "!*", kind="moderation"))
    assert shown(await replay.page("v", None)) == []


async def test_a_page_reads_one_range_of_one_index(mongo: Mongo) -> None:
    await keep(mongo, *(row(number, number, f"ada {number}") for number in range(1, 301)))
    at = milliseconds(NOON + timedelta(seconds=200))
    find = {"find": COLLECTION, "filter": said_query(ROOM, at, at + 50_000), "sort": dict(SAID_ORDER)}
    async with mongo.collection(COLLECTION) as stored:
        plan = await stored.database.command({"explain": find, "verbosity": "executionStats"})
    winning = str(plan["queryPlanner"]["winningPlan"])
    assert "'stream_id_1_at_1_offset_1'" in winning
    assert "COLLSCAN" not in winning
    assert plan["executionStats"]["totalDocsExamined"] == plan["executionStats"]["nReturned"] == 50
