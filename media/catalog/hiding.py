"""A video that becomes private takes its poster along: posters are served to all who know their name, so it gets
another one.

Every change of a document first notes, in `poster_shown`, the poster that others could see until then. While a private
video has that note there is something to do, and the last step removes it: so every crash leaves something to go on
with, and the bus brings it again.
"""

import secrets
from collections.abc import Sequence

from infra.bus.port import Bus, Message, Subscription
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.objects import NoSuchObject, Objects
from media.catalog.deleting import Caches
from media.catalog.repository import VideoRepository
from media.events import VideoChanged

GROUP = "catalog.hiding"

log = get_logger(__name__)


class Hiding:
    """Does the work."""

    def __init__(self, repository: VideoRepository, objects: Objects, caches: Caches) -> None:
        self._repository = repository
        self._objects = objects
        self._caches = caches

    async def hide(self, video_id: str) -> bool:
        """Whether there was a poster to hide: its address is dead then, at the edge too. Raises `Unavailable`."""
        shown = await self._repository.shown_poster(video_id)
        if shown is None:
            return False
        if shown in await self._thumbnails(video_id) and not await self._rename(video_id, shown):
            return False  # others may see it again, or the creator chose another one: the bus tells of that too
        await self._objects.call("delete_object", Key=_key(shown))
        await self._caches.forget([f"/posters/{video_id}/*"])
        await self._repository.poster_hidden(video_id, shown)
        log.info("video.poster_hidden", video_id=video_id)
        return True

    async def _thumbnails(self, video_id: str) -> Sequence[str]:
        video = await self._repository.get(video_id)
        return video.metadata.thumbnails if video else ()

    async def _rename(self, video_id: str, shown: str) -> bool:
        """False when the document says something else by now."""
        new = f"posters/{video_id}/{secrets.token_hex(8)}.jpg"
        try:
            source = {"Bucket": self._objects.bucket, "Key": _key(shown)}
            await self._objects.call("copy_object", Key=new, CopySource=source)
        except NoSuchObject:
            return True  # nobody can see it
        if await self._repository.rename_poster(video_id, shown, f"/{new}"):
            return True
        await self._forget(new)
        return False

    async def _forget(self, key: str) -> None:
        try:
            await self._objects.call("delete_object", Key=key)
        except Unavailable as away:  # a file that nobody names goes with the video
            log.info("poster.left_over", key=key, code=away.code)


def _key(path: str) -> str:
    return path.removeprefix("/")


async def follow_hidden(bus: Bus, work: Hiding) -> Subscription:
    """Hide posters as soon as their videos are private, shared among all workers, until the subscription is closed."""

    async def take(message: Message) -> None:
        await work.hide(VideoChanged.from_message(message).video_id)

    return await bus.subscribe(GROUP, [VideoChanged.topic], take)
