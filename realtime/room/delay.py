"""Moderator-first delay: lines that moderators have seen and all others not yet."""

import asyncio
from collections import deque
from collections.abc import Callable

from realtime.room.log import Line


class HeldBack:
    """Gives each line to `release` in order, so many seconds after it came; `seconds` may change at any time.

    While anything waits, lines that come later wait behind it: offsets never overtake each other.
    """

    def __init__(self, release: Callable[[Line], None]) -> None:
        self.seconds = 0
        self._release = release
        self._waiting: deque[tuple[float, Line]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, line: Line) -> None:
        if not self.seconds and not self._waiting:
            self._release(line)
            return
        self._waiting.append((asyncio.get_running_loop().time() + self.seconds, line))
        self._wind()

    def let_go(self) -> None:
        """Release everything now."""
        while self._waiting:
            self._release(self._waiting.popleft()[1])
        self.forget()

    def forget(self) -> None:
        """Drop what waits and stop the clock."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._due)

    def _due(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now + 0.01:
            self._release(self._waiting.popleft()[1])
        self._wind()
