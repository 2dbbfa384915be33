"""Rates are exact, however many processes count them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.model import Identity
from gateway.asgi import Receive, Scope, Send
from gateway.auth import RateLimit
from gateway.limits import Limits, RateExceeded
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import Redis, open_redis
from tests.servers import valkey_cluster


def limits(redis: Redis, *, per_user: int = 5, per_address: int = 20) -> Limits:
    return Limits(redis, per_user=per_user, per_address=per_address, metrics=Metrics())


async def admitted(limits: Limits, address: str, user: str | None) -> bool:
    try:
        return await limits.take(address, user) is not None
    except RateExceeded:
        return False


async def test_three_processes_together_admit_exactly_the_limit(redis: Redis, redis_settings: RedisSettings) -> None:
    async with open_redis(redis_settings) as second, open_redis(redis_settings) as third:
        counters = [limits(client) for client in (redis, second, third)]
        answers = await asyncio.gather(*(admitted(counters[n % 3], "198.51.100.7", None) for n in range(90)))
    assert sum(answers) == 20


async def test_a_user_is_counted_over_all_addresses(redis: Redis) -> None:
    counter = limits(redis)
    answers = [await admitted(counter, f"198.51.100.{n}", "ada") for n in range(9)]
    assert answers == [True] * 5 + [False] * 4


async def test_another_user_behind_the_same_address_still_comes_in(redis: Redis) -> None:
    counter = limits(redis)
    for _ in range(5):
        await counter.take("198.51.100.1", "ada")
    assert await admitted(counter, "198.51.100.1", "grace")


async def test_the_tightest_limit_is_told(redis: Redis) -> None:
    counter = limits(redis)
    allowance = await counter.take("198.51.100.1", "ada")
    assert allowance is not None
    assert (allowance.limit, allowance.remaining) == (5, 4)
    assert 0 < allowance.reset_ms <= 60_000


async def test_pictures_of_emotes_count_for_the_address_alone(redis: Redis) -> None:
    answered: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answered.append(scope["path"])

    async def get(path: str) -> None:
        state = {"address": "198.51.100.1", "identity": who}
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "state": state}
        await door(scope, nothing, ignore)

    async def nothing() -> Any:
        raise AssertionError

    async def ignore(_: Any) -> None:
        return None

    who = Identity(
        user_id="ada",
        display_name="Ada",
        role="free",
        subscription_tier="free",
        session_id="s",
        expires_at=datetime.now(UTC),
    )
    door = RateLimit(app, limits(redis, per_user=2, per_address=6))
    for _ in range(4):
        await get("/api/v1/channels/c-1/emotes/wave/image")
    for _ in range(3):
        await get("/api/v1/streams")
    await get("/api/v1/channels/c-1/emotes/wave/image")
    assert answered == ["/api/v1/channels/c-1/emotes/wave/image"] * 4 + ["/api/v1/streams"] * 2


async def test_a_refusal_says_when_to_come_back(redis: Redis) -> None:
    counter = limits(redis, per_user=1)
    await counter.take("198.51.100.1", "ada")
    with pytest.raises(RateExceeded) as refused:
        await counter.take("198.51.100.1", "ada")
    assert 0 < refused.value.details["retry_after_ms"] <= 60_000


async def test_a_shard_that_forgot_the_function_learns_it_again(redis: Redis) -> None:
    counter = limits(redis)
    await counter.take("198.51.100.1", None)
    await redis.execute_command("FUNCTION FLUSH", target_nodes=Redis.PRIMARIES)
    assert await admitted(counter, "198.51.100.1", None)


async def test_without_redis_requests_are_let_through_and_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    async with valkey_cluster(tmp_path) as (settings, nodes), open_redis(settings) as client:
        counter = Limits(client, per_user=1, per_address=1, metrics=metrics)
        assert await counter.take("198.51.100.1", None) is not None
        for node in nodes:
            await node.stop()
        assert await counter.take("198.51.100.1", None) is None
    assert metrics.registry.get_sample_value("footlight_limits_skipped_total") == 1
