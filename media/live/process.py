"""The live process: RTMP in, playlists and segments out, and nothing kept that cannot be lost.

It asks the desk whom to let in and tells it what becomes of them. What ended elsewhere reaches it by `drop`, at once,
and by asking the desk every two seconds, in case that word was lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.settings import LiveSettings
from media.errors import IngestFull, KeyRefused, StreamIsOver
from media.ingest.server import IngestServer, Line, Taker
from media.live.broadcast import Broadcast
from media.packaging.origin import Origin
from media.packaging.packager import Packager
from media.ports import IngestDesk, Recordings

CHECK_SECONDS = 2.0
REPORT_SECONDS = 2.0
KEPT_AFTER_END_SECONDS = 60.0
KEY_RESET = "key_reset"
SENTENCES = {KEY_RESET: "The stream key was replaced. Copy the new one from the studio."}
STREAM_OVER = "This stream is over."

log = get_logger(__name__)


class LiveProcess:
    """`start` listens for encoders; serve `origin` over HTTP; `close` ends encoders and their ffmpeg."""

    def __init__(
        self, desk: IngestDesk, settings: LiveSettings, clock: Clock, recordings: Recordings | None = None
    ) -> None:
        self._desk = desk
        self._recordings = recordings
        self._settings = settings
        self._clock = clock
        self._broadcasts: dict[str, Broadcast] = {}
        self._packagers: dict[str, Packager] = {}  # by playback id
        self._ended: dict[str, float] = {}
        self._server = IngestServer(self._admit)
        self._tasks: list[asyncio.Task[None]] = []
        self.origin = Origin(self._packagers)

    async def start(self) -> None:
        """Raises `OSError` when the RTMP port is taken."""
        await self._server.start(self._settings.rtmp_host, self._settings.rtmp_port)
        self._tasks = [
            asyncio.create_task(_every(REPORT_SECONDS, self._report)),
            asyncio.create_task(_every(CHECK_SECONDS, self._check)),
        ]

    async def close(self) -> None:
        """Disconnect the encoders, end every ffmpeg. Streams go on when their encoder finds another live process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.close()

    async def drop(self, stream_id: str, reason: str) -> None:
        """The stream ended, or (`key_reset`) its key was replaced: disconnect its encoder. Again is fine."""
        broadcast = self._broadcasts.get(stream_id)
        if broadcast is None:
            return
        if (publisher := broadcast.publisher) is not None:
            publisher.line.hang_up(reason, SENTENCES.get(reason, STREAM_OVER))
            await publisher.is_gone.wait()
        if reason != KEY_RESET and not broadcast.packager.ended:
            broadcast.packager.end()
            self._ended[stream_id] = time.monotonic()
            log.info("broadcast.ended", stream_id=stream_id, reason=reason)

    # --- who comes in

    async def _admit(self, key: str, line: Line) -> Taker:
        admission = await self._desk.admit(key)
        on_air = sum(broadcast.publisher is not None for broadcast in self._broadcasts.values())
        broadcast = self._broadcasts.get(admission.stream_id)
        if on_air >= self._settings.max_publishers and (broadcast is None or broadcast.publisher is None):
            raise IngestFull
        if broadcast is None:
            broadcast = Broadcast(admission, self._desk, self._settings, self._clock, self._recordings)
            self._broadcasts[admission.stream_id] = broadcast
            self._packagers[admission.playback_id] = broadcast.packager
        elif broadcast.packager.ended:
            raise StreamIsOver(stream_id=admission.stream_id)
        broadcast.record(is_recorded=admission.record)
        return await broadcast.join(key, line)

    # --- what is done every few seconds

    async def _report(self) -> None:
        publishers = [broadcast.publisher for broadcast in self._broadcasts.values()]
        await asyncio.gather(*(publisher.report() for publisher in publishers if publisher is not None))

    async def _check(self) -> None:
        """Drop what ended without our hearing of it; forget what is long over."""
        self._forget()
        open_keys = {
            stream_id: broadcast.key
            for stream_id, broadcast in self._broadcasts.items()
            if not broadcast.packager.ended
        }
        if open_keys:
            await self._follow_wishes(list(open_keys))
            for stream_id in await self._desk.unwanted(open_keys):
                if reason := await self._why_unwanted(open_keys[stream_id]):
                    await self.drop(stream_id, reason)

    async def _follow_wishes(self, stream_ids: Sequence[str]) -> None:
        """Whether to record may change while a stream is on air."""
        if self._recordings is None:
            return
        recorded = await self._desk.recorded(stream_ids)
        for stream_id in stream_ids:
            if (broadcast := self._broadcasts.get(stream_id)) is not None:
                broadcast.record(is_recorded=stream_id in recorded)

    async def _why_unwanted(self, key: str) -> str | None:
        try:
            await self._desk.admit(key)
        except StreamIsOver:
            return "ended"
        except KeyRefused:
            return KEY_RESET
        return None

    def _forget(self) -> None:
        now = time.monotonic()
        given_up = self._settings.reconnect_seconds + KEPT_AFTER_END_SECONDS
        for stream_id, broadcast in list(self._broadcasts.items()):
            ended = self._ended.get(stream_id)
            is_over = ended is not None and now - ended > KEPT_AFTER_END_SECONDS
            is_left = broadcast.publisher is None and now - broadcast.quiet_since > given_up
            if is_over or is_left:
                broadcast.packager.end()
                self._ended.pop(stream_id, None)
                del self._broadcasts[stream_id], self._packagers[broadcast.playback_id]


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled. What goes wrong once is tried again next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except FootlightError as failure:
            log.error("live.round_failed", code=failure.code)
        except Exception:  # these rounds are the safety net: one bad round must not be the last
            log.exception("live.round_failed")
