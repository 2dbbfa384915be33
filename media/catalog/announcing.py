"""Tell the bus what is new about videos. MongoDB and the bus share no transaction: a change stands first as
`announced: false`, is published, and is then marked; what a crash or an outage left unmarked is published again.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from infra.bus.port import Bus
from infra.clock import Clock
from infra.errors import Unavailable
from infra.events import Event
from infra.logs import get_logger
from media.catalog.model import Video
from media.catalog.repository import VideoRepository, unannounced
from media.events import VideoChanged, VideoDeleted

PATIENCE = timedelta(seconds=5)  # who made the change is long done publishing it, or gone
SWEEP_SECONDS = 2.0
BATCH = 100

Publish = Callable[[Event], Awaitable[None]]
log = get_logger(__name__)


def to_bus(bus: Bus) -> Publish:
    """Publish on this bus."""
    return lambda event: bus.publish(event.to_message())


def event_of(video: Video) -> VideoChanged | VideoDeleted:
    """What others hear of the present state."""
    kind = VideoDeleted if video.status == "deleting" else VideoChanged
    return kind(at=video.updated_at, video_id=video.id, creator_id=video.creator_id, revision=video.revision)


class Announcer:
    """Publishes changes, and those that were left."""

    def __init__(self, repository: VideoRepository, publish: Publish, clock: Clock) -> None:
        self._repository = repository
        self._publish = publish
        self._clock = clock

    async def announce(self, video: Video) -> bool:
        """Publish the change and mark it; false when a service is away. The change itself stands either way."""
        try:
            await self._publish(event_of(video))
            await self._repository.mark_announced(video.id, video.revision)
        except Unavailable as away:
            log.info("video.unannounced", video_id=video.id, code=away.code)
            return False
        return True

    async def sweep(self) -> int:
        """Publish what waited for longer than `PATIENCE`; how many that were. Raises `MongoUnavailable`."""
        told = 0
        while True:
            waiting = await self._repository.ask(unannounced(self._clock() - PATIENCE), BATCH)
            for video in waiting:
                if not await self.announce(video):
                    return told
                told += 1
            if len(waiting) < BATCH:
                return told
