"""A worker that is killed between any two steps: what was bought is in its room once, or held once, or gone."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from infra.bus.port import Bus
from infra.metrics import Metrics
from infra.outbox import Relay
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.moderation.record import follow_moderation
from tests.payments.market import Market, open_market
from tests.realtime.archives import eventually
from tests.realtime.bought_child import HOLDING, STEPS


@pytest.fixture(scope="session")
def market_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crashes") / "keys"


@pytest.fixture
async def market(market_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(market_keys, db, redis) as market:
        yield market


class Deaths:
    """Runs the child, which dies."""

    def __init__(self, postgres: PostgresSettings, redis: RedisSettings) -> None:
        self._urls = postgres.url, ",".join(redis.nodes)

    async def at(self, step: str, event: msgspec.Struct) -> None:
        body = msgspec.json.encode(event).decode()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.realtime.bought_child", *self._urls, step, type(event).__name__, body
        )
        assert await child.wait() == -signal.SIGKILL


@pytest.fixture
def deaths(migrated: PostgresSettings, redis_settings: RedisSettings) -> Deaths:
    return Deaths(migrated, redis_settings)


async def healed(market: Market, bus: Bus) -> None:
    """What the process wrote into the outbox before it died reaches those who mend."""
    following = await follow_moderation(bus, market.desk.moderation.records)
    await Relay(market.db, bus, market.till.world.outbox, Metrics()).publish_batch()

    async def level() -> bool:
        async with market.db.connection() as connection:
            revision = await connection.fetchval("SELECT revision FROM channels WHERE channel_id = $1", market.cleo.id)
        return (await market.desk.room_log.revision(market.stream_id) or 0) >= (revision or 0)

    await eventually(level)
    await following.close()


@pytest.mark.parametrize("step", STEPS)
async def test_a_message_is_shown_once_and_taken_away_once(market: Market, deaths: Deaths, bus: Bus, step: str) -> None:
    order = await market.pay(await market.say())
    [paid] = await market.told()
    await deaths.at(step, paid)
    await market.deliver(3)
    await healed(market, bus)
    assert [one["id"] for one in await market.shown()] == [order.id]

    await market.refund(order)
    [withdrawn] = [one for one in await market.told() if one is not paid and type(one) is not type(paid)]
    if step in ("decision written", "committed"):
        await deaths.at(step, withdrawn)
    await market.deliver(3)
    await healed(market, bus)
    assert await market.shown() == []
    assert len(await market.shown("moderation")) == 1


@pytest.mark.parametrize("step", HOLDING)
async def test_a_message_is_held_once(market: Market, deaths: Deaths, step: str) -> None:
    await market.settings(paid_messages="held")
    order = await market.pay(await market.say())
    await deaths.at(step, (await market.told())[0])
    await market.deliver(3)
    [held] = await market.desk.holding.list(market.stream_id)
    await market.desk.holding.approve(market.stream_id, market.cleo, held.id)
    await market.deliver(3)
    assert [one["id"] for one in await market.shown()] == [order.id]


@pytest.mark.parametrize("step", ["decision written", "committed"])
async def test_gifts_are_told_once(market: Market, deaths: Deaths, bus: Bus, step: str) -> None:
    order = await market.pay(await market.give(stream_id=market.stream_id))
    await deaths.at(step, (await market.told())[0])
    await market.deliver(3)
    await healed(market, bus)
    assert [one["id"] for one in await market.shown("gift")] == [order.id]
