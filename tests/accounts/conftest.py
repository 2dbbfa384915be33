"""The accounts of a fresh installation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from tests.accounts.world import World, open_world


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accounts") / "keys"


@pytest.fixture
async def world(keys_folder: Path, db: Postgres, redis: Redis) -> AsyncIterator[World]:
    async with open_world(keys_folder, db, redis) as world:
        yield world
