"""The newest lines of one room in memory, so that joins need no log: a storm of reconnects costs Redis nothing.

Invariants: `lines` is unbroken and ends at `position`; it grows by exactly what is passed on to the audience. So an
answer from here, and a place in the audience taken in the same step of the event loop, miss nothing: what comes after
`position` is passed on in order to everybody there, or everybody is told that the room begins anew.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice

from realtime.room.log import FRESH_ENTRIES, KEEP_ENTRIES, Line, Lost, Position, Recovered
from realtime.room.redaction import Removals, tombstone


class RecentLines:
    """At most KEEP_ENTRIES lines, about 400 bytes each; the log's answers are never longer. No removed line stays."""

    def __init__(self, stream_id: str) -> None:
        self.position: Position | None = None
        self._stream_id = stream_id
        self._removals = Removals()
        self._lines: deque[Line] = deque(maxlen=KEEP_ENTRIES)
        self._whole = False  # nothing older can be had from the log

    def begin(self, found: Recovered | Lost) -> None:
        """Forget everything and begin from a fresh view."""
        self.position = found.position
        self._removals = Removals()
        self._keep(found.lines)
        self._whole = len(found.lines) < FRESH_ENTRIES

    def add(self, line: Line) -> bytes | None:
        """The line after `position`; what it removes, if it does (see `covered_by`)."""
        if self.position is not None:
            self.position = Position(self.position.epoch, line.offset)
        removed = self._removals.add(line)
        if removed is not None:
            self._lines = deque(map(self.as_shown, self._lines), KEEP_ENTRIES)
        self._lines.append(line)
        return removed

    def as_shown(self, line: Line) -> Line:
        """The line, or its tombstone."""
        return tombstone(line, self._stream_id) if self._removals.cover(line) else line

    def find(self, mark: bytes) -> Line | None:
        """The newest line with this mark."""
        return next((line for line in reversed(self._lines) if line.mark == mark), None)

    def newest_of(self, user: bytes) -> Line | None:
        """The newest line that this user said."""
        return next((line for line in reversed(self._lines) if line.mark.startswith(user + b" ")), None)

    def fill(self, found: Recovered | Lost) -> bool:
        """Take in the longest view the log gives; False when it is of another epoch than what is here."""
        here = self.position
        if here is None or here.epoch != found.position.epoch:
            return False
        known = {line.offset: line for line in (*found.lines, *self._lines) if line.offset <= here.offset}
        self._keep(known[offset] for offset in sorted(known))
        self._whole = True
        return True

    def knows_less(self, asked: Position | None) -> bool:
        """A reader who was on another node may have seen what this one has yet to hear."""
        here = self.position
        return asked is not None and here is not None and asked.epoch == here.epoch and asked.offset > here.offset

    def answer(self, asked: Position | None) -> Recovered | Lost | None:
        """What `RoomLog.since` would say up to `position`; None when only the log can tell."""
        here = self.position
        if here is None or self.knows_less(asked):
            return None
        if asked is not None and asked.epoch == here.epoch:
            missed = here.offset - asked.offset
            if missed <= len(self._lines):
                return Recovered(here, self._newest(missed))
            if not self._whole:
                return None
        return Lost(here, self._newest(FRESH_ENTRIES))

    def bridge(self, found: Recovered | Lost) -> list[Line] | None:
        """The lines that were passed on after `found` was read; None when they cannot be told any more."""
        here = self.position
        if here is None or here.epoch != found.position.epoch:
            return None
        missed = max(0, here.offset - found.position.offset)
        return self._newest(missed) if missed <= len(self._lines) else None

    def _newest(self, count: int) -> list[Line]:
        return list(islice(self._lines, max(0, len(self._lines) - count), None))

    def _keep(self, lines: Iterable[Line]) -> None:
        """Keep the unbroken end of these: a log may have holes."""
        self._lines.clear()
        for line in map(self.as_shown, lines):
            if self._lines and line.offset != self._lines[-1].offset + 1:
                self._lines.clear()
            self._lines.append(line)
        if self._lines and self.position is not None and self._lines[-1].offset != self.position.offset:
            self._lines.clear()
