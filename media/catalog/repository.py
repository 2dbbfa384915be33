"""Videos in MongoDB: one conditional update for each change, and an index for each question.

Every update is a pipeline whose last stage counts `revision` up, forgets `announced` and derives `listed` from the
document as it will stand. So no two changes can disagree about it, and lists need no more than an index.
`listed`, `named_at` and `poster` stand in documents only: they are ours, not part of a `Video`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from infra.stores.mongo import Mongo
from media.catalog.model import Video, VideoStatus

VIDEOS = "videos"
Filter = Mapping[str, Any]
Place = tuple[datetime, str]  # where a list goes on: the moment it is ordered by, and the id

INDEXES: tuple[tuple[list[tuple[str, int]], dict[str, Any]], ...] = (
    ([("listed", 1), ("published_at", -1), ("_id", -1)], {}),
    ([("creator_id", 1), ("listed", 1), ("published_at", -1), ("_id", -1)], {}),
    ([("creator_id", 1), ("created_at", -1), ("_id", -1)], {}),
    ([("creator_id", 1), ("status", 1), ("created_at", -1), ("_id", -1)], {}),
    ([("announced", 1), ("updated_at", 1)], {}),
    ([("status", 1), ("updated_at", 1)], {}),
)

# `Video.is_listed`, in MongoDB's words.
LISTED = {
    "$and": [
        {"$in": ["$status", ["processing", "ready"]]},
        {"$in": ["$visibility", ["public", "premium"]]},
        {"$ne": ["$build", None]},
    ]
}
ALIVE: Filter = {"$ne": "deleting"}


def literal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a pipeline as they are: without this, a title of "$description" would be the description."""
    return {name: {"$literal": value} for name, value in values.items()}


class VideoRepository:
    """Every method raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def make_indexes(self) -> None:
        """Again is fine."""
        async with self._mongo.collection(VIDEOS) as videos:
            for keys, options in INDEXES:
                await videos.create_index(keys, **options)

    async def insert(self, video: Video) -> bool:
        """False when there is one of this id."""
        document = video.to_document() | {"listed": video.is_listed, "named_at": video.created_at}
        try:
            async with self._mongo.collection(VIDEOS) as videos:
                await videos.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def get(self, video_id: str) -> Video | None:
        """Also one that is being deleted."""
        async with self._mongo.collection(VIDEOS) as videos:
            document = await videos.find_one({"_id": video_id})
        return Video.from_document(document) if document else None

    async def many(self, video_ids: Sequence[str]) -> dict[str, Video]:
        """By id; without those that are not there or are being deleted."""
        found = await self._find({"_id": {"$in": list(video_ids)}, "status": ALIVE}, None, len(video_ids))
        return {video.id: video for video in found}

    async def change(self, video_id: str, when: Filter, fields: Mapping[str, Any], now: datetime) -> Video | None:
        """Set fields (expressions of a pipeline) if the document is as said; the new one, or None."""
        last = {
            "revision": {"$add": ["$revision", 1]},
            "announced": False,
            "updated_at": now,
            "listed": LISTED,
        }
        async with self._mongo.collection(VIDEOS) as videos:
            document = await videos.find_one_and_update(
                {"_id": video_id, **when},
                [{"$set": dict(fields)}, {"$set": last}],
                return_document=ReturnDocument.AFTER,
            )
        return Video.from_document(document) if document else None

    async def rename(self, creator_id: str, name: str, at: datetime, now: datetime) -> int:
        """Give all videos of a creator the name they have since `at`; how many had another."""
        async with self._mongo.collection(VIDEOS) as videos:
            result = await videos.update_many(
                {"creator_id": creator_id, "creator_name": {"$ne": name}, "named_at": {"$lt": at}, "status": ALIVE},
                {
                    "$set": {"creator_name": name, "named_at": at, "announced": False, "updated_at": now},
                    "$inc": {"revision": 1},
                },
            )
        return result.modified_count

    async def mark_announced(self, video_id: str, revision: int) -> None:
        """Unless it has changed again."""
        async with self._mongo.collection(VIDEOS) as videos:
            await videos.update_one({"_id": video_id, "revision": revision}, {"$set": {"announced": True}})

    async def unannounced(self, before: datetime, limit: int) -> list[Video]:
        """The longest waiting first."""
        return await self._find({"announced": False, "updated_at": {"$lt": before}}, [("updated_at", 1)], limit)

    async def deleting(self, before: datetime, limit: int) -> list[Video]:
        """Whose deletion began before that moment, the oldest first."""
        return await self._find({"status": "deleting", "updated_at": {"$lt": before}}, [("updated_at", 1)], limit)

    async def remove(self, video_id: str) -> None:
        """The document, if it is being deleted."""
        async with self._mongo.collection(VIDEOS) as videos:
            await videos.delete_one({"_id": video_id, "status": "deleting"})

    async def listed(self, creator_id: str | None, after: Place | None, limit: int) -> list[Video]:
        """What everybody finds, newest first."""
        wanted = {"creator_id": creator_id} if creator_id else {}
        return await self._page({**wanted, "listed": True}, "published_at", after, limit)

    async def count_listed(self, creator_id: str) -> int:
        async with self._mongo.collection(VIDEOS) as videos:
            return await videos.count_documents({"creator_id": creator_id, "listed": True})

    async def of_creator(
        self, creator_id: str, status: VideoStatus | None, after: Place | None, limit: int
    ) -> list[Video]:
        """All of a creator's, newest first."""
        return await self._page({"creator_id": creator_id, "status": status or ALIVE}, "created_at", after, limit)

    async def _page(self, wanted: Filter, order: str, after: Place | None, limit: int) -> list[Video]:
        if after is not None:
            moment, video_id = after
            # The first condition bounds the index; the second leaves out those of the same moment that were shown.
            later = [{order: {"$lt": moment}}, {"_id": {"$lt": video_id}}]
            wanted = {**wanted, order: {"$lte": moment}, "$or": later}
        return await self._find(wanted, [(order, -1), ("_id", -1)], limit)

    async def _find(self, wanted: Filter, order: list[tuple[str, int]] | None, limit: int) -> list[Video]:
        if not limit:  # MongoDB takes 0 for no limit
            return []
        async with self._mongo.collection(VIDEOS) as videos:
            cursor = videos.find(wanted).limit(limit)
            documents = await (cursor.sort(order) if order else cursor).to_list()
        return [Video.from_document(document) for document in documents]
