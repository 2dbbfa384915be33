"""`footlight reindex`: what an operator sees, on real stores."""

import argparse

import pytest

from gateway.commands.reindex import run
from infra.clock import new_id, system_clock
from infra.settings import MongoSettings, PostgresSettings, SearchSettings, Settings
from infra.stores.mongo import open_mongo
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.search import open_search
from media.catalog.indexer import AlreadyBuilding, postgres_lock
from media.catalog.model import Video
from media.catalog.repository import VIDEOS
from media.catalog.search_index import ALIAS, VideoIndex


@pytest.fixture
async def settings(
    db: Postgres, migrated: PostgresSettings, mongo_settings: MongoSettings, search_settings: SearchSettings
) -> Settings:
    """With one video in the catalogue."""
    now = system_clock()
    video = Video(id=new_id(), creator_id=new_id(), creator_name="Mara", title="Waves", created_at=now, updated_at=now)
    async with open_mongo(mongo_settings) as mongo, mongo.collection(VIDEOS) as videos:
        await videos.delete_many({})
        await videos.insert_one(video.to_document())
    return Settings(postgres=migrated, mongo=mongo_settings, search=search_settings)


async def test_it_builds_says_so_and_may_be_run_again(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_search(settings.search) as search:
        names = []
        for _ in range(2):
            assert await run(argparse.Namespace(), settings) == 0
            assert "read 1 videos; the new index is in place" in capsys.readouterr().out
            names.append((await VideoIndex(search).aliases())[ALIAS])
        assert names[0] != names[1]


async def test_it_refuses_while_another_builds(settings: Settings) -> None:
    async with open_postgres(settings.postgres) as db, postgres_lock(db)():
        with pytest.raises(AlreadyBuilding):
            await run(argparse.Namespace(), settings)
