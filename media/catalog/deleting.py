"""A deleted video goes: first the work on it, then files page by page, at last what names it.

The document says `deleting` from the first moment, so nobody sees it, and stays until nothing else is left: so every
crash leaves something to go on with. The bus starts the work at once; the sweeper does all of it a second time
`SETTLE` later, for what a worker or an upload still wrote meanwhile, and only then removes the document.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

from infra.bus.port import Bus, Message, Subscription
from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.objects import NoSuchObject, Objects
from infra.stores.postgres import Postgres
from media.catalog.history import History
from media.catalog.likes import Likes
from media.catalog.model import Video
from media.catalog.repository import VideoRepository, deleting
from media.catalog.views import Views
from media.events import VideoDeleted
from media.vod.ports import Transcoding

GROUP = "catalog.deleting"
SETTLE = timedelta(minutes=15)  # longer than a lease of a transcoder or a presigned part of an upload lives
SWEEP_SECONDS = 30.0
BATCH = 50
PAGE = 1000  # as many as S3 removes in one call

Stop = Callable[[str], Awaitable[object]]
log = get_logger(__name__)


class Caches(Protocol):
    """What keeps copies of files near viewers."""

    async def forget(self, paths: Sequence[str]) -> None:
        """Drop what lies below these paths (`/vod/<id>/*`). Asked again is fine; raises `Unavailable`."""
        ...


def prefixes_of(video: Video) -> list[str]:
    """Where all its files are."""
    places = [f"uploads/{video.id}/", f"vod/{video.id}/", f"posters/{video.id}/"]
    return [*places, f"recordings/{video.recording.stream_id}/"] if video.recording else places


def cancelling(db: Postgres, transcoding: Transcoding) -> Stop:
    """Cancel the transcode, in a transaction of its own."""

    async def cancel(video_id: str) -> None:
        async with db.transaction() as connection:
            await transcoding.cancel(connection, video_id)

    return cancel


class Leaving:
    """What names a video, besides its document."""

    def __init__(self, likes: Likes, history: History, views: Views) -> None:
        self._likes = likes
        self._history = history
        self._views = views

    async def forget(self, video_id: str) -> None:
        """Raises `Unavailable`."""
        await self._likes.forget_video(video_id)
        await self._history.forget_video(video_id)
        await self._views.forget(video_id)


class Deleting:
    """Does the work. `stops`: whoever still works on a video or counts its files is told to forget it, in this order;
    told again is fine, and they may raise `Unavailable`."""

    def __init__(
        self,
        repository: VideoRepository,
        objects: Objects,
        leaving: Leaving,
        stops: Sequence[Stop],
        clock: Clock,
        *,
        caches: Caches | None = None,
    ) -> None:
        self._repository = repository
        self._objects = objects
        self._leaving = leaving
        self._stops = stops
        self._clock = clock
        self._caches = caches

    async def clean(self, video: Video) -> None:
        """Stop the work and remove the files. Stopped at any point, it may be called again; raises `Unavailable`."""
        for stop in self._stops:
            await stop(video.id)
        removed = 0
        for prefix in prefixes_of(video):
            await self._abort_uploads(prefix)
            removed += await self._remove_files(prefix)
        if self._caches is not None:
            await self._caches.forget([f"/vod/{video.id}/*", f"/posters/{video.id}/*"])
        log.info("video.files_removed", video_id=video.id, files=removed)

    async def sweep(self) -> int:
        """Finish what was deleted more than `SETTLE` ago; how many are gone for good."""
        gone = 0
        for video in await self._repository.ask(deleting(self._clock() - SETTLE), BATCH):
            try:
                await self.clean(video)
                await self._leaving.forget(video.id)
                await self._repository.remove(video.id)
            except FootlightError as failure:  # the next round tries again; the others need not wait for it
                log.error("video.delete_delayed", video_id=video.id, code=failure.code)
            else:
                gone += 1
        return gone

    async def _remove_files(self, prefix: str) -> int:
        removed = 0
        while True:
            page = await self._objects.call("list_objects_v2", Prefix=prefix, MaxKeys=PAGE)
            keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
            if not keys:
                return removed
            answer = await self._objects.call("delete_objects", Delete={"Objects": keys, "Quiet": True})
            if errors := answer.get("Errors"):
                raise FilesRemain(prefix=prefix, why=errors[0].get("Code"))
            removed += len(keys)

    async def _abort_uploads(self, prefix: str) -> None:
        """Parts of an upload that was never closed are no objects yet, but cost as much."""
        page = await self._objects.call("list_multipart_uploads", Prefix=prefix)
        for upload in page.get("Uploads", []):
            if not upload["Key"].startswith(prefix):
                continue
            try:
                await self._objects.call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])
            except NoSuchObject:
                continue  # closed or aborted meanwhile


class FilesRemain(FootlightError):
    code = "video.files_remain"
    message = "Some files of the video could not be removed yet."
    retryable = True


async def follow_deletions(bus: Bus, repository: VideoRepository, work: Deleting) -> Subscription:
    """Remove files as soon as a video is deleted, shared among all workers, until the subscription is closed."""

    async def take(message: Message) -> None:
        video = await repository.get(VideoDeleted.from_message(message).video_id)
        if video is not None and video.status == "deleting":
            await work.clean(video)

    return await bus.subscribe(GROUP, [VideoDeleted.topic], take)
