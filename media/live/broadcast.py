"""A stream on air: its packager, which outlives encoders, and the encoder that publishes to it now."""

import asyncio
import contextlib
import time

from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.settings import LiveSettings
from media.errors import AlreadyPublishing
from media.ingest import flv
from media.ingest.flv import Kind, Tag
from media.ingest.meter import WANTED, Meter
from media.ingest.rtmp import Metadata
from media.ingest.server import Line
from media.ingest.timeline import Pace, Timeline
from media.packaging.feed import Feed
from media.packaging.packager import DISCONTINUITIES_PER_CONNECTION, LOW, STANDARD, Packager, first_number
from media.ports import Admission, IngestDesk, Recording, Recordings

SILENT_SECONDS = 5.0  # then another encoder with the same key takes over: encoders reconnect before we notice
LONGEST_WAIT_SECONDS = 1.0  # for one tag of an encoder that sends too fast

log = get_logger(__name__)


class Broadcast:
    """`publisher` is the one encoder that may send, or None while none is connected."""

    def __init__(
        self,
        admission: Admission,
        desk: IngestDesk,
        settings: LiveSettings,
        clock: Clock,
        recordings: Recordings | None = None,
    ) -> None:
        self.is_recorded = admission.record
        self.recordings = recordings
        self.stream_id = admission.stream_id
        self.playback_id = admission.playback_id
        self.key = ""  # the last one that was let in
        self.publisher: Publisher | None = None
        self._present: list[Publisher] = []  # who may still feed the packager: the publisher, and who was replaced
        self.packager = Packager(
            LOW if admission.latency == "low" else STANDARD,
            first_number(admission.created_at, clock()),
            admission.connection * DISCONTINUITIES_PER_CONNECTION,
            clock,
        )
        self.quiet_since = time.monotonic()
        self.pace = Pace(self.quiet_since)  # of all its encoders together
        self._desk = desk
        self._settings = settings
        self._clock = clock

    async def join(self, key: str, line: Line) -> "Publisher":
        """Make this line the publisher. Raises `AlreadyPublishing` while another one is heard."""
        if (rival := self.publisher) is not None:
            if rival.key == key and not rival.is_silent:  # another key: the rival's was replaced
                raise AlreadyPublishing
            rival.line.hang_up("replaced", "Another connection took over.")
        publisher = Publisher(self, key, line, self._desk, self._settings.ffmpeg, self._clock)
        self.publisher, self.key = publisher, key
        earlier = list(self._present)
        self._present.append(publisher)
        try:
            for one in earlier:
                await one.is_gone.wait()
        except asyncio.CancelledError:
            self.left(publisher)  # it never was a taker, so nobody calls its `gone`
            raise
        return publisher

    def record(self, *, is_recorded: bool) -> None:
        """Whether what comes from now on is kept."""
        self.is_recorded = is_recorded
        if self.publisher is not None and self.publisher.recording is not None:
            self.publisher.recording.is_on = is_recorded

    def left(self, publisher: "Publisher") -> bool:
        """Whether it was the one on air."""
        self.quiet_since = time.monotonic()
        self._present.remove(publisher)
        publisher.is_gone.set()
        if self.publisher is not publisher:
            return False
        self.publisher = None
        return True


class Publisher:
    """One accepted connection: the taker of its media."""

    def __init__(self, broadcast: Broadcast, key: str, line: Line, desk: IngestDesk, ffmpeg: str, clock: Clock) -> None:
        self.key = key
        self.line = line
        self.is_gone = asyncio.Event()
        self._broadcast = broadcast
        self._desk = desk
        self._feed = Feed(ffmpeg, broadcast.packager, broadcast.stream_id)
        self._connected_at = clock()
        self._heard = now = time.monotonic()
        self._timeline, self._meter = Timeline(), Meter(now)
        self._furthest_ms = 0
        self._connection: int | None = None  # its number, once the desk knows of it
        self.recording: Recording | None = None
        self._is_playable = False  # as the desk was told

    @property
    def is_silent(self) -> bool:
        return time.monotonic() - self._heard > SILENT_SECONDS

    async def take(self, event: Tag | Metadata) -> None:
        """One tag. Raises what ends the connection: `StreamIsOver`, `Unavailable`, `EncoderDied`."""
        self._heard = time.monotonic()
        if isinstance(event, Metadata):
            self._meter.told(event.values)
        elif (seen := flv.look(event)) is not None:
            await self._take(event, seen)

    async def _take(self, tag: Tag, seen: flv.Look) -> None:
        at = self._timeline.place(tag.kind, tag.timestamp_ms)
        self._meter.jumps = self._timeline.jumps
        self._meter.saw(tag.kind, seen, at, len(tag.payload), self._heard)
        if seen.codec != WANTED[tag.kind]:
            return  # the health report says so
        if tag.kind == Kind.VIDEO and seen.frame and self._connection is None:
            await self._connect()
        await self._feed.take(Tag(tag.kind, at, tag.payload), seen)
        if self._broadcast.packager.playable and not self._is_playable:
            await self.report()  # viewers are waiting for this
        wait = self._broadcast.pace.wait_seconds(at - self._furthest_ms, time.monotonic())
        self._furthest_ms = max(self._furthest_ms, at)
        if wait > 0:
            await asyncio.sleep(min(wait, LONGEST_WAIT_SECONDS))

    async def _connect(self) -> None:
        broadcast = self._broadcast
        self._connection = await self._desk.connected(broadcast.stream_id)
        if broadcast.recordings is not None:
            self.recording = broadcast.recordings.take(
                broadcast.stream_id, self._connection, is_on=broadcast.is_recorded
            )
            broadcast.packager.tap = self.recording

    async def report(self) -> None:
        """Tell the desk how it goes; a desk that does not answer is asked again next time."""
        self._is_playable = self._broadcast.packager.playable
        health = self._meter.health(time.monotonic(), self._connected_at, playable=self._is_playable)
        try:
            await self._desk.report(self._broadcast.stream_id, health)
        except FootlightError as failure:
            log.error("ingest.report_lost", stream_id=self._broadcast.stream_id, code=failure.code)

    async def gone(self, reason: str) -> None:
        """Close the feed and tell the desk, unless another encoder took over already."""
        try:
            await self._feed.finish()
        finally:
            self._stop_recording()
            was_on_air = self._broadcast.left(self)
        if was_on_air and self._connection is not None:
            await self._tell_dropped(reason, self._connection)

    def _stop_recording(self) -> None:
        """All segments are out: `finish` let out what was inside, and nobody else feeds the packager before we left."""
        if self.recording is not None:
            self._broadcast.packager.tap = None
            self.recording.close()

    async def _tell_dropped(self, reason: str, connection: int) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await self._desk.dropped(self._broadcast.stream_id, reason, connection)
            except FootlightError as failure:
                # The sweeper notices the missing health reports.
                log.error("ingest.drop_untold", stream_id=self._broadcast.stream_id, code=failure.code)
