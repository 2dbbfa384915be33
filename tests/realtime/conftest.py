"""Two nodes on one cluster, as in production but for the shorter clock of the viewer counts."""

from collections.abc import AsyncIterator

import pytest

from infra.bus.port import Bus
from infra.bus.redis_streams import RedisStreamsBus
from infra.clock import new_id
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import Redis, open_redis
from realtime.room.log import RoomLog
from tests.realtime.logs import LOGS, Made, make_log
from tests.realtime.nodes import TestNode, serving


@pytest.fixture
async def bus(redis: Redis) -> AsyncIterator[Bus]:
    bus = RedisStreamsBus(redis, Metrics())
    yield bus
    await bus.close()


@pytest.fixture
async def node(redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[TestNode]:
    async with serving(redis, redis_settings, bus) as one:
        yield one


@pytest.fixture(scope="module")
async def shared_node(redis_settings: RedisSettings) -> AsyncIterator[TestNode]:
    """One node for all tests of a module that leave nothing behind."""
    async with open_redis(redis_settings) as client:
        bus = RedisStreamsBus(client, Metrics())
        async with serving(client, redis_settings, bus) as one:
            yield one
        await bus.close()


@pytest.fixture
async def nodes(redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[list[TestNode]]:
    async with serving(redis, redis_settings, bus) as one, serving(redis, redis_settings, bus) as two:
        yield [one, two]


@pytest.fixture
def stream_id() -> str:
    """A stream that exists."""
    return f"stream-{new_id()}"


@pytest.fixture(params=LOGS)
async def made(request: pytest.FixtureRequest, redis: Redis) -> Made:
    """Each kind of room log in turn."""
    return make_log(request.param, redis)


@pytest.fixture
def log(made: Made) -> RoomLog:
    return made.log
