"""When the archiver looks at which room: often where things are said, seldom where nothing is.

Pure; all times are seconds of any one clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 8.0
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 15.0


@dataclass
class Schedule:
    """A room is looked at again after FIRST_SECONDS, and half as often each time nothing was found."""

    _next: dict[str, tuple[float, float]] = field(default_factory=dict)  # when, and the pause before it

    def due(self, rooms: Iterable[str], now: float) -> list[str]:
        """Those to look at now; rooms that are not among `rooms` are forgotten."""
        self._next = {room: self._next.get(room, (now, 0.0)) for room in rooms}
        return [room for room, (at, _) in self._next.items() if at <= now]

    def looked(self, room: str, now: float, *, found: bool) -> None:
        pause = FIRST_SECONDS
        if not found and room in self._next:
            pause = min(LONGEST_SECONDS, max(FIRST_SECONDS, 2 * self._next[room][1]))
        self._next[room] = (now + pause, pause)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 10))
