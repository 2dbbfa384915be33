"""A channel with people, on the real database."""

import pytest

from infra.stores.postgres import Postgres
from realtime.entries import User
from tests.realtime.moderation.stage import Stage


@pytest.fixture
def stage(db: Postgres) -> Stage:
    return Stage(db)


@pytest.fixture
async def cleo(stage: Stage) -> User:
    """Who broadcasts."""
    return await stage.person("Cleo", platform="creator", role="creator")


@pytest.fixture
async def ada(stage: Stage) -> User:
    """Who watches."""
    return await stage.person("Ada")
