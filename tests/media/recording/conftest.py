"""Uploads as they are, below recordings of live streams."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.settings import MongoSettings, ObjectSettings, PostgresSettings, RedisSettings, VodSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.recording import uploader
from tests.media.recording.stage import RecordingStage
from tests.media.vod.upload_stage import open_stage


@pytest.fixture
async def stage(
    db: Postgres,
    redis: Redis,
    mongo_settings: MongoSettings,
    objects_settings: ObjectSettings,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RecordingStage]:
    """With short pieces, so that a few seconds make several."""
    monkeypatch.setattr(uploader, "PIECE_SECONDS", 2.0)
    monkeypatch.setattr(uploader, "LOOK_SECONDS", 0.2)
    async with open_stage(db, mongo_settings, objects_settings, VodSettings()) as uploading:
        yield RecordingStage(uploading, redis, tmp_path / "spool", postgres_settings.url, redis_settings.nodes)
