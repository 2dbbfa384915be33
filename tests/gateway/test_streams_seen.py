"""What the dashboard of earnings learns of streams from their charts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.streams_seen import ChartedStreams
from infra.clock import new_id
from infra.local.parts import free_port
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.postgres import Postgres
from media.live.samples import Reading
from media.live.timeline import READINGS, Timeline

BEGAN = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(mongo_settings) as mongo:
        async with mongo.collection(READINGS) as readings:
            await readings.delete_many({})
        yield mongo


async def stream(db: Postgres, creator_id: str, began: datetime) -> str:
    stream_id = new_id()
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO users (id, email, display_name, password_hash, created_at, updated_at) "
            "VALUES ($1, $2, 'Ada', 'x', $3, $3) ON CONFLICT DO NOTHING",
            creator_id, f"{creator_id}@example.com", began,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO streams (id, creator_id, playback_id, key_hash, title, latency, status, created_at, "
            "started_at, ended_at) VALUES ($1, $2, $3, $4, 'Sea', 'low', 'ended', $5, $5, $6)",
            stream_id, creator_id, stream_id, stream_id.encode(), began, began + timedelta(hours=1),
        )  # fmt: skip
    return stream_id


def reading(stream_id: str, number: int, viewers: int, entries: int | None) -> Reading:
    return Reading(
        stream_id=stream_id, at=BEGAN + number * timedelta(seconds=10), status="live", viewers=viewers,
        peak=viewers + 2, entries=entries, actions=0, followers=0, bitrate_kbps=None, fps=None,
    )  # fmt: skip


async def test_streams_carry_peak_average_and_what_was_said(db: Postgres, mongo: Mongo) -> None:
    creator_id = new_id()
    first, second = await stream(db, creator_id, BEGAN), await stream(db, creator_id, BEGAN + timedelta(hours=2))
    await stream(db, new_id(), BEGAN)
    await stream(db, creator_id, BEGAN - DAY)
    told = [reading(first, 1, 3, None), reading(first, 2, 6, 0), reading(first, 3, 9, 40)]
    await Timeline(mongo).keep([*told, reading(new_id(), 1, 99, 99)])
    newest, oldest = await ChartedStreams(db, mongo).seen(creator_id, BEGAN, BEGAN + DAY, 10)
    assert (newest.id, newest.peak_viewers, newest.average_viewers, newest.messages) == (second, None, None, None)
    assert (oldest.id, oldest.title) == (first, "Sea")
    assert (oldest.peak_viewers, oldest.average_viewers, oldest.messages) == (11, 6.0, 40)
    assert len(await ChartedStreams(db, mongo).seen(creator_id, BEGAN, BEGAN + DAY, 1)) == 1
    assert await ChartedStreams(db, mongo).seen(new_id(), BEGAN, BEGAN + DAY, 1) == []


async def test_without_charts_the_streams_are_still_there(db: Postgres, mongo_settings: MongoSettings) -> None:
    creator_id = new_id()
    await stream(db, creator_id, BEGAN)
    away = replace(mongo_settings, url=f"mongodb://127.0.0.1:{free_port()}", timeout_seconds=0.3)
    async with open_mongo(away) as mongo:
        (one,) = await ChartedStreams(db, mongo).seen(creator_id, BEGAN, BEGAN + DAY, 10)
    assert (one.title, one.peak_viewers, one.messages) == ("Sea", None, None)
