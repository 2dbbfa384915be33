"""Keep the index of videos as the catalogue is: follow the bus, catch up after an outage, build the whole anew.

An event says what to look at. What cannot be written, because search is away, is noted in MongoDB and written when it
is back, so that no outage, however long, makes a dead letter.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from elasticsearch import NotFoundError
from pymongo import UpdateOne

from infra.bus.port import Bus, Message, Retry, Subscription
from infra.clock import Clock, new_id
from infra.errors import Conflict
from infra.logs import get_logger
from infra.stores.mongo import Mongo
from infra.stores.postgres import Postgres
from infra.stores.search import SearchUnavailable
from media.catalog.model import Video
from media.catalog.repository import VIDEOS, VideoRepository
from media.catalog.search_index import NEXT, IndexMissing, IndexRefused, VideoIndex, name_of_index
from media.events import VideoChanged, VideoDeleted

GROUP = "catalog.search"
PENDING = "search_pending"  # `_id`: of a video; `note`: new each time it is noted
BATCH = 500
ATTEMPTS = 5
TEND_SECONDS = 2.0
GRACE_SECONDS = 2.0  # searches that began in the old index end before it goes
LOCK = 4_150_711_005  # of PostgreSQL's advisory locks: one builder at a time
# MongoDB and search away at once: the bus keeps the event, for half a day.
PATIENCE = Retry(attempts=1500, first_seconds=1.0, longest_seconds=30.0)

KINDS: Mapping[str, type[VideoChanged | VideoDeleted]] = {kind.topic: kind for kind in (VideoChanged, VideoDeleted)}

log = get_logger(__name__)


class AlreadyBuilding(Conflict):
    code = "search.building"
    message = "The index is being built already. Wait until that is done."


class BuildLost(Conflict):
    code = "search.build_lost"
    message = "Another build took over. The index that was there is still in place."


class BuildLock(Protocol):
    """Held by one builder at a time."""

    def __call__(self) -> AbstractAsyncContextManager[bool]: ...


def postgres_lock(db: Postgres) -> BuildLock:
    """A lock of a connection: it ends with the process, however that ends."""

    @asynccontextmanager
    async def held() -> AsyncIterator[bool]:
        async with db.connection() as connection:
            mine = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK))
            try:
                yield mine
            finally:
                if mine and not connection.is_closed():
                    await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)

    return held


class Indexer:
    """The writer of the index. Every method raises `SearchUnavailable` and `MongoUnavailable`."""

    def __init__(self, index: VideoIndex, mongo: Mongo, clock: Clock, lock: BuildLock) -> None:
        self._index = index
        self._mongo = mongo
        self._videos = VideoRepository(mongo)
        self._clock = clock
        self._lock = lock

    # --- what changed

    async def update(self, video_ids: Sequence[str]) -> None:
        """Make search know of these videos as they are now. Raises `IndexMissing`, `IndexRefused`."""
        for _ in range(ATTEMPTS):
            targets = await self._index.targets()  # before the documents are read: see search_index.py
            known = await self._videos.many(video_ids)
            if await self._index.write(targets, {video_id: known.get(video_id) for video_id in video_ids}):
                return
        raise SearchUnavailable

    async def take(self, video_id: str) -> None:
        """One video changed: write it now, or note that it is to be written."""
        try:
            await self.update([video_id])
        except SearchUnavailable as away:
            log.info("search.behind", video_id=video_id, missing=isinstance(away, IndexMissing))
            await self._note(video_id)
        except IndexRefused:
            log.error("search.left_out", video_id=video_id)

    async def _note(self, video_id: str) -> None:
        async with self._mongo.collection(PENDING) as pending:
            await pending.bulk_write([UpdateOne({"_id": video_id}, {"$set": {"note": new_id()}}, upsert=True)])

    async def catch_up(self) -> int:
        """Write what was noted; how many videos that were."""
        done = 0
        while True:
            async with self._mongo.collection(PENDING) as pending:
                waiting = await pending.find({}).limit(BATCH).to_list()
            if not waiting:
                return done
            await self._update_each([row["_id"] for row in waiting])
            async with self._mongo.collection(PENDING) as pending:
                for row in waiting:  # only what was not noted again meanwhile
                    await pending.delete_one(row)
            done += len(waiting)

    async def _update_each(self, video_ids: Sequence[str]) -> None:
        """Together, and one by one if one of them is refused."""
        try:
            await self.update(video_ids)
        except IndexRefused:
            for video_id in video_ids:
                try:
                    await self.update([video_id])
                except IndexRefused:
                    log.error("search.left_out", video_id=video_id)

    # --- everything

    async def tend(self) -> None:
        """What a worker does now and then: build the index when there is none, and catch up."""
        try:
            await self._index.targets()
        except IndexMissing:
            try:
                await self.rebuild()
            except AlreadyBuilding:
                return
        except SearchUnavailable:
            return  # said when an event came; the next round asks again
        if written := await self.catch_up():
            log.info("search.caught_up", videos=written)

    async def rebuild(self, *, grace_seconds: float = GRACE_SECONDS) -> int:
        """A new index in the place of the one there is, which serves until then; how many videos were read.

        Raises `AlreadyBuilding`; `BuildLost` when another builder took over, which needs a lost lock.
        """
        async with self._lock() as mine:
            if not mine:
                raise AlreadyBuilding
            name = name_of_index(self._clock(), new_id()[-12:])
            await self._index.begin(name)
            read = await self._fill()
            try:
                old = await self._index.put_in_place(name)
            except NotFoundError as gone:
                raise BuildLost from gone
            log.info("search.built", index=name, videos=read)
            if old is not None:
                await asyncio.sleep(grace_seconds)
                await self._index.drop(old)
        return read

    async def _fill(self) -> int:
        read = 0
        async for videos in self._all():
            states = {video.id: video for video in videos if video.is_playable}
            if states and not await self._index.write([NEXT], states):
                raise BuildLost
            read += len(videos)
        return read

    async def _all(self) -> AsyncIterator[list[Video]]:
        """Every video there is, by id, a batch at a time."""
        last = ""
        while True:
            async with self._mongo.collection(VIDEOS) as videos:
                found = await videos.find({"_id": {"$gt": last}}).sort("_id", 1).limit(BATCH).to_list()
            if not found:
                return
            last = found[-1]["_id"]
            yield [Video.from_document(document) for document in found]


async def follow_videos(bus: Bus, indexer: Indexer) -> Subscription:
    """Until the subscription is closed; shared among all workers."""

    async def take(message: Message) -> None:
        kind = KINDS.get(message.topic)
        if kind is not None:
            await indexer.take(kind.from_message(message).video_id)

    return await bus.subscribe(GROUP, list(KINDS), take, retry=PATIENCE)
