"""The viewers one node holds in one room, and what Redis was told of them. Pure: times come in.

Only changes are told. A report that got no answer is sent again as it was, under its number, and counts once; so Redis
holds exactly what `_told` says, or answers that it does not know this life, and everybody is told anew under another.
"""

import secrets
from itertools import islice
from typing import NamedTuple

BATCH = 120  # viewers in one call: about a millisecond of the shard's time (9 µs each, half of them signed in)


class Report(NamedTuple):
    """`came` are viewers with their line in the list of people (empty: anonymous)."""

    life: str
    number: int
    came: list[tuple[bytes, bytes]]
    left: list[bytes]


class Held:
    """One life of a node in a room. A viewer who left is let go `linger_seconds` later: a reload is no change."""

    def __init__(self, linger_seconds: float) -> None:
        self._linger_seconds = linger_seconds
        self._tabs: dict[bytes, int] = {}
        self._lines: dict[bytes, bytes] = {}  # of those who signed in
        self._came: dict[bytes, None] = {}
        self._left: dict[bytes, float] = {}  # until; in order, because all linger alike
        self._begin()

    def _begin(self) -> None:
        self._life = secrets.token_hex(6)
        self._number = 0
        self._pending: Report | None = None
        self._told: set[bytes] = set()  # what Redis holds once the pending report is settled

    def enter(self, viewer: bytes, line: bytes) -> None:
        """One more tab; a new `line` replaces the one before."""
        self._tabs[viewer] = self._tabs.get(viewer, 0) + 1
        self._left.pop(viewer, None)
        changed = bool(line) and self._lines.get(viewer) != line
        if changed:
            self._lines[viewer] = line
        if changed or viewer not in self._told:
            self._came[viewer] = None

    def leave(self, viewer: bytes, now: float) -> None:
        self._tabs[viewer] -= 1
        if self._tabs[viewer]:
            return
        del self._tabs[viewer]
        self._lines.pop(viewer, None)
        self._came.pop(viewer, None)
        if viewer in self._told:
            self._left[viewer] = now + self._linger_seconds

    def waits(self, now: float) -> bool:
        """Whether there is something to tell."""
        return bool(self._pending or self._came) or next(iter(self._left.values()), now + 1) <= now

    @property
    def over(self) -> bool:
        """Nobody is here and Redis knows it."""
        return not (self._tabs or self._left or self._came or self._pending)

    def report(self, now: float) -> Report:
        """The next report, maybe of nothing; the same again until it is `settled`."""
        if self._pending is None:
            came = list(islice(self._came, BATCH))
            left = [viewer for viewer, until in islice(self._left.items(), BATCH) if until <= now]
            for viewer in came:
                del self._came[viewer]
            for viewer in left:
                del self._left[viewer]
            self._told.update(came)
            self._told.difference_update(left)
            self._number += 1
            lines = [(viewer, self._lines.get(viewer, b"")) for viewer in came]
            self._pending = Report(self._life, self._number, lines, left)
        return self._pending

    def settled(self) -> None:
        """The report was answered."""
        self._pending = None

    def begin_again(self) -> None:
        """Redis does not know this life (it was thought dead, or the shard lost it): everybody under a new one."""
        self._begin()
        self._left.clear()
        self._came = dict.fromkeys(self._tabs)
