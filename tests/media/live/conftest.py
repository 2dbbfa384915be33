"""A fresh world for each test."""

import pytest

from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.live.health import HealthReports
from tests.media.live.world import World


@pytest.fixture
async def world(db: Postgres, redis: Redis) -> World:
    return World(db, HealthReports(redis, playable_seconds=120))
