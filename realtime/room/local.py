"""One room on one node: who is in it, how far its log was passed on, and how a hole is noticed and filled.

A receiver never decodes what the bus carries: `m <epoch> <offset> <entry>` is a log entry, `v <viewers> <peak>` the
count, `s <status>` a change of the stream. Invariants:

- `position` only moves forward by one entry at a time, each passed on in order; an entry that jumps is not passed on
  before the log was asked for what is between. So who is in the audience misses nothing.
- While a fetch runs, entries from the bus are only noted (`_heard`); the fetch repeats until it has passed them.
- When the log cannot fill the hole, everybody is told `room:reset` and joins again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from infra.errors import Unavailable
from infra.logs import get_logger
from realtime.events import RoomReset, RoomStatus, RoomViewers
from realtime.ports import StreamSnapshot
from realtime.room.log import Line, Lost, Position, Recovered, RoomLog
from realtime.wire.fanout import Audience, Merger
from realtime.wire.frames import event_frame, raw_event_frame

RECENT_LINES = 128  # bridges the moment between reading the log and joining the audience
FETCH_ATTEMPTS = 8
LONGEST_WAIT_SECONDS = 2.0

log = get_logger(__name__)
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Room:
    """Hears one channel (see `realtime.cluster.Receiver`) and passes on what it hears."""

    def __init__(
        self, stream: StreamSnapshot, room_log: RoomLog, spawn: Spawn, count_sent: Callable[[int], object]
    ) -> None:
        self.id = stream.id
        self.stream = stream
        self.viewers = self.peak = 0
        self.audience = Audience(count_sent)
        self.joining = 0
        self.position: Position | None = None
        self._log = room_log
        self._spawn = spawn
        self._merger = Merger(self.audience.send)
        self._heard: Position | None = None
        self._recent: deque[Line] = deque(maxlen=RECENT_LINES)
        self._fetching: asyncio.Task[None] | None = None
        self._stale = False  # the subscription stands anew: what was read before may lack what it missed

    async def begin(self) -> None:
        """Called once the subscription stands; what was heard meanwhile is fetched if the log's answer lacks it."""
        found = await self._log.since(self.id, None, fresh=0)
        self.position = found.position
        self._fetch_unless_level()

    def close(self) -> None:
        self._merger.forget()
        if self._fetching is not None:
            self._fetching.cancel()

    def bridge(self, found: Recovered | Lost) -> list[Line] | None:
        """The lines that were passed on after `found` was read; None when they cannot be told any more."""
        here = self.position
        if here is None or here.epoch != found.position.epoch:
            return None
        after = found.position.offset
        lines = [line for line in self._recent if line.offset > after]
        return lines if len(lines) >= here.offset - after else None

    # --- the bus

    def received(self, payload: bytes) -> None:
        kind, _, rest = payload.partition(b" ")
        if kind == b"m":
            epoch, offset, entry = rest.split(b" ", 2)
            self._take(Position(epoch.decode(), int(offset)), entry)
        elif kind == b"v":
            self.viewers, self.peak = map(int, rest.split())
            count = RoomViewers(stream_id=self.id, viewers=self.viewers, peak=self.peak)
            self.audience.send(event_frame("room:viewers", count))
        elif kind == b"s":
            self._status(rest)

    def resumed(self) -> None:
        self._stale = True
        self._fetch()

    def _take(self, position: Position, entry: bytes) -> None:
        self._heard = position
        here = self.position
        if here is None or self._fetching is not None:
            return
        if position == (here.epoch, here.offset + 1):
            self._pass_on(Line(position.offset, entry))
        elif position.epoch != here.epoch or position.offset > here.offset:
            self._fetch()

    def _pass_on(self, line: Line) -> None:
        if self.position is not None:
            self.position = Position(self.position.epoch, line.offset)
        self._recent.append(line)
        self._merger.push(line.entry)

    def _status(self, body: bytes) -> None:
        status = msgspec.json.decode(body, type=RoomStatus)
        self.stream = msgspec.structs.replace(
            self.stream, status=status.status, title=status.title, category=status.category
        )
        self._merger.flush()  # what was said before the end is read before the end
        self.audience.send(raw_event_frame("room:status", body))

    # --- holes

    def _fetch(self) -> None:
        if self._fetching is None and self.position is not None:
            self._fetching = self._spawn(self._catch_up())

    def _fetch_unless_level(self) -> None:
        if self._stale or not self._is_level():
            self._fetch()

    def _is_level(self) -> bool:
        return self._heard is None or self.position is None or _covers(self.position, self._heard)

    async def _catch_up(self) -> None:
        try:
            for attempt in range(FETCH_ATTEMPTS):
                self._stale = False
                try:
                    self._adopt(await self._log.since(self.id, self.position, fresh=0))
                except Unavailable as failure:
                    log.info("room.hole_waits", stream_id=self.id, code=failure.code)
                    self._stale = True
                    await asyncio.sleep(min(LONGEST_WAIT_SECONDS, 0.1 * 2**attempt))
                    continue
                if not self._stale and self._is_level():
                    return
            log.error("room.hole", stream_id=self.id)
            self._reset()
        finally:
            self._fetching = None

    def _adopt(self, found: Recovered | Lost) -> None:
        if isinstance(found, Lost):
            self._reset()
            self.position = found.position
            return
        for line in found.lines:
            self._pass_on(line)

    def _reset(self) -> None:
        self._merger.forget()
        self._recent.clear()
        self.audience.send(event_frame("room:reset", RoomReset(stream_id=self.id)))


def _covers(here: Position, heard: Position) -> bool:
    return here.epoch == heard.epoch and here.offset >= heard.offset
