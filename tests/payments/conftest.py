"""What tests of payments share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from tests.payments.till import Till, open_till


@pytest.fixture(scope="session")
def till_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("till") / "keys"


@pytest.fixture
async def till(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Till]:
    async with open_till(till_keys, db, redis) as till:
        yield till
