"""The stores answer, and say so in our own words when they do not."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from botocore.exceptions import ClientError
from elasticsearch import NotFoundError
from pymongo.errors import DuplicateKeyError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from infra.errors import Invalid
from infra.local.parts import free_port
from infra.settings import MongoSettings, ObjectSettings, PostgresSettings, RedisSettings, SearchSettings
from infra.stores.mongo import Mongo, MongoUnavailable, open_mongo
from infra.stores.objects import THREADS, WAITING, NoSuchObject, Objects, ObjectsUnavailable, open_objects
from infra.stores.postgres import Postgres, PostgresUnavailable, open_postgres
from infra.stores.redis import (
    CALLS_AT_ONCE,
    Functions,
    Redis,
    RedisUnavailable,
    asked,
    connection_options,
    open_redis,
    ping_redis,
)
from infra.stores.search import Search, SearchUnavailable, open_search, plain_mime
from tests.servers import valkey_cluster


async def test_postgres_answers(db: Postgres) -> None:
    await db.ping()


async def test_a_transaction_that_raises_changes_nothing(db: Postgres) -> None:
    with pytest.raises(RuntimeError):
        async with db.transaction() as connection:
            await connection.execute("CREATE TABLE never (id int)")
            raise RuntimeError
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('never')") is None


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT $1::text", "a\0b"),
        ("SELECT $1::jsonb", '"\\u0000"'),
        ("SELECT $1::bigint", 2**63),
        ("SELECT $1::timestamptz", datetime.fromisoformat("0001-01-01T00:00:00+23:59")),
    ],
)
async def test_what_no_column_takes_is_invalid_and_leaves_the_connection_whole(
    db: Postgres, query: str, value: object
) -> None:
    with pytest.raises(Invalid):
        async with db.transaction() as connection:
            await connection.fetchval(query, value)
    await db.ping()


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(PostgresUnavailable):
        async with open_postgres(PostgresSettings(url=f"postgresql://x@127.0.0.1:{free_port()}/x")):
            pass


async def test_the_cluster_answers_on_every_shard(redis: Redis) -> None:
    await ping_redis(redis)
    for number in range(50):
        await redis.set(f"key-{number}", number)
    assert [await redis.get(f"key-{number}") for number in range(50)] == [b"%d" % number for number in range(50)]


async def test_a_function_library_reaches_every_shard_that_is_asked(redis: Redis) -> None:
    functions = Functions(
        redis, "#!lua name=t\nserver.register_function('echo_key', function(keys) return keys[1] end)"
    )
    for key in ("a", "b", "c", "{room:1}x"):
        assert await functions.call("echo_key", [key], []) == key.encode()


async def test_a_new_release_of_a_library_is_used_beside_the_old_one(redis: Redis) -> None:
    source = "#!lua name=release\nredis.register_function('which', function() return %d end)\n"
    old, new = Functions(redis, source % 1), Functions(redis, source % 2)
    assert [await library.call("which", ["key"], []) for library in (old, new, old)] == [1, 2, 1]


async def test_a_shard_that_hangs_keeps_no_calls_from_the_others(tmp_path: Path) -> None:
    async with valkey_cluster(tmp_path) as (settings, shards), open_redis(settings) as client:
        functions = Functions(client, "#!lua name=e\nserver.register_function('echo', function() return 1 end)")
        for key in ("a", "b", "c"):
            await functions.call("echo", [key], [])
        hung = client.get_node_from_key("a")
        assert hung is not None
        well = next(key for key in ("b", "c") if client.get_node_from_key(key) is not hung)
        victim = next(shard for shard in shards if shard.part.address.endswith(f":{hung.port}"))
        victim.send(signal.SIGSTOP)
        waiting = [asyncio.create_task(functions.call("echo", ["a"], [])) for _ in range(2 * CALLS_AT_ONCE)]
        try:
            await asyncio.sleep(0)
            assert await functions.call("echo", [well], []) == 1
            assert not any(task.done() for task in waiting)
        finally:
            victim.send(signal.SIGCONT)
            await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(
    "failure",
    [
        AttributeError("'NoneType' object has no attribute 'writelines'"),
        RedisConnectionError("reset"),
        ReadOnlyError("You can't write against a read only replica."),
        OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
    ],
)
async def test_a_command_that_cannot_be_run_is_unavailable(failure: Exception) -> None:
    async def fail() -> None:
        raise failure

    with pytest.raises(RedisUnavailable):
        await asked(fail)


async def test_a_connection_that_was_closed_under_a_command_is_not_noticed() -> None:
    failures = [AttributeError("'NoneType' object has no attribute 'writelines'")]

    async def fail_once() -> str:
        if failures:
            raise failures.pop()
        return "answer"

    assert await asked(fail_once) == "answer"


def test_user_and_password_are_taken_out_of_their_address() -> None:
    options = connection_options(RedisSettings(nodes=("redis://a%2Fb:p%40ss@127.0.0.1:1",)))
    assert (options["username"], options["password"]) == ("a/b", "p@ss")


async def test_what_goes_wrong_beside_an_open_cluster_is_not_blamed_on_it(redis_settings: RedisSettings) -> None:
    with pytest.raises(OSError, match="port"):
        async with open_redis(redis_settings):
            raise OSError("the port is taken")


async def test_a_cluster_that_is_not_there_is_unavailable(redis_settings: RedisSettings) -> None:
    with pytest.raises(RedisUnavailable):
        async with open_redis(replace(redis_settings, nodes=(f"redis://127.0.0.1:{free_port()}",))):
            pass


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(mongo_settings) as store:
        yield store


async def test_mongo_keeps_a_document_and_its_time_zone(mongo: Mongo) -> None:
    await mongo.ping()
    async with mongo.collection("videos") as videos:
        await videos.replace_one({"_id": 1}, {"title": "First"}, upsert=True)
        assert (await videos.find_one({"_id": 1})) == {"_id": 1, "title": "First"}


async def test_mongo_leaves_a_duplicate_key_to_the_caller(mongo: Mongo) -> None:
    with pytest.raises(DuplicateKeyError):
        async with mongo.collection("twice") as twice:
            await twice.delete_many({})
            await twice.insert_one({"_id": 1})
            await twice.insert_one({"_id": 1})


async def test_analytics_reads_go_where_the_setting_says(mongo_settings: MongoSettings) -> None:
    async with (
        open_mongo(replace(mongo_settings, read_preference="secondaryPreferred")) as store,
        store.analytics("views") as views,
        store.collection("views") as exact,
    ):
        assert views.read_preference.mongos_mode == "secondaryPreferred"
        assert exact.read_preference.mongos_mode == "primary"
        assert (views.write_concern.document, views.read_concern.level) == ({"w": "majority", "j": True}, "majority")
        assert await views.count_documents({}) == 0


async def test_a_mongo_that_is_not_there_is_unavailable() -> None:
    settings = MongoSettings(url=f"mongodb://127.0.0.1:{free_port()}", timeout_seconds=0.3)
    async with open_mongo(settings) as store:
        with pytest.raises(MongoUnavailable):
            await store.ping()
        with pytest.raises(MongoUnavailable):
            async with store.collection("videos") as videos:
                await videos.find_one({})


@pytest.fixture
async def objects(objects_settings: ObjectSettings) -> AsyncIterator[Objects]:
    async with open_objects(objects_settings) as store:
        yield store


async def test_the_bucket_is_made_once_and_keeps_files(objects: Objects, objects_settings: ObjectSettings) -> None:
    await objects.call("put_object", Key="a/b", Body=b"hello")
    async with open_objects(objects_settings) as again:
        assert await again.read("a/b") == b"hello"
        await again.ping()


async def test_a_file_that_is_not_there_is_not_found(objects: Objects) -> None:
    with pytest.raises(NoSuchObject):
        await objects.read("nothing")
    with pytest.raises(NoSuchObject):
        await objects.call("head_object", Key="nothing")


async def test_a_presigned_address_opens_one_file_to_anybody_and_nothing_else(objects: Objects) -> None:
    await objects.call("put_object", Key="shared", Body=b"for all")
    url = objects.presigned("get_object", 60, Key="shared")
    async with aiohttp.ClientSession() as anybody:
        async with anybody.get(url) as answer:
            assert (answer.status, await answer.read()) == (200, b"for all")
        async with anybody.get(url.replace("/shared", "/a/b")) as answer:
            assert answer.status == 403
        async with anybody.get(url.split("?", 1)[0]) as answer:
            assert answer.status == 403


async def test_an_upload_form_refuses_a_file_that_is_too_large(objects: Objects) -> None:
    async def upload(body: bytes) -> int:
        form = objects.presigned_form("uploaded", 60, largest_bytes=10, content_type="text/plain")
        data = aiohttp.FormData(form["fields"])
        data.add_field("file", body, filename="file")
        async with aiohttp.ClientSession() as browser, browser.post(form["url"], data=data) as answer:
            return answer.status

    assert await upload(b"short") == 204
    assert await upload(b"much too long") == 400
    assert await objects.read("uploaded") == b"short"


async def test_a_wrong_secret_is_the_callers_mistake(objects_settings: ObjectSettings) -> None:
    with pytest.raises(ClientError, match="403"):
        async with open_objects(replace(objects_settings, secret_key="wrong")):
            pass


async def test_a_storage_that_is_not_there_is_unavailable_but_does_not_stop_the_start() -> None:
    settings = ObjectSettings(endpoint=f"http://127.0.0.1:{free_port()}", access_key="a", secret_key="b")
    async with open_objects(settings) as store:
        with pytest.raises(ObjectsUnavailable):
            await store.ping()


async def test_more_calls_than_can_wait_are_refused_at_once(objects: Objects) -> None:
    calls = (objects.call("head_bucket") for _ in range(THREADS + WAITING + 5))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, ObjectsUnavailable) for result in results) == 5


@pytest.fixture
async def search(search_settings: SearchSettings) -> AsyncIterator[Search]:
    async with open_search(search_settings) as store:
        yield store


async def test_search_finds_what_was_indexed(search: Search) -> None:
    await search.ping()
    async with search.client() as elastic:
        await elastic.index(index="dogs", id="1", document={"title": "Running dogs"}, refresh=True)
        found = await elastic.search(index="dogs", query={"match": {"title": "dogs"}})
        assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]


async def test_search_leaves_a_missing_index_to_the_caller(search: Search) -> None:
    with pytest.raises(NotFoundError):
        async with search.client() as elastic:
            await elastic.search(index="nothing")


async def test_a_search_server_that_is_not_there_is_unavailable() -> None:
    async with open_search(SearchSettings(url=f"http://127.0.0.1:{free_port()}")) as store:
        with pytest.raises(SearchUnavailable):
            await store.ping()


def test_only_the_vendor_mime_type_is_rewritten() -> None:
    assert plain_mime("application/vnd.elasticsearch+x-ndjson; compatible-with=9") == "application/x-ndjson"
    assert plain_mime("gzip, deflate") == "gzip, deflate"
