"""Uploads on real stores."""

from collections.abc import AsyncIterator

import pytest

from accounts.model import Identity
from infra.settings import MongoSettings, ObjectSettings, VodSettings
from infra.stores.postgres import Postgres
from tests.media.vod.upload_stage import UploadStage, open_stage


@pytest.fixture
async def uploading(
    db: Postgres, mongo_settings: MongoSettings, objects_settings: ObjectSettings
) -> AsyncIterator[UploadStage]:
    """The service of uploads, with nothing in the bucket."""
    async with open_stage(db, mongo_settings, objects_settings, VodSettings()) as stage:
        yield stage


@pytest.fixture
async def mara(uploading: UploadStage) -> Identity:
    """A creator."""
    return await uploading.person()
