"""When a big room slows itself down: pure.

A room where more than `above_per_second` was said over a watch, with at least `viewers` in it, gets slow mode; it ends
after CALM_WATCHES in a row with less than half of that.
"""

from dataclasses import dataclass

WATCH_SECONDS = 5.0
SLOW_SECONDS = 10
CALM_WATCHES = 6


@dataclass(slots=True)
class Loudness:
    """One room, looked at every WATCH_SECONDS. `above_per_second` 0 turns it off."""

    above_per_second: float
    viewers: int
    said: int = 0
    calm: int = 0

    def wanted(self, said: int, viewers: int, slow_seconds: int) -> int | None:
        """The seconds that slow mode should have from now on; None for as it is. `said` counts all messages so far."""
        rate, self.said = (said - self.said) / WATCH_SECONDS, said
        if not self.above_per_second:
            return 0 if slow_seconds else None
        self.calm = self.calm + 1 if rate < self.above_per_second / 2 else 0
        if not slow_seconds:
            return SLOW_SECONDS if rate > self.above_per_second and viewers >= self.viewers else None
        return 0 if self.calm >= CALM_WATCHES else None
