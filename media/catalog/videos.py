"""The catalogue: what videos there are, and what becomes of them.

A change is one conditional update of one document. Its condition is the whole guard: nothing brings a video back that
is being deleted, and what is told twice changes nothing the second time. After it, the bus is told (`announcing.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from accounts.model import Identity
from infra import cursors
from infra.clock import Clock
from infra.logs import get_logger
from infra.stores.mongo import Mongo
from media.catalog.announcing import Announcer, Publish
from media.catalog.details import VideoChange, clean_change
from media.catalog.errors import VideoNotFound
from media.catalog.model import Captions, Failure, Metadata, Recording, Rendition, Video, VideoStatus
from media.catalog.repository import (
    ALIVE,
    LATEST,
    NEWEST,
    Filter,
    VideoRepository,
    listed,
    literal,
    of_creator,
    shelf_of,
)
from media.catalog.sight import require_rights

IN_WORK: Filter = {"$in": ["uploading", "processing"]}

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """Some videos, and where to go on (None: that was all)."""

    videos: list[Video]
    next_cursor: str | None


class Catalogue:
    """The service. Every method raises `MongoUnavailable`."""

    def __init__(self, mongo: Mongo, publish: Publish, clock: Clock) -> None:
        self._repository = VideoRepository(mongo)
        self._announcer = Announcer(self._repository, publish, clock)
        self._clock = clock

    @property
    def announcer(self) -> Announcer:
        """For the worker, who publishes what was left."""
        return self._announcer

    @property
    def repository(self) -> VideoRepository:
        return self._repository

    # --- looking

    async def get(self, video_id: str) -> Video:
        """Raises `VideoNotFound`, also for one that is being deleted. Who may see it is `sight.py`'s to say."""
        video = await self._repository.get(video_id)
        if video is None or video.status == "deleting":
            raise VideoNotFound
        return video

    async def many(self, video_ids: Sequence[str]) -> list[Video]:
        """In the order of the ids, without those that are gone."""
        found = await self._repository.many(video_ids)
        return [found[video_id] for video_id in video_ids if video_id in found]

    async def newest(self, creator_id: str | None = None, cursor: str | None = None, limit: int = 20) -> Page:
        """What everybody finds (of one creator). Raises `Invalid` for a cursor that is not ours."""
        below = cursors.decode(cursor, str)
        found = await self._repository.ask(listed(creator_id, NEWEST if below is None else below), limit + 1)
        return Page(*cursors.cut(found, limit, shelf_of))

    async def mine(
        self, who: Identity, status: VideoStatus | None = None, cursor: str | None = None, limit: int = 20
    ) -> Page:
        """All of one's own; a page may have fewer than asked for. Raises `Invalid` for a cursor that is not ours."""
        below = cursors.decode(cursor, str)
        question = of_creator(who.user_id, status, LATEST if below is None else below)
        shown, next_cursor = cursors.cut(await self._repository.ask(question, limit + 1), limit, lambda video: video.id)
        return Page([video for video in shown if video.status != "deleting"], next_cursor)

    async def count_listed(self, creator_id: str) -> int:
        """How many videos of theirs everybody finds."""
        return await self._repository.count_listed(creator_id)

    # --- what becomes of a video

    async def create(self, video: Video) -> Video:
        """Put it in; if there is one of its id, that one stays and is returned. Raises `VideoNotFound` when that is
        being deleted."""
        if await self._repository.insert(msgspec.structs.replace(video, announced=False)):
            log.info("video.created", video_id=video.id, creator_id=video.creator_id)
            await self._announcer.announce(video)
        return await self.get(video.id)

    async def stored(self, video_id: str, upload_url: str, file_size: int) -> Video:
        """The source is there, whole: uploading becomes processing."""
        status = {"$cond": [{"$eq": ["$status", "uploading"]}, "processing", "$status"]}
        told = literal({"upload_url": upload_url, "metadata.file_size": file_size})
        # Also of a video that is ready or has failed by now: who completed it may have died before saying so.
        return await self._change(
            video_id, {"status": ALIVE, "upload_url": {"$ne": upload_url}}, {**told, "status": status}
        )

    async def playable(
        self, video_id: str, build: str, playback_urls: Sequence[Rendition], metadata: Metadata
    ) -> Video:
        """These renditions can be played, more come. Fewer than are known of the same build change nothing."""
        more = [{"build": {"$ne": build}}, {f"playback_urls.{len(playback_urls)}": {"$exists": False}}]
        fields = {**self._made(build, playback_urls, metadata), "status": "processing"}
        return await self._change(video_id, {"status": IN_WORK, "$or": more}, fields)

    async def finished(
        self, video_id: str, build: str, playback_urls: Sequence[Rendition], metadata: Metadata
    ) -> Video:
        """All renditions are there: ready."""
        fields = {**self._made(build, playback_urls, metadata), "status": "ready", "failure": None}
        return await self._change(video_id, {"status": IN_WORK}, fields)

    async def failed(self, video_id: str, failure: Failure) -> Video:
        """There will be no video, unless it is tried again."""
        fields = literal({"failure": msgspec.to_builtins(failure, builtin_types=(datetime,))})
        return await self._change(video_id, {"status": IN_WORK}, {**fields, "status": "failed"})

    async def processing(self, video_id: str, seen: Failure | None = None) -> Video:
        """It is tried again, from the beginning: failed becomes processing, with nothing to play. Pictures that were
        made of it go with the build they came from. `seen`: only if it has not failed once more since that."""
        own = {"$cond": [{"$gt": ["$poster", None]}, ["$poster"], []]}
        fields: dict[str, Any] = {
            "status": "processing",
            "failure": None,
            "build": None,
            "playback_urls": [],
            "metadata.thumbnails": own,
            "metadata.storyboard": None,
        }
        when: Filter = {"status": "failed"} if seen is None else {"status": "failed", "failure.at": seen.at}
        return await self._change(video_id, when, fields)

    async def recorded(self, video_id: str, recording: Recording, upload_url: str, file_size: int) -> Video:
        """A recording that failed was made after all: what it is made of, and that it is in work."""
        told = {"recording": recording, "upload_url": upload_url, "metadata.file_size": file_size}
        fields = literal(msgspec.to_builtins(told, builtin_types=(datetime,)))
        when: Filter = {"status": {"$in": ["processing", "failed"]}, "upload_url": None}
        return await self._change(video_id, when, {**fields, "status": "processing", "failure": None})

    async def beyond_repair(self, video_id: str) -> Video:
        """It failed, and can no longer be tried again."""
        when: Filter = {"status": "failed", "failure.retryable": True}
        return await self._change(video_id, when, {"failure.retryable": False})

    async def discard(self, video_id: str) -> None:
        """The upload was given up: what there is of it is deleted. Not one whose source is stored."""
        await self._delete(video_id, {"status": "uploading"})

    async def delete(self, who: Identity, video_id: str) -> None:
        """Gone for everybody now; files follow (`deleting.py`). Raises `VideoNotFound`, `NotYourVideo`."""
        require_rights(await self.get(video_id), who)
        await self._delete(video_id, {"status": ALIVE})
        log.info("video.deleted", video_id=video_id, by_user_id=who.user_id)

    # --- what its creator says

    async def change(self, who: Identity, video_id: str, change: VideoChange) -> Video:
        """Raises `VideoNotFound`, `NotYourVideo`, `TextRefused`."""
        video = require_rights(await self.get(video_id), who)
        fields = clean_change(change)
        if all(getattr(video, name) == value for name, value in fields.items()):
            return video
        return await self._change(video_id, {"status": ALIVE}, literal(fields))

    async def set_poster(self, video_id: str, path: str) -> Video:
        """A poster of the creator's own, which stays the first of `thumbnails` whatever is made later."""
        known = {"$ifNull": ["$metadata.thumbnails", []]}
        rest = {"$cond": [{"$gt": [{"$size": known}, 1]}, {"$slice": [known, 1, 100]}, []]}
        poster = {"$literal": path}
        fields = {"poster": poster, "metadata.thumbnails": {"$concatArrays": [[poster], rest]}}
        return await self._change(video_id, {"status": ALIVE, "poster": {"$ne": path}}, fields)

    async def set_captions(self, video_id: str, known: Sequence[Captions], wanted: Sequence[Captions]) -> Video | None:
        """Replace the captions if they are still the known ones; None when they are not."""
        when = {"status": ALIVE, "captions": msgspec.to_builtins(known)}
        changed = await self._repository.change(
            video_id, when, literal({"captions": msgspec.to_builtins(wanted)}), self._now()
        )
        return await self._announced(changed) if changed else None

    async def renamed(self, creator_id: str, name: str, at: datetime | None = None) -> int:
        """The creator is called so since `at`; how many videos showed another name. The sweeper announces them."""
        now = self._now()
        return await self._repository.rename(creator_id, name, at or now, now)

    async def liked(self, video_id: str, like_count: int) -> None:
        """The number of likes is this now. Raises `VideoNotFound`."""
        fields = {"like_count": like_count}
        if await self._repository.count(video_id, {"like_count": {"$ne": like_count}}, fields) is None:
            await self.get(video_id)

    async def viewed(self, video_id: str, batch: int, views: int) -> None:
        """Add these views, once for each number of a batch; numbers grow. A video that is gone has none."""
        fields = {"view_count": {"$add": ["$view_count", views]}, "views_batch": batch}
        await self._repository.count(video_id, {"views_batch": {"$not": {"$gte": batch}}}, fields)

    # --- how

    async def _delete(self, video_id: str, when: Filter) -> None:
        if changed := await self._repository.change(video_id, when, {"status": "deleting"}, self._now()):
            await self._announced(changed)

    async def _change(self, video_id: str, when: Filter, fields: Mapping[str, Any]) -> Video:
        """The video after the change, or as it is when it is not as `when` says. Raises `VideoNotFound`."""
        changed = await self._repository.change(video_id, when, fields, self._now())
        if changed is None:
            return await self.get(video_id)
        if changed.status == "failed" and changed.failure:
            log.info("video.failed", video_id=video_id, code=changed.failure.code)
        return await self._announced(changed)

    async def _announced(self, changed: Video) -> Video:
        await self._announcer.announce(changed)
        return changed

    def _now(self) -> datetime:
        """As exact as MongoDB keeps it, so that what is written is what is read."""
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _made(self, build: str, playback_urls: Sequence[Rendition], metadata: Metadata) -> dict[str, Any]:
        """What can be played, without touching a poster that the creator chose or when it was first published."""
        known = msgspec.to_builtins(metadata)
        own = {"$concatArrays": [["$poster"], {"$literal": metadata.thumbnails[1:]}]}
        thumbnails = {"$cond": [{"$gt": ["$poster", None]}, own, {"$literal": metadata.thumbnails}]}
        return {
            **literal({"build": build, "playback_urls": msgspec.to_builtins(playback_urls)}),
            "metadata": {**literal(known), "thumbnails": thumbnails},
            "published_at": {"$ifNull": ["$published_at", self._now()]},
        }
