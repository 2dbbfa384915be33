"""Archivers for tests: in this process, or as a child that may be killed (`python -m tests.realtime.archives`)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pymongo

from infra.clock import new_id
from infra.local.parts import Part
from infra.metrics import Metrics
from infra.settings import MongoSettings, RedisSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.redis import Redis, open_redis
from realtime.archive.archiver import Archiver
from realtime.archive.mongo import COLLECTION, MongoArchive
from realtime.archive.source import RoomSource
from realtime.room.log import Draft, Position, RoomLog
from realtime.room.log_redis import room_functions

LEASE_SECONDS = 0.5


def archiver_of(redis: Redis, mongo: Mongo, *, metrics: Metrics | None = None, batch: int = 500) -> Archiver:
    source = RoomSource(redis, room_functions(redis), lease_seconds=LEASE_SECONDS)
    return Archiver(source, MongoArchive(mongo), metrics or Metrics(), batch=batch)


@asynccontextmanager
async def archiving(archiver: Archiver) -> AsyncIterator[None]:
    """Let it run for as long as the block lasts."""
    task = asyncio.create_task(archiver.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(log: RoomLog, room: str, count: int, *, text: str = "hello") -> list[str]:
    """Say so many things at once, everybody one; the ids under which the archive must have them."""
    body = b'{"stream_id":"%b","kind":"message","text":"%b","at":1}' % (room.encode(), text.encode())
    places = await asyncio.gather(*(log.append(room, Draft(new_id(), new_id(), body)) for _ in range(count)))
    return [archived_id(room, place) for place in places]


async def call_archived(redis: Redis, room: str) -> None:
    """Tell the log that the archive has everything."""
    source = RoomSource(redis, room_functions(redis))
    while (batch := await source.unarchived(room, 500)) and batch.rows:
        await source.archived(room, batch.rows[-1])


def archived_id(room: str, place: Position) -> str:
    return f"{room}:{place.epoch}:{place.offset}"


async def stored(mongo: Mongo) -> list[str]:
    # Two seconds, as in the platform, were not enough on a loaded machine, and how quick it is is not the question.
    with pymongo.timeout(60):
        async with mongo.collection(COLLECTION) as entries:
            return [document["_id"] async for document in entries.find({}, {"_id": 1})]


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # the state is in another process
            await asyncio.sleep(0.05)


async def holds(mongo: Mongo, expected: list[str]) -> None:
    """Wait until the archive has exactly these."""

    async def there() -> bool:
        return len(await stored(mongo)) >= len(expected)

    await eventually(there)
    assert sorted(await stored(mongo)) == sorted(expected)


def archiver_part(folder: Path, redis: RedisSettings, mongo: MongoSettings) -> Part:
    async def at_once() -> bool:
        return True

    return Part(
        name=f"archiver-{folder.name}",
        command=(sys.executable, "-m", "tests.realtime.archives"),
        folder=folder,
        address="",
        ready=at_once,
        environment={
            "TEST_REDIS": ",".join(redis.nodes),
            "TEST_MONGO": mongo.url,
            "TEST_DATABASE": mongo.database,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )


async def main() -> None:
    mongo = MongoSettings(url=os.environ["TEST_MONGO"], database=os.environ["TEST_DATABASE"])
    async with (
        open_redis(RedisSettings(nodes=tuple(os.environ["TEST_REDIS"].split(",")))) as redis,
        open_mongo(mongo) as store,
    ):
        await archiver_of(redis, store, batch=1).run()


if __name__ == "__main__":
    asyncio.run(main())
