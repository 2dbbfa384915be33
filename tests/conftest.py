"""The real servers that tests stand on: started when first asked for, on free ports, once for the whole run."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from infra.local.mongo import mongo_part
from infra.local.objects import PORTS as OBJECT_PORTS
from infra.local.objects import objects_part
from infra.local.parts import Part, free_port
from infra.local.postgres import postgres_part
from infra.local.process import start
from infra.local.search import search_part
from infra.local.valkey import form_cluster, valkey_parts
from infra.migrations.runner import migrate
from infra.settings import MongoSettings, ObjectSettings, PostgresSettings, RedisSettings, SearchSettings
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.redis import Redis, open_redis


@asynccontextmanager
async def running(*parts: Part) -> AsyncIterator[None]:
    """Run parts for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        for part in parts:
            child = await start(part)
            stack.push_async_callback(child.stop)
            await child.wait_ready()
        yield


@pytest.fixture(scope="session")
async def postgres_settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresSettings]:
    part, url = postgres_part(tmp_path_factory.mktemp("postgres"), free_port())
    async with running(part):
        yield PostgresSettings(url=url)


@pytest.fixture(scope="session")
async def migrated(postgres_settings: PostgresSettings) -> PostgresSettings:
    async with open_postgres(postgres_settings) as db:
        await migrate(db)
    return postgres_settings


@pytest.fixture
async def db(migrated: PostgresSettings) -> AsyncIterator[Postgres]:
    """The migrated database, emptied of what the test before put in."""
    async with open_postgres(replace(migrated, pool_size=5)) as db:
        async with db.connection() as connection:
            tables = await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'flyway_schema_history'"
            )
            await connection.execute("SET session_replication_role = replica")  # no triggers: one refuses to truncate
            await connection.execute("TRUNCATE " + ", ".join(row["tablename"] for row in tables) + " CASCADE")
            await connection.execute("RESET session_replication_role")
        yield db


@pytest.fixture(scope="session")
async def redis_settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisSettings]:
    """A Valkey cluster of three."""
    ports, bus_ports = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    parts, urls = valkey_parts(tmp_path_factory.mktemp("valkey"), ports, bus_ports)
    async with running(*parts):
        await form_cluster(urls, bus_ports)
        yield RedisSettings(nodes=tuple(urls))


@pytest.fixture
async def redis(redis_settings: RedisSettings) -> AsyncIterator[Redis]:
    """The cluster, emptied of what the test before put in."""
    async with open_redis(redis_settings) as client:
        await client.flushall(target_nodes=Redis.PRIMARIES)
        yield client


@pytest.fixture(scope="session")
async def mongo_settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongoSettings]:
    part, url = mongo_part(tmp_path_factory.mktemp("mongo"), free_port())
    async with running(part):
        yield MongoSettings(url=url)


@pytest.fixture(scope="session")
async def objects_settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ObjectSettings]:
    part, settings = objects_part(tmp_path_factory.mktemp("objects"), [free_port() for _ in range(OBJECT_PORTS)])
    async with running(part):
        yield settings


@pytest.fixture(scope="session")
async def search_settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SearchSettings]:
    part, url = search_part(tmp_path_factory.mktemp("search"), free_port())
    async with running(part):
        yield SearchSettings(url=url, plain_mime=True)
