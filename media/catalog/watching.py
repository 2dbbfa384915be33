"""The player says every few seconds where it is. That makes views, and the place to go on from."""

from infra.errors import Unavailable
from infra.logs import get_logger
from media.catalog.history import History
from media.catalog.model import Video
from media.catalog.views import Viewer, Views

BEAT_SECONDS = 20.0  # a third of `FOOTLIGHT_PLAYBACK_SECONDS`: so often does the player renew its cookies
LONGEST_STEP = 1.5  # beats; so late may one come, and more than that lies not between two
SAVE_MS = 10_000
PAUSED_SAVE_MS = 1_000  # where somebody stopped is worth more than where they came by

log = get_logger(__name__)


class Watching:
    """What beats lead to."""

    def __init__(self, views: Views, history: History, *, beat_seconds: float = BEAT_SECONDS) -> None:
        self._views = views
        self._history = history
        self._longest_ms = int(beat_seconds * LONGEST_STEP * 1000)

    async def beat(self, video: Video, viewer: Viewer, position_seconds: float, *, playing: bool) -> bool:
        """They are there, playing or not; whether they count as a view of these 24 h.

        Never fails: somebody who watches must not be stopped because nobody can count.
        """
        pause_ms = SAVE_MS if playing else PAUSED_SAVE_MS
        try:
            heard = await self._views.beat(
                video,
                viewer,
                playing=playing,
                longest_ms=self._longest_ms,
                save_ms=pause_ms if viewer.user_id else 0,
            )
            if heard.save and viewer.user_id:
                await self._history.save(viewer.user_id, video.id, position_seconds, video.metadata.duration)
        except Unavailable as away:
            log.info("watching.uncounted", video_id=video.id, code=away.code)
            return False
        return heard.counted
