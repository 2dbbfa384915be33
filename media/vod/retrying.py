"""Trying a failed video again, when its creator asks for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from accounts.model import Identity
from infra.clock import Clock
from infra.stores.postgres import Connection, Postgres
from media.catalog.errors import NotYourVideo
from media.catalog.model import Video
from media.catalog.sight import is_owner, require_rights
from media.catalog.videos import Catalogue
from media.vod.errors import VideoNotFailed
from media.vod.ports import Transcoding


class Recordings(Protocol):
    """What becomes of recordings of live streams."""

    async def again(self, connection: Connection, video_id: str, now: datetime) -> bool:
        """Have a failed one made once more; false when this video has none."""
        ...


class Retrying:
    """`nudge`: called after the commit, so that the outbox does not wait for its poll."""

    def __init__(
        self,
        db: Postgres,
        catalogue: Catalogue,
        transcodes: Transcoding,
        recordings: Recordings,
        clock: Clock,
        nudge: Callable[[], None],
    ) -> None:
        self._db = db
        self._catalogue = catalogue
        self._transcodes = transcodes
        self._recordings = recordings
        self._clock = clock
        self._nudge = nudge

    async def retry(self, who: Identity, video_id: str) -> Video:
        """Begin anew, in a new build. Raises `VideoNotFound`, `NotYourVideo`, `VideoNotFailed`; `Unavailable`.

        The work is committed before the document is told: should we die in between, the document still says `failed`,
        and asking again finds the work under way and tells it.
        """
        video = require_rights(await self._catalogue.get(video_id), who)
        if not is_owner(video, who):
            raise NotYourVideo(video_id=video_id)
        if video.status != "failed" or video.failure is None or not video.failure.retryable:
            raise VideoNotFailed
        async with self._db.transaction() as connection:
            begun = await self._transcodes.again(connection, video_id)
            begun = begun or await self._transcodes.is_under_way(connection, video_id)
            if not begun and not await self._recordings.again(connection, video_id, self._clock()):
                raise VideoNotFailed
        # A worker may have begun, and failed, before we come to say so: that failure must stand.
        video = await self._catalogue.processing(video_id, video.failure)
        self._nudge()
        return video
