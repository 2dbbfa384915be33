"""From one room to all its sockets on this node: a frame is encoded once, and a busy room sends few large frames.

A delivery's floor is the kernel's send, so only fewer frames make a busy room cheaper. A quiet room sends at once;
entries that come within TICK_SECONDS of the last frame wait for the tick and travel together, in order.

`Audience` is what a faster wire replaces: everything above it hands over whole frames and knows no socket.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from realtime.wire.frames import raw_event_frame

TICK_SECONDS = 0.05
MAX_ENTRIES_PER_FRAME = 100


class Listener(Protocol):
    """Something a frame can be written to; it bounds what waits by itself and never blocks."""

    def offer(self, frame: str) -> None: ...


class Audience:
    """The sockets of one room on this node. `count` is told how many each frame goes to."""

    def __init__(self, count: Callable[[int], object]) -> None:
        self._listeners: dict[Listener, None] = {}
        self._count = count

    def __len__(self) -> int:
        return len(self._listeners)

    def add(self, listener: Listener) -> None:
        self._listeners[listener] = None

    def discard(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)

    def send(self, frame: str) -> None:
        """Queue one frame for everybody."""
        for listener in tuple(self._listeners):
            listener.offer(frame)
        self._count(len(self._listeners))


class Merger:
    """Turns entries into `chat` frames; everything else overtakes nothing that was pushed before it."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._entries: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def push(self, entry: bytes) -> None:
        """Add one entry (JSON); it is on its way at once or within TICK_SECONDS."""
        self._entries.append(entry)
        if self._timer is None:
            self.flush()
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def flush(self) -> None:
        """Send what waits now."""
        entries, self._entries = self._entries, []
        for start in range(0, len(entries), MAX_ENTRIES_PER_FRAME):
            some = entries[start : start + MAX_ENTRIES_PER_FRAME]
            self._send(raw_event_frame("chat", b"[" + b",".join(some) + b"]"))

    def forget(self) -> None:
        """Drop what waits and stop the clock."""
        self._entries.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if self._entries:
            self.flush()
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
