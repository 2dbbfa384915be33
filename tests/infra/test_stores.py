"""The stores answer, and say so in our own words when they do not."""

from dataclasses import replace

import pytest

from infra.local.parts import free_port
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import Postgres, PostgresUnavailable, open_postgres
from infra.stores.redis import Redis, RedisUnavailable, load_functions, open_redis, ping_redis


async def test_postgres_answers(db: Postgres) -> None:
    await db.ping()


async def test_a_transaction_that_raises_changes_nothing(db: Postgres) -> None:
    with pytest.raises(RuntimeError):
        async with db.transaction() as connection:
            await connection.execute("CREATE TABLE never (id int)")
            raise RuntimeError
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('never')") is None


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(PostgresUnavailable):
        async with open_postgres(PostgresSettings(url=f"postgresql://x@127.0.0.1:{free_port()}/x")):
            pass


async def test_the_cluster_answers_on_every_shard(redis: Redis) -> None:
    await ping_redis(redis)
    for number in range(50):
        await redis.set(f"key-{number}", number)
    assert [int(await redis.get(f"key-{number}")) for number in range(50)] == list(range(50))


async def test_a_function_library_reaches_every_shard(redis: Redis) -> None:
    source = "#!lua name=t\nserver.register_function('echo_key', function(keys) return keys[1] end)"
    await load_functions(redis, source)
    for key in ("a", "b", "c", "{room:1}x"):
        assert await redis.fcall("echo_key", 1, key) == key.encode()


async def test_a_cluster_that_is_not_there_is_unavailable(redis_settings: RedisSettings) -> None:
    with pytest.raises(RedisUnavailable):
        async with open_redis(replace(redis_settings, nodes=(f"redis://127.0.0.1:{free_port()}",))):
            pass
