"""Who likes what: one document for each person and video, and a number in the video that is counted from them.

A like stands first as `counted: false`. Then its video's likes are counted, the number is written, and counted again:
whoever writes last has seen all. What a crash left uncounted is counted by the sweeper, and so are the likes of a video
that has very many: counting takes 1 ms for some 2,000.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from infra.clock import Clock, new_id
from infra.stores.mongo import Mongo
from media.catalog.model import Video
from media.catalog.repository import Indexes
from media.catalog.videos import Catalogue

LIKES = "video_likes"
INDEXES: Indexes = (
    ([("video_id", 1), ("gone", 1)], {}),
    ([("counted", 1), ("at", 1)], {"partialFilterExpression": {"counted": False}}),
    ([("video_id", 1), ("counted", 1)], {"partialFilterExpression": {"counted": False}}),
)
MANY = 10_000
PATIENCE = timedelta(seconds=2)  # who liked is long done counting, or gone
BATCH = 500


class Likes:
    """Every method raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo, catalogue: Catalogue, clock: Clock) -> None:
        self._mongo = mongo
        self._catalogue = catalogue
        self._clock = clock

    async def like(self, user_id: str, video: Video) -> int:
        """Again is fine; returns how many like it now."""
        key = _key(user_id, video.id)
        fields = {"user_id": user_id, "video_id": video.id, "gone": False, **self._uncounted()}
        async with self._mongo.collection(LIKES) as likes:
            try:
                await likes.insert_one({"_id": key, **fields})
            except DuplicateKeyError:
                changed = await likes.update_one({"_id": key, "gone": True}, {"$set": fields})
                if not changed.modified_count:
                    return (await self._catalogue.get(video.id)).like_count
        return await self._changed(video, 1)

    async def unlike(self, user_id: str, video: Video) -> int:
        """Not to like it is fine too; returns how many like it now."""
        fields = {"gone": True, **self._uncounted()}
        async with self._mongo.collection(LIKES) as likes:
            changed = await likes.update_one({"_id": _key(user_id, video.id), "gone": False}, {"$set": fields})
        if not changed.modified_count:
            return (await self._catalogue.get(video.id)).like_count
        return await self._changed(video, -1)

    async def of(self, user_id: str, video_ids: Sequence[str]) -> set[str]:
        """Which of these they like."""
        wanted = {"_id": {"$in": [_key(user_id, video_id) for video_id in video_ids]}}
        async with self._mongo.collection(LIKES) as likes:
            documents = await likes.find(wanted).to_list()
        return {document["video_id"] for document in documents if not document["gone"]}

    async def count(self, video_id: str) -> int:
        """Count them and write the number into the video; raises `VideoNotFound`."""
        changes = await self._waiting(video_id)
        written = None
        while (found := await self._number(video_id)) != written:
            await self._catalogue.liked(video_id, found)
            written = found
        await self._settle(changes)
        return found

    async def sweep(self) -> int:
        """Count what waits for longer than `PATIENCE`; of how many videos that was."""
        before = self._clock() - PATIENCE
        async with self._mongo.collection(LIKES) as likes:
            waiting = likes.find({"counted": False, "at": {"$lt": before}}, {"video_id": 1})
            documents = await waiting.sort([("at", 1)]).limit(BATCH).to_list()
        video_ids = {document["video_id"] for document in documents}
        known = {video.id for video in await self._catalogue.many(list(video_ids))}
        for video_id in video_ids:
            if video_id in known:
                await self.count(video_id)
            else:
                await self.forget_video(video_id)
        return len(video_ids)

    async def forget_video(self, video_id: str) -> None:
        """Nobody likes it: it is being deleted."""
        async with self._mongo.collection(LIKES) as likes:
            await likes.delete_many({"video_id": video_id})

    async def _changed(self, video: Video, difference: int) -> int:
        if video.like_count >= MANY:
            return video.like_count + difference
        return await self.count(video.id)

    async def _number(self, video_id: str) -> int:
        async with self._mongo.collection(LIKES) as likes:
            return await likes.count_documents({"video_id": video_id, "gone": False})

    async def _waiting(self, video_id: str) -> dict[str, str]:
        """The changes that nobody has counted, by the ids of their documents."""
        async with self._mongo.collection(LIKES) as likes:
            documents = await likes.find({"video_id": video_id, "counted": False}).limit(BATCH).to_list()
        return {document["_id"]: document["change"] for document in documents}

    async def _settle(self, changes: Mapping[str, str]) -> None:
        """These are counted, unless they were changed again."""
        counted = {"_id": {"$in": list(changes)}, "change": {"$in": list(changes.values())}}
        async with self._mongo.collection(LIKES) as likes:
            await likes.delete_many({**counted, "gone": True})
            await likes.update_many(counted, {"$set": {"counted": True}})

    def _uncounted(self) -> dict[str, Any]:
        return {"counted": False, "at": self._clock(), "change": new_id()}


def _key(user_id: str, video_id: str) -> str:
    return f"{video_id}/{user_id}"
