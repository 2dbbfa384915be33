"""What somebody watched, and how far: one document for each viewer and video, the latest first.

`place` is `<watched at>/<video id>`: a page of the list is one range of one index.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from infra import cursors
from infra.clock import Clock
from infra.stores.mongo import Document, Mongo
from media.catalog.repository import NEWEST, Indexes, in_order

HISTORY = "watch_history"
INDEXES: Indexes = (
    ([("user_id", 1), ("place", -1)], {}),
    ([("video_id", 1)], {}),
)
FINISHED_PART, FINISHED_SECONDS = 0.95, 10.0


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody stopped. `finished`: they saw the end, or as good as."""

    video_id: str
    position_seconds: float
    finished: bool
    watched_at: datetime

    @property
    def resume_seconds(self) -> float:
        """Where to go on: at the beginning of what was finished."""
        return 0.0 if self.finished else self.position_seconds


def is_finished(position_seconds: float, duration_seconds: float) -> bool:
    """Within the last 5 % or 10 s. Not of what has no known length, nor at the beginning of something short."""
    if duration_seconds <= 0 or position_seconds <= 0:
        return False
    left_seconds = duration_seconds - position_seconds
    near = left_seconds <= FINISHED_SECONDS and position_seconds >= duration_seconds / 2
    return near or position_seconds >= FINISHED_PART * duration_seconds


class History:
    """Every method raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def save(self, user_id: str, video_id: str, position_seconds: float, duration_seconds: float) -> None:
        """They are there now."""
        now = self._clock()
        position = max(0.0, min(position_seconds, duration_seconds) if duration_seconds > 0 else position_seconds)
        fields = {
            "user_id": user_id,
            "video_id": video_id,
            "position_seconds": position,
            "finished": is_finished(position, duration_seconds),
            "watched_at": now,
            "place": in_order(now, video_id),
        }
        async with self._mongo.collection(HISTORY) as history:
            await history.update_one({"_id": _key(user_id, video_id)}, {"$set": fields}, upsert=True)

    async def of(self, user_id: str, video_ids: Sequence[str]) -> dict[str, Watched]:
        """What they saw of these videos."""
        wanted = {"_id": {"$in": [_key(user_id, video_id) for video_id in video_ids]}}
        async with self._mongo.collection(HISTORY) as history:
            documents = await history.find(wanted).to_list()
        return {document["video_id"]: _watched(document) for document in documents}

    async def latest(self, user_id: str, cursor: str | None, limit: int) -> tuple[list[Watched], str | None]:
        """A page of it, the latest first, and where to go on. Raises `Invalid` for a cursor that is not ours."""
        below = cursors.decode(cursor, str)
        wanted = {"user_id": user_id, "place": {"$lt": NEWEST if below is None else below}}
        async with self._mongo.collection(HISTORY) as history:
            documents = await history.find(wanted).sort([("place", -1)]).limit(limit + 1).to_list()
        shown, next_cursor = cursors.cut(documents, limit, lambda document: document["place"])
        return [_watched(document) for document in shown], next_cursor

    async def forget(self, user_id: str, video_id: str | None = None) -> None:
        """One video, or all of it."""
        async with self._mongo.collection(HISTORY) as history:
            if video_id is None:
                await history.delete_many({"user_id": user_id})
            else:
                await history.delete_one({"_id": _key(user_id, video_id)})

    async def forget_video(self, video_id: str) -> None:
        """Nobody saw it: it is being deleted."""
        async with self._mongo.collection(HISTORY) as history:
            await history.delete_many({"video_id": video_id})


def _key(user_id: str, video_id: str) -> str:
    return f"{user_id}/{video_id}"


def _watched(document: Document) -> Watched:
    return msgspec.convert(document, Watched)
