"""Trying a failed video again, when its creator asks for it."""

from collections.abc import Callable

from accounts.model import Identity
from infra.stores.postgres import Postgres
from media.catalog.errors import NotYourVideo
from media.catalog.model import Video
from media.catalog.sight import is_owner, require_rights
from media.catalog.videos import Catalogue
from media.vod.errors import VideoNotFailed
from media.vod.transcodes import Transcodes


class Retrying:
    """`nudge`: called after the commit, so that the outbox does not wait for its poll."""

    def __init__(self, db: Postgres, catalogue: Catalogue, transcodes: Transcodes, nudge: Callable[[], None]) -> None:
        self._db = db
        self._catalogue = catalogue
        self._transcodes = transcodes
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
            if not begun and not await self._transcodes.is_under_way(connection, video_id):
                raise VideoNotFailed
        # A worker may have begun, and failed, before we come to say so: that failure must stand.
        video = await self._catalogue.processing(video_id, video.failure)
        self._nudge()
        return video
