"""From one room to all its sockets on this node: encoded once, framed once, and a busy room sends few large frames.

A delivery's floor is the kernel's send (about 6 µs), so only fewer frames make a busy room cheaper. Three ways lead to
a member: its descriptor is in a list (`descriptors.py`), or it is slow, or it polls. Invariants:

- frames reach a member in the order they were sent; a new frame begins when the one before it has reached everybody;
- a slow member is skipped for droppable frames and told so (`lagged`) as soon as it can read again;
- in the middle of a frame nobody enters a list: whoever became slow before its turn missed it (and gets it another way
  if it must not be dropped), whoever came or became ready waits for the next one. So nobody gets a frame twice.
"""

import asyncio
import contextvars
import math
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from realtime.wire.descriptors import Descriptors, Writer
from realtime.wire.frames import raw_event_frame
from realtime.wire.websocket import message_frame

MAX_ENTRIES_PER_FRAME = 100
SHARE = 0.55  # of a core, at most, for the fan-out of one room
PAUSE_PER_COST = 8.0  # and gentler where that is cheap: what it cost times this, up to LONGEST_PAUSE_SECONDS
LONGEST_PAUSE_SECONDS = 0.06
SHOWN_SHARE = 0.05  # of a core, for what is only shown: the count of viewers changes all the time while people come
USUAL_LATE_SECONDS = 0.01  # another room's list was being written
EASE_PER_LATE = 8.0
LONGEST_EASE_SECONDS = 0.4
# No process takes so many sockets that a frame to all of them costs more than this by itself: the machine is full.
CROWDED_SECONDS = 0.15
PAUSE_PER_CROWDED = 4.0
LONGEST_INTERVAL_SECONDS = 2.0
SMOOTHING = 0.5
BUSY_SECONDS = 0.005  # the frame before is still on its way: look again


class Frame(NamedTuple):
    """What goes to everybody: Engine.IO packets, and the bytes they are on a WebSocket."""

    packets: tuple[str | bytes, ...]
    wire: bytes
    droppable: bool = False


def frame_of(*packets: str | bytes, droppable: bool = False) -> Frame:
    return Frame(packets, b"".join(map(message_frame, packets)), droppable)


class Member(Writer, Protocol):
    """A client in a room. Its `descriptor` is -1 while it polls."""

    @property
    def writable(self) -> bool:
        """It has a WebSocket and nothing waits in its transport."""
        ...

    def offer_frame(self, frame: Frame) -> None:
        """Queue a frame; bounds what waits by itself and never blocks."""
        ...

    def entered(self, audience: "Audience") -> None:
        """From now on tell the audience about `slowed`, `ready` and `moved`."""
        ...

    def left(self, audience: "Audience") -> None: ...


class Audience:
    """The members of one room on this node. `count` is told how many each frame goes to.

    `lagged` is the packet for somebody who missed droppable frames and can read again.
    """

    def __init__(self, count: Callable[[int], object], lagged: str | None = None) -> None:
        self.cost_seconds = 0.0  # of a frame to everybody, smoothed wall time
        self._count = count
        self._lagged_frame = frame_of(lagged) if lagged is not None else None
        self._members: dict[Member, None] = {}
        self._fast: Descriptors[Member] = Descriptors()
        self._others: dict[Member, None] = {}  # slow, or polling
        self._lagging: set[Member] = set()
        self._late: list[Member] = []  # who may enter a list once the frame has reached everybody
        self._waiting: deque[Frame] = deque()
        self._current: Frame | None = None
        self._next = 0  # the list whose turn it is
        self._pump: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    @property
    def busy(self) -> bool:
        """A frame is on its way."""
        return self._pump is not None

    def add(self, member: Member) -> None:
        if member not in self._members:
            self._members[member] = None
            self._others[member] = None
            member.entered(self)
            self._sort_anew(member)

    def discard(self, member: Member) -> None:
        if member in self._members:
            del self._members[member]
            member.left(self)
            self._fast.remove(member)
            self._others.pop(member, None)
            self._lagging.discard(member)

    def send(self, packet: str, *, droppable: bool = False) -> None:
        """Send one packet to everybody."""
        self.send_frame(frame_of(packet, droppable=droppable))

    def send_frame(self, frame: Frame) -> None:
        """Everybody gets it, at once in a small room, list by list in a large one."""
        self._waiting.append(frame)
        if self._pump is None:
            if self._fast.lists <= 1:
                self._send_waiting()
            else:
                # Not in the context of whoever said it: its correlation id is not that of everything that follows.
                self._pump = asyncio.create_task(self._send_slowly(), context=contextvars.Context())

    async def settled(self) -> None:
        """Return when everything sent so far is on its way."""
        while self._pump is not None:
            await asyncio.shield(self._pump)

    # --- what members tell

    def slowed(self, member: Member) -> None:
        """Something waits in its transport."""
        number = self._fast.remove(member)
        if number is not None:
            self._others[member] = None
            if self._current is not None and number >= self._next:
                self._miss(member, self._current)

    def ready(self, member: Member) -> None:
        """Nothing waits any more."""
        if member in self._lagging and self._lagged_frame is not None:
            member.offer_frame(self._lagged_frame)
        self._lagging.discard(member)
        self._sort_anew(member)

    def moved(self, member: Member) -> None:
        """It polled and has a WebSocket now; what was sent before is in front of it already."""
        self._sort_anew(member)

    # --- how a frame travels

    def _send_waiting(self) -> None:
        while self._waiting:
            began = time.perf_counter()
            frame = self._begin()
            while self._next < self._fast.lists:
                self._write_next(frame)
            self._end(time.perf_counter() - began)

    async def _send_slowly(self) -> None:
        try:
            while self._waiting:
                began = time.perf_counter()
                frame = self._begin()
                spent = time.perf_counter() - began
                while self._next < self._fast.lists:
                    began = time.perf_counter()
                    self._write_next(frame)
                    spent += time.perf_counter() - began
                    await asyncio.sleep(0)  # everybody else's turn
                self._end(spent)
        finally:
            self._pump = None

    def _begin(self) -> Frame:
        frame = self._current = self._waiting.popleft()
        self._next = 0
        self._count(len(self._members))
        for member in tuple(self._others):
            self._miss(member, frame)
        return frame

    def _write_next(self, frame: Frame) -> None:
        number, self._next = self._next, self._next + 1
        for member in self._fast.write(number, frame.wire):
            self._others[member] = None  # it has the frame, the end of it in its transport
            self._sort_anew(member)

    def _end(self, seconds: float) -> None:
        self._current = None
        self.cost_seconds += SMOOTHING * (seconds - self.cost_seconds)
        late, self._late = self._late, []
        for member in late:
            self._sort_anew(member)

    def _miss(self, member: Member, frame: Frame) -> None:
        """A member that is in no list: polling ones get the frame, slow ones only what must not be dropped."""
        if member not in self._members:  # it was cut while the frame began
            return
        if frame.droppable and member.descriptor >= 0:
            self._lagging.add(member)
        else:
            member.offer_frame(frame)

    def _sort_anew(self, member: Member) -> None:
        """Into a list with it, if it can take a frame."""
        if member in self._others and member.writable:
            if self._current is not None:
                self._late.append(member)
            else:
                del self._others[member]
                self._fast.add(member)


class Merger:
    """Turns entries into `chat` frames; everything else overtakes nothing that was pushed before it.

    Sends at once when the last frame is long enough ago, and else merges: the interval grows with what a frame costs,
    and with how late the event loop is, so that a storm of connecting clients finds a node that has time for them.
    What is only shown (`show`) travels with the next entries, in one write, or when it has waited for its own share.
    """

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._entries: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._shown: str | None = None
        self._show_timer: asyncio.TimerHandle | None = None
        self._shown_at = -math.inf

    def push(self, entry: bytes) -> None:
        """Add one entry (JSON); it is on its way at once or with the next tick."""
        self._entries.append(entry)
        if self._timer is None:
            self._due = asyncio.get_running_loop().time()
            self._tick()

    def show(self, packet: str) -> None:
        """A packet of which only the newest counts, and which may be missed."""
        self._shown = packet
        if self._show_timer is None:
            loop = asyncio.get_running_loop()
            due = self._shown_at + self._audience.cost_seconds / SHOWN_SHARE
            if due <= loop.time() and not self._audience.busy:
                self._show_now()
            else:
                self._show_timer = loop.call_at(max(due, loop.time() + BUSY_SECONDS), self._show_now)

    def flush(self) -> None:
        """Send what waits now."""
        entries, self._entries = self._entries, []
        for start in range(0, len(entries), MAX_ENTRIES_PER_FRAME):
            some = entries[start : start + MAX_ENTRIES_PER_FRAME]
            chat = raw_event_frame("chat", b"[" + b",".join(some) + b"]")
            self._audience.send_frame(frame_of(chat, *self._take_shown(), droppable=True))

    def forget(self) -> None:
        """Drop what waits and stop the clocks."""
        self._entries.clear()
        self._take_shown()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _show_now(self) -> None:
        for packet in self._take_shown():
            self._audience.send(packet, droppable=True)

    def _take_shown(self) -> list[str]:
        if self._show_timer is not None:
            self._show_timer.cancel()
            self._show_timer = None
        if self._shown is None:
            return []
        packet, self._shown = self._shown, None
        self._shown_at = asyncio.get_running_loop().time()
        return [packet]

    def _tick(self) -> None:
        self._timer = None
        if not self._entries:
            return
        loop = asyncio.get_running_loop()
        wait, late = BUSY_SECONDS, loop.time() - self._due
        if not self._audience.busy:
            self.flush()
            wait = interval_seconds(self._audience.cost_seconds, late)
        self._due = loop.time() + wait
        self._timer = loop.call_at(self._due, self._tick)


def interval_seconds(cost_seconds: float, late_seconds: float = 0.0) -> float:
    """How long after one frame the next may begin: what a frame to everybody costs, how late the event loop is.

    Costs are wall time, so nodes that fight for the same cores give way to each other.

    100 members (0.7 ms): 7 ms. 5,000 (35 ms): 125 ms. 18,000 (120 ms): 280 ms, which is 0.43 of a core.
    """
    pause = min(LONGEST_PAUSE_SECONDS, PAUSE_PER_COST * cost_seconds)
    ease = min(LONGEST_EASE_SECONDS, EASE_PER_LATE * max(0.0, late_seconds - USUAL_LATE_SECONDS))
    crowded = PAUSE_PER_CROWDED * max(0.0, cost_seconds - CROWDED_SECONDS)
    return min(LONGEST_INTERVAL_SECONDS, pause + ease + crowded + cost_seconds / SHARE)
