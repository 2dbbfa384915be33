"""Videos in MongoDB: one conditional update for each change, and an index for each question.

Every update is a pipeline whose last stage counts `revision` up, forgets `announced` and derives `shelf` from the
document as it will stand: its place in the lists, `<published at>/<id>`, or null when it is in none. So no two changes
can disagree about it, and a page of a list is one range of one index.
`shelf`, `named_at`, `poster` and `poster_shown` stand in documents only: they are ours, not part of a `Video`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from infra.stores.mongo import Mongo
from media.catalog.model import Video, VideoStatus

VIDEOS = "videos"
Filter = Mapping[str, Any]
Order = list[tuple[str, int]]
Indexes = tuple[tuple[Order, dict[str, Any]], ...]
NEWEST, LATEST = "\U0010ffff", "ffffffff-"  # above every shelf, above every id

# Equalities first, then what is ordered by: so MongoDB reads a page in its order and sorts nothing.
INDEXES: Indexes = (
    ([("shelf", -1)], {}),
    ([("creator_id", 1), ("shelf", -1)], {}),
    ([("creator_id", 1), ("_id", -1)], {}),
    ([("creator_id", 1), ("status", 1), ("_id", -1)], {}),
    ([("announced", 1), ("updated_at", 1)], {"partialFilterExpression": {"announced": False}}),
    ([("status", 1), ("updated_at", 1)], {"partialFilterExpression": {"status": "deleting"}}),
)

# `shelf_of`, in MongoDB's words.
IS_LISTED = {
    "$and": [
        {"$in": ["$status", ["processing", "ready"]]},
        {"$in": ["$visibility", ["public", "premium"]]},
        {"$ne": ["$build", None]},
    ]
}
PUBLISHED = {"$dateToString": {"date": "$published_at", "format": "%Y-%m-%dT%H:%M:%S.%LZ"}}
SHELF = {"$cond": [IS_LISTED, {"$concat": [PUBLISHED, "/", "$_id"]}, None]}
# Of the document as it stood: the poster that others could see, until it is hidden (`hiding.py`).
POSTER = {"$first": {"$ifNull": ["$metadata.thumbnails", []]}}
POSTER_SHOWN = {"$cond": [{"$ne": ["$visibility", "private"]}, POSTER, "$poster_shown"]}
ALIVE: Filter = {"$ne": "deleting"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, in which order."""

    wanted: Filter
    order: Order


def listed(creator_id: str | None, below: str) -> Question:
    """What everybody finds (of one creator), newest first, on shelves below that one."""
    wanted = {"creator_id": creator_id} if creator_id else {}
    return Question({**wanted, "shelf": {"$lt": below}}, [("shelf", -1)])


def of_creator(creator_id: str, status: VideoStatus | None, below: str) -> Question:
    """All of a creator's with ids below that one, newest first: ids sort by birth."""
    wanted = {"status": status} if status else {}
    return Question({"creator_id": creator_id, **wanted, "_id": {"$lt": below}}, [("_id", -1)])


def unannounced(before: datetime) -> Question:
    """What changed before that moment and nobody heard of, the longest waiting first."""
    return Question({"announced": False, "updated_at": {"$lt": before}}, [("updated_at", 1)])


def deleting(before: datetime) -> Question:
    """Whose deletion began before that moment, the oldest first."""
    return Question({"status": "deleting", "updated_at": {"$lt": before}}, [("updated_at", 1)])


def shelf_of(video: Video) -> str | None:
    """Its place in the lists; None when it is in none."""
    at = video.published_at
    return None if at is None or not video.is_listed else in_order(at, video.id)


def in_order(at: datetime, video_id: str) -> str:
    """Sorts by the moment (in UTC, as exact as MongoDB keeps it), and among those of one moment by the id."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z/{video_id}"


def literal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a pipeline as they are: without this, a title of "$description" would be the description."""
    return {name: {"$literal": value} for name, value in values.items()}


class VideoRepository:
    """Every method raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def insert(self, video: Video) -> bool:
        """False when there is one of this id."""
        document = video.to_document() | {"shelf": shelf_of(video), "named_at": video.created_at}
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
        async with self._mongo.collection(VIDEOS) as videos:
            documents = await videos.find({"_id": {"$in": list(video_ids)}}).to_list()
        found = map(Video.from_document, documents)
        return {video.id: video for video in found if video.status != "deleting"}

    async def change(self, video_id: str, when: Filter, fields: Mapping[str, Any], now: datetime) -> Video | None:
        """Set fields (expressions of a pipeline) if the document is as said; the new one, or None."""
        last = {
            "revision": {"$add": ["$revision", 1]},
            "announced": False,
            "updated_at": now,
            "shelf": SHELF,
        }
        async with self._mongo.collection(VIDEOS) as videos:
            document = await videos.find_one_and_update(
                {"_id": video_id, **when},
                [{"$set": {"poster_shown": POSTER_SHOWN}}, {"$set": dict(fields)}, {"$set": last}],
                return_document=ReturnDocument.AFTER,
            )
        return Video.from_document(document) if document else None

    async def count(self, video_id: str, when: Filter, fields: Mapping[str, Any]) -> Video | None:
        """The same for numbers of people: `updated_at` stands still, and the bus hears of it from the sweeper."""
        last = {"revision": {"$add": ["$revision", 1]}, "announced": False}
        async with self._mongo.collection(VIDEOS) as videos:
            document = await videos.find_one_and_update(
                {"_id": video_id, "status": ALIVE, **when},
                [{"$set": {**fields, **last}}],
                return_document=ReturnDocument.AFTER,
            )
        return Video.from_document(document) if document else None

    async def shown_poster(self, video_id: str) -> str | None:
        """Of a private video, the poster that others could see before; None when there is none, or it is hidden."""
        async with self._mongo.collection(VIDEOS) as videos:
            document = await videos.find_one({"_id": video_id, "visibility": "private", "status": ALIVE})
        return document.get("poster_shown") if document else None

    async def rename_poster(self, video_id: str, old: str, new: str) -> bool:
        """Of a private video; what is made later does not replace it. False when it has another one by now."""
        async with self._mongo.collection(VIDEOS) as videos:
            result = await videos.update_one(
                {"_id": video_id, "visibility": "private", "status": ALIVE, "metadata.thumbnails.0": old},
                {"$set": {"metadata.thumbnails.0": new, "poster": new, "announced": False}, "$inc": {"revision": 1}},
            )
        return result.modified_count == 1

    async def poster_hidden(self, video_id: str, shown: str) -> None:
        """Nobody can see that one any more."""
        async with self._mongo.collection(VIDEOS) as videos:
            await videos.update_one({"_id": video_id, "poster_shown": shown}, {"$set": {"poster_shown": None}})

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

    async def remove(self, video_id: str) -> None:
        """The document, if it is being deleted."""
        async with self._mongo.collection(VIDEOS) as videos:
            await videos.delete_one({"_id": video_id, "status": "deleting"})

    async def count_listed(self, creator_id: str) -> int:
        async with self._mongo.collection(VIDEOS) as videos:
            return await videos.count_documents(listed(creator_id, NEWEST).wanted)

    async def ask(self, question: Question, limit: int) -> list[Video]:
        """The first ones."""
        async with self._mongo.collection(VIDEOS) as videos:
            documents = await videos.find(question.wanted).sort(question.order).limit(limit).to_list()
        return [Video.from_document(document) for document in documents]
