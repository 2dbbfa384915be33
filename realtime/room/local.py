"""One room on one node: who is in it, how far its log was passed on, and how a hole is noticed and filled.

A receiver never decodes what the bus carries: `m <epoch> <offset> <entry>` is a log entry, `v <viewers> <peak>` the
count, `s <status>` a change of the stream, `c <seconds>` slow mode. Invariants:

- `position` only moves forward by one entry at a time, each passed on in order; an entry that jumps is not passed on
  before the log was asked for what is between. So who is in the audience misses nothing.
- While a fetch runs, entries from the bus are only noted (`_heard`); the fetch repeats until it has passed them.
- When the log cannot fill the hole, everybody is told `room:reset` and joins again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from infra.errors import Unavailable
from infra.logs import get_logger
from realtime.events import RoomLagged, RoomReset, RoomStatus, RoomViewers
from realtime.ports import StreamSnapshot
from realtime.room.lines import RecentLines
from realtime.room.log import FRESH_ENTRIES, Line, Lost, Position, Recovered
from realtime.room.reads import Readable
from realtime.wire.fanout import Audience, Merger
from realtime.wire.frames import event_frame, raw_event_frame

FETCH_ATTEMPTS = 8
LONGEST_WAIT_SECONDS = 2.0

log = get_logger(__name__)
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Room:
    """Hears one channel (see `realtime.cluster.Receiver`) and passes on what it hears."""

    def __init__(
        self, stream: StreamSnapshot, room_log: Readable, spawn: Spawn, count_sent: Callable[[int], object]
    ) -> None:
        self.id = stream.id
        self.stream = stream
        self.viewers = self.peak = 0
        lagged = event_frame("room:lagged", RoomLagged(stream_id=stream.id))
        self.audience = Audience(count_sent, lagged)
        self.joining = 0
        self.slow_seconds = 0
        self.lines = RecentLines()
        self._log = room_log
        self._spawn = spawn
        self._merger = Merger(self.audience)
        self._heard: Position | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._stale = False  # the subscription stands anew: what was read before may lack what it missed
        self._rules_heard = 0

    @property
    def position(self) -> Position | None:
        """How far the log was passed on; None before `begin`."""
        return self.lines.position

    async def begin(self) -> None:
        """Called once the subscription stands; what was heard meanwhile is fetched if the log's answer lacks it."""
        self.lines.begin(await self._look(None))
        self._fetch_unless_level()

    def close(self) -> None:
        self._merger.forget()
        if self._fetching is not None:
            self._fetching.cancel()

    # --- the bus

    def received(self, payload: bytes) -> None:
        kind, _, rest = payload.partition(b" ")
        if kind == b"m":
            epoch, offset, entry = rest.split(b" ", 2)
            self._take(Position(epoch.decode(), int(offset)), entry)
        elif kind == b"v":
            self.viewers, self.peak = map(int, rest.split())
            count = RoomViewers(stream_id=self.id, viewers=self.viewers, peak=self.peak)
            self._merger.show(event_frame("room:viewers", count))
        elif kind == b"s":
            self._status(rest)
        elif kind == b"c":
            self.slow_seconds = int(rest)
            self._rules_heard += 1

    def resumed(self) -> None:
        """Something may have been missed, of another epoch even: ask the log."""
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
        self.lines.add(line)
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
                    self._adopt(await self._look(self.position))
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

    async def _look(self, position: Position | None) -> Recovered | Lost:
        heard = self._rules_heard
        found = await self._log.since(self.id, position, fresh=FRESH_ENTRIES)
        if heard == self._rules_heard:  # what was heard during the look may be newer than its answer
            self.slow_seconds = found.slow_seconds
        return found

    def _adopt(self, found: Recovered | Lost) -> None:
        if isinstance(found, Lost):
            self._reset()
            self.lines.begin(found)
            return
        for line in found.lines:
            self._pass_on(line)

    def _reset(self) -> None:
        self._merger.forget()
        self.audience.send(event_frame("room:reset", RoomReset(stream_id=self.id)))


def _covers(here: Position, heard: Position) -> bool:
    return here.epoch == heard.epoch and here.offset >= heard.offset
