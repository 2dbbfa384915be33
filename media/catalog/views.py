"""The views of videos: counted in Redis when somebody has watched enough, added to the documents in batches.

A node marks a video as watched before its first beat, and again every minute; the worker looks at what is marked. So no
crash hides a view that was counted.

As long as Redis forgets nothing, each view is in the document exactly once, whatever else dies (the numbers of batches
see to it). Redis copies to its replicas after it has answered, so what a promoted replica lacks (or a restart, of the
last second before) is forgotten: views of that moment that had not reached MongoDB are lost unless their viewers go on
watching; those that had are counted a second time, when their batch or their viewer's mark is among what was forgotten.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.clock import Clock, milliseconds
from infra.logs import get_logger
from infra.stores.redis import Functions, Redis, asked
from media.catalog.model import Video
from media.catalog.videos import Catalogue

SOURCE = Path(__file__).with_name("views.lua")
FLUSH_SECONDS = 5.0
MARK_MS = 60_000
MARKED_FOR = timedelta(minutes=5)  # several marks: one that came late is no loss
REMEMBERED = 10_000
INDEXES = 16  # the marks of all videos, over as many slots

WATCHED_MS = 30_000  # or half the length, if that is less
MOST_FROM_ADDRESS = 20  # viewers without an account, of one video in 24 h

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches: a user, or else a device at an address."""

    user_id: str | None
    device: str
    address: str

    @property
    def key(self) -> str:
        return _hashed(f"user {self.user_id}" if self.user_id else f"device {self.device}")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a beat led to. `counted`: this viewer is among the views; `save`: their place is due to be saved."""

    counted: bool
    save: bool


def needed_ms(duration_seconds: float) -> int:
    """How long one must watch to be a view: 30 s, or half of what is shorter than a minute."""
    return min(WATCHED_MS, int(duration_seconds * 500)) if duration_seconds > 0 else WATCHED_MS


class Views:
    """Counts and flushes. Every method raises `RedisUnavailable`."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._functions = Functions(redis, SOURCE.read_text())
        self._clock = clock
        self._marked_at: OrderedDict[str, int] = OrderedDict()

    async def beat(self, video: Video, viewer: Viewer, *, playing: bool, longest_ms: int, save_ms: int) -> Heard:
        """They are there, playing or not. Counts at most `longest_ms` since the beat before."""
        await self._mark(video.id)
        keys = [
            _key(video.id, f"viewer:{viewer.key}"),
            _key(video.id, f"address:{_hashed(viewer.address)}"),
            _key(video.id, "pending"),
        ]
        most = 0 if viewer.user_id else MOST_FROM_ADDRESS
        now_ms = milliseconds(self._clock())
        limits = (longest_ms, needed_ms(video.metadata.duration), most, save_ms)
        counted, save = await self._functions.call("views_beat", keys, (now_ms, viewer.key, int(playing), *limits))
        return Heard(bool(counted), bool(save))

    async def flush(self, catalogue: Catalogue) -> int:
        """Add what was counted to the documents; returns how many views. Raises `MongoUnavailable`."""
        views = 0
        for index in range(INDEXES):
            for video_id, marked_ms in await self._marked(index):
                views += await self.flush_video(catalogue, video_id)
                before_ms = milliseconds(self._clock() - MARKED_FOR)
                if marked_ms < before_ms:
                    await self._functions.call("views_unmark", [_index(index)], [video_id, before_ms])
        return views

    async def flush_video(self, catalogue: Catalogue, video_id: str) -> int:
        """Add one batch to the document. Stopped at any point, the next call goes on with the same batch."""
        batch, size = await self._functions.call(
            "views_take", [_key(video_id, "pending")], [milliseconds(self._clock())]
        )
        if not size:
            return 0
        await catalogue.viewed(video_id, int(batch), int(size))
        await self._functions.call("views_done", [_key(video_id, "pending")], [batch])
        return int(size)

    async def forget(self, video_id: str) -> None:
        """What was counted of a video that is being deleted; who watched it is forgotten within a day."""
        await asked(lambda: self._redis.delete(_key(video_id, "pending")))

    async def _mark(self, video_id: str) -> None:
        now_ms = milliseconds(self._clock())
        if now_ms < self._marked_at.get(video_id, 0) + MARK_MS:
            return
        index = int(_hashed(video_id)[:4], 16) % INDEXES
        await self._functions.call("views_mark", [_index(index)], [now_ms, video_id])
        self._marked_at[video_id] = now_ms
        self._marked_at.move_to_end(video_id)
        if len(self._marked_at) > REMEMBERED:
            self._marked_at.popitem(last=False)

    async def _marked(self, index: int) -> list[tuple[str, float]]:
        found = await asked(lambda: self._redis.zrange(_index(index), 0, -1, withscores=True))
        return [(video_id.decode(), float(marked_ms)) for video_id, marked_ms in found]


def _key(video_id: str, part: str) -> str:
    return f"views:{{{video_id}}}:{part}"


def _index(number: int) -> str:
    return f"views:watched:{{{number}}}"


def _hashed(text: str) -> str:
    """Short, and nothing that says who somebody is."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
