"""Turns an encoder's timestamps into a clock that only goes forward, and says how fast it may go. Pure.

Encoders wrap at 32 bits, jump when a source changes, and some send a file as fast as they can. Audio and video share
one clock, so a jump moves both by the same amount and they stay in step.
"""

from dataclasses import dataclass, field

from media.ingest.flv import Kind

BACKWARD_MS, FORWARD_MS = 2000, 5000  # further than that is a jump; audio and video interleave within a second or two
STEP_MS = 33  # what passes over a jump
WRAP = 1 << 32


@dataclass(slots=True)
class Timeline:
    """`place` each tag; `jumps` counts what had to be mended."""

    jumps: int = 0
    now_ms: int = 0
    _last_raw_ms: int | None = None
    _placed_ms: dict[Kind, int] = field(default_factory=dict)

    def place(self, kind: Kind, timestamp_ms: int) -> int:
        """Milliseconds since the first tag; grows with every tag of a kind."""
        if self._last_raw_ms is not None:
            delta = (timestamp_ms - self._last_raw_ms + WRAP // 2) % WRAP - WRAP // 2
            if not -BACKWARD_MS <= delta <= FORWARD_MS:
                self.jumps += 1
                delta = STEP_MS
            self.now_ms += delta
        self._last_raw_ms = timestamp_ms
        placed = max(self.now_ms, self._placed_ms.get(kind, -1) + 1)
        self._placed_ms[kind] = placed
        return placed


RATE = 2.0  # media seconds we take in a second: an encoder may catch up after a stall of its network
BURST_SECONDS = 5.0


class Pace:
    """A budget of media time. Without it, one file sent at full speed would fill the window with segments at once."""

    def __init__(self, now_seconds: float) -> None:
        self._budget = BURST_SECONDS
        self._asked = now_seconds

    def wait_seconds(self, advance_ms: int, now_seconds: float) -> float:
        """How long to hold back media that is `advance_ms` further; zero for encoders that send in real time."""
        self._budget = min(BURST_SECONDS, self._budget + (now_seconds - self._asked) * RATE)
        self._asked = now_seconds
        self._budget -= max(0, advance_ms) / 1000
        return max(0.0, -self._budget / RATE)
