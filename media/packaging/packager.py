"""Fragments become parts and segments, held in memory for as long as players may ask for them.

A segment begins at a keyframe once the one before is long enough. A new header (the encoder came back, or ffmpeg was
started anew) begins a discontinuity. Numbers only grow, also over a restart of this process: see `first_number`.
"""

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol

from infra.clock import Clock
from media.packaging.boxes import Fragment, Header
from media.packaging.playlist import Part, Segment, Variant, Window, media_playlist, multivariant, next_part

NUMBERS_PER_SECOND = 100
DISCONTINUITIES_PER_CONNECTION = 1000
MAX_BYTES = 96 << 20  # of one stream: 24 s at 32 Mbit/s
MAX_SOUND_BYTES = 1 << 20  # sound that waits for a picture
MIN_LISTED = 4
MAX_SEGMENT_SECONDS = 12.0  # then it is cut without a keyframe: an encoder may send none for minutes
PAUSED_TARGETS = 0.5  # hls.js gives up a blocking reload after 0.8 target durations and counts that as an error
# Further segments, and parts that may take longer to come, may not be waited for (RFC 8216bis, section 6.2.5.2). With
# parts of 0.235 s that leaves 39 things to wait for at a time, fewer than the edge lets one stream wait for.
MAX_AHEAD = 2
MAX_AHEAD_SECONDS = 3.0
MAX_AHEAD_PARTS = 3  # of those that last a second or more
FULL = 0.9  # a keyframe a little early still ends a segment


@dataclass(frozen=True, slots=True)
class Profile:
    """How finely a stream is cut. Seconds."""

    segment_seconds: float
    fragment_seconds: float  # what ffmpeg is asked for
    part_target_seconds: float | None
    window_seconds: float  # listed; as much again is kept for those who are late
    playable_segments: int


# Parts of 200 ms may be as long as 233 ms at 30 frames a second, and must not be shorter than 85 % of the target.
LOW = Profile(1.0, 0.2, 0.235, 12.0, 1)
STANDARD = Profile(2.0, 0.5, None, 24.0, 2)


def first_number(created_at: datetime, now: datetime) -> int:
    """Where numbering begins, so that a restarted process goes on above what the one before used.

    Media enters at twice its speed at most, after a burst of five seconds (`media.ingest.timeline.Pace`), and segments
    last 0.9 s or one connection: the numbers are used up far more slowly than the stream's life makes new ones.
    """
    return max(0, int((now - created_at).total_seconds() * NUMBERS_PER_SECOND))


class Tap(Protocol):
    """Who else gets each whole segment. It must neither block nor raise: it is called between two parts."""

    def segment(self, header: Header, segment: Segment) -> None: ...


class Packager:
    """One stream. Fed by the encoder's task, read by the origin; both on one event loop."""

    def __init__(self, profile: Profile, number: int, discontinuity: int, clock: Clock) -> None:
        self.profile = profile
        self.ended = False
        self.tap: Tap | None = None
        self._clock = clock
        self._next_number = number
        self._discontinuity_sequence = discontinuity
        self._next_header = discontinuity
        self._headers: dict[int, Header] = {}
        self._listed: deque[Segment] = deque()
        self._late: deque[Segment] = deque()  # no longer listed, still served
        self._bytes = 0
        self._target_seconds = max(1, round(profile.segment_seconds))
        self._part_target_seconds = profile.part_target_seconds
        self._epoch: float | None = None  # wall clock at media time zero of the present header
        self._is_paused = True  # no encoder
        self._break = False  # the next segment begins a discontinuity
        self._changed = asyncio.Event()
        self._text = ""
        self._peak_bits = 0.0
        self._sound = b""

    # --- what the encoder brings

    def begin(self, header: Header) -> None:
        """Fragments of another run of ffmpeg follow."""
        self.pause()
        if self._headers:
            self._next_header += 1
        self._is_paused = False
        self._break = bool(self._listed)
        self._sound = b""
        self._headers[self._next_header] = header
        self._epoch = None

    def add(self, fragment: Fragment, *, keyframe_follows: bool) -> None:
        """One more part. `keyframe_follows` lets the segment be whole now instead of one part later."""
        if fragment.samples == 0:
            self._carry(fragment)
            return
        segment = self._segment_for(fragment)
        part = Part(fragment.duration_seconds, fragment.independent, self._sound + fragment.data)
        self._sound = b""
        segment.parts.append(part)
        segment.frames += fragment.samples
        self._bytes += len(part.data)
        if self._part_target_seconds is not None and fragment.duration_seconds > self._part_target_seconds:
            # An encoder with few or uneven frames. The target should not change, but no part may be above it.
            self._part_target_seconds = math.ceil(fragment.duration_seconds * 20) / 20
        duration = segment.duration_seconds
        if duration >= MAX_SEGMENT_SECONDS or (keyframe_follows and self._is_full(duration)):
            self._complete(segment)
        self._trim()
        self._tell()

    def pause(self) -> None:
        """No more fragments until an encoder returns: what was begun is whole."""
        self._is_paused = True
        if (segment := self._open()) is not None:
            self._complete(segment)
        self._tell()

    def end(self) -> None:
        """Nothing will ever follow."""
        self.pause()
        self.ended = True
        self._tell()

    def _carry(self, fragment: Fragment) -> None:
        """Sound alone has no length of its own: it goes with the next frames."""
        if len(self._sound) + len(fragment.data) <= MAX_SOUND_BYTES:
            self._sound += fragment.data

    def _segment_for(self, fragment: Fragment) -> Segment:
        segment = self._open()
        if segment is not None and not (fragment.independent and self._is_full(segment.duration_seconds)):
            return segment
        if segment is not None:
            self._complete(segment)
        if self._epoch is None:
            self._epoch = self._began(fragment.duration_seconds) - fragment.start_seconds
        started = self._epoch + fragment.start_seconds
        segment = Segment(self._next_number, self._next_header, started, discontinuity=self._break)
        self._next_number += 1
        self._break = False
        self._listed.append(segment)
        return segment

    def _began(self, duration_seconds: float) -> float:
        """When the first fragment of a run began; not before what came earlier ended, even if that came too fast."""
        began = self._clock().timestamp() - duration_seconds
        if not self._listed:
            return began
        last = self._listed[-1]
        return max(began, last.starts_at + last.duration_seconds)

    def _is_full(self, duration_seconds: float) -> bool:
        return duration_seconds >= FULL * self.profile.segment_seconds

    def _complete(self, segment: Segment) -> None:
        segment.complete = True
        duration = segment.duration_seconds
        self._target_seconds = max(self._target_seconds, math.floor(duration + 0.5))
        if duration > 0:
            self._peak_bits = max(self._peak_bits, segment.size * 8 / duration)
        if self.tap is not None:
            self.tap.segment(self._headers[segment.header], segment)

    def _trim(self) -> None:
        listed_seconds = sum(segment.duration_seconds for segment in self._listed)
        while len(self._listed) > MIN_LISTED:
            listed_seconds -= self._listed[0].duration_seconds
            if listed_seconds < self.profile.window_seconds and self._bytes < MAX_BYTES:
                break
            gone = self._listed.popleft()
            self._discontinuity_sequence += gone.discontinuity
            self._late.append(gone)
        while self._late and (self._bytes > MAX_BYTES or self._late_seconds() > self.profile.window_seconds):
            self._bytes -= self._late.popleft().size
        oldest = next(self._kept()).header
        for number in [number for number in self._headers if number < oldest]:
            del self._headers[number]

    def _late_seconds(self) -> float:
        return sum(segment.duration_seconds for segment in self._late)

    def _tell(self) -> None:
        self._text = ""
        self._changed.set()
        self._changed = asyncio.Event()

    # --- what players ask for

    @property
    def playable(self) -> bool:
        """Enough is there for a player to start without running dry."""
        return sum(segment.complete for segment in self._listed) >= self.profile.playable_segments

    @property
    def has_parts(self) -> bool:
        return self._part_target_seconds is not None

    @property
    def target_seconds(self) -> int:
        return self._target_seconds

    @property
    def window(self) -> Window:
        segments = self._listed if self._part_target_seconds is not None else [s for s in self._listed if s.complete]
        return Window(
            segments=list(segments),
            target_seconds=self._target_seconds,
            part_target_seconds=self._part_target_seconds,
            discontinuity_sequence=self._discontinuity_sequence,
            ended=self.ended,
        )

    def playlist(self) -> str:
        """The media playlist as it is now; ask only when `playable`."""
        if not self._text:
            self._text = media_playlist(self.window)
        return self._text

    def multivariant(self) -> str:
        """The first playlist; ask only when `playable`."""
        header = self._headers[self._listed[-1].header]
        peak = int(self._peak_bits * 1.1)
        sizes = sum(segment.size for segment in self._listed)
        seconds = sum(segment.duration_seconds for segment in self._listed)
        average = min(peak, int(sizes * 8 / seconds))
        frames = sum(segment.frames for segment in self._listed)
        return multivariant(Variant(peak, average, header.codecs, header.width, header.height, frames / seconds))

    def header(self, number: int) -> bytes | None:
        found = self._headers.get(number)
        return found.data if found else None

    def segment(self, number: int) -> Segment | None:
        """A segment that is still kept, whole or not."""
        return next((segment for segment in self._kept() if segment.number == number), None)

    def part(self, number: int, index: int) -> bytes | None:
        segment = self.segment(number)
        return segment.parts[index].data if segment and index < len(segment.parts) else None

    def has(self, number: int, index: int | None) -> bool:
        """Whether everything up to that part, or that whole segment, is there. A part beyond the end of a whole
        segment means the first one of the next."""
        if self.ended or not self._listed:
            return self.ended
        last = self._listed[-1]
        if index is None:
            return last.number > number or (last.number == number and last.complete)
        return next_part(last) > (number, index) and not (
            last.number == number and last.complete and index >= len(last.parts)
        )

    def too_far(self, number: int, index: int | None) -> bool:
        """Whether nobody honest asks for that yet."""
        newest = self._next_number - 1
        if index is None or number < newest or number > newest + MAX_AHEAD:
            return number > newest + MAX_AHEAD
        segment = self.segment(number)
        return index >= (len(segment.parts) if segment else 0) + self._most_parts_ahead()

    def is_named(self, number: int, index: int | None) -> bool:
        """Whether a playlist that is not long past named that, or its next part. Of other names there is no end."""
        oldest, segment = next(self._kept(), None), self.segment(number)
        if oldest is None or number < oldest.number:
            return False
        return segment is None or index is None or index <= len(segment.parts)

    def is_next(self, number: int, index: int) -> bool:
        """Whether that is the part we hinted at."""
        return bool(self._listed) and not self.ended and next_part(self._listed[-1]) == (number, index)

    async def reached(self, number: int, index: int | None, seconds: float) -> bool:
        """Wait until `has`; False when it took longer. Without an encoder nothing is to be waited for."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while not self.has(number, index):
            left = until - clock()
            if self._is_paused:
                left = min(left, PAUSED_TARGETS * self._target_seconds)
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    def _most_parts_ahead(self) -> int:
        seconds = self._part_target_seconds
        return MAX_AHEAD_PARTS if seconds is None or seconds >= 1 else int(MAX_AHEAD_SECONDS / seconds)

    def _open(self) -> Segment | None:
        return self._listed[-1] if self._listed and not self._listed[-1].complete else None

    def _kept(self) -> Iterator[Segment]:
        return chain(self._late, self._listed)
