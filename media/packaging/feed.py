"""From an encoder's tags to a packager, through ffmpeg, whatever happens to ffmpeg.

ffmpeg is started with complete headers and a keyframe, so it never has to guess. It is started anew, as a
discontinuity, when it dies, when the picture's format changes, or when sound comes later than the picture.
"""

import asyncio
import time

from infra.logs import get_logger
from media.errors import EncoderDied
from media.ingest.flv import Kind, Look, Tag
from media.packaging.boxes import Fragment, Header
from media.packaging.encoder import Encoder
from media.packaging.packager import DISCONTINUITIES_PER_CONNECTION, Packager

SOUND_WAIT_MS = 1000  # how long a first keyframe waits for the sound's header
MAX_WAITING_BYTES = 8 << 20
RESTART_SECONDS = 1.0
MAX_STARTS = DISCONTINUITIES_PER_CONNECTION // 2

log = get_logger(__name__)


class Feed:
    """One connection of one encoder. `take` its tags in order, then `finish`."""

    def __init__(self, ffmpeg: str, packager: Packager, stream_id: str) -> None:
        self.encoder: Encoder | None = None
        self._ffmpeg = ffmpeg
        self._packager = packager
        self._stream_id = stream_id
        self._headers: dict[Kind, Tag] = {}
        self._started_with: dict[Kind, bytes] = {}
        self._waiting: list[Tag] = []  # from a keyframe on, until ffmpeg is started
        self._waiting_bytes = 0
        self._first_ms: int | None = None  # the first frame that could be played
        self._starts = 0
        self._next_start = 0.0

    async def take(self, tag: Tag, seen: Look) -> None:
        """One H.264 or AAC tag, on the stream's timeline. Waits while ffmpeg is busy.

        Raises `EncoderDied` when ffmpeg keeps dying: there is no sense in going on.
        """
        if seen.header:
            await self._take_header(tag)
        elif self.encoder is None:
            await self._wait_or_start(tag, seen)
        else:
            await self._send(self.encoder, tag)

    async def finish(self) -> None:
        """The encoder is gone: let everything out that is still inside."""
        if self.encoder is not None:
            await self._close(self.encoder)
        self._packager.pause()

    async def _take_header(self, tag: Tag) -> None:
        self._headers[tag.kind] = tag
        changed = self._started_with.get(tag.kind) != tag.payload
        if self.encoder is not None and changed:
            log.info("stream.format_changed", stream_id=self._stream_id, kind=tag.kind.name.lower())
            await self._close(self.encoder)

    async def _wait_or_start(self, tag: Tag, seen: Look) -> None:
        if tag.kind == Kind.VIDEO and seen.keyframe:
            self._forget_waiting()
        if not self._waiting and not (tag.kind == Kind.VIDEO and seen.keyframe):
            return  # nobody can decode what comes before a keyframe
        self._waiting.append(tag)
        self._waiting_bytes += len(tag.payload)
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self._forget_waiting()
        elif self._may_start(tag) and time.monotonic() >= self._next_start:
            await self._start()

    def _may_start(self, tag: Tag) -> bool:
        if Kind.VIDEO not in self._headers:
            return False
        if self._first_ms is None:
            self._first_ms = tag.timestamp_ms
        return Kind.AUDIO in self._headers or tag.timestamp_ms - self._first_ms >= SOUND_WAIT_MS

    def _forget_waiting(self) -> None:
        self._waiting, self._waiting_bytes = [], 0

    async def _start(self) -> None:
        self._starts += 1
        if self._starts > MAX_STARTS:
            raise EncoderDied("The packager of this stream keeps ending. Start your encoder again.")
        self._next_start = time.monotonic() + RESTART_SECONDS
        encoder = await Encoder.start(self._ffmpeg, self._packager.profile, self._came_out)
        log.info("encoder.started", stream_id=self._stream_id, pid=encoder.pid, start=self._starts)
        self.encoder, waiting = encoder, self._waiting
        self._forget_waiting()
        self._started_with = {kind: header.payload for kind, header in self._headers.items()}
        encoder.open_file(with_audio=Kind.AUDIO in self._headers)
        headers = [Tag(kind, waiting[0].timestamp_ms, payload) for kind, payload in self._started_with.items()]
        for tag in (*headers, *waiting):
            if self.encoder is encoder:
                await self._send(encoder, tag)

    def _came_out(self, found: Header | Fragment, keyframe_follows: bool) -> None:
        if isinstance(found, Header):
            self._packager.begin(found)
        else:
            self._packager.add(found, keyframe_follows=keyframe_follows)

    async def _send(self, encoder: Encoder, tag: Tag) -> None:
        try:
            await encoder.send(tag)
        except EncoderDied as failure:
            log.error("encoder.died", stream_id=self._stream_id, pid=encoder.pid, code=failure.code)
            await self._close(encoder)

    async def _close(self, encoder: Encoder) -> None:
        self.encoder = None
        await asyncio.shield(encoder.finish())
        self._packager.pause()
