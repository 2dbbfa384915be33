"""Paid messages that are still on top of the chat: who comes later is told of them too. Pure.

Of all that is said only what was paid for is decoded. A node that opened the room later knows what is among the lines
it began with.
"""

from collections.abc import Callable, Iterable

import msgspec

from realtime.entries import Paid
from realtime.room.log import Line
from realtime.room.redaction import is_control

PAID = b'"paid":{'  # quotes in a text are escaped, so that nobody can write this
MOST = 100

Shown = Callable[[Line], Line]


class _PaidLine(msgspec.Struct):
    """As much of a message as tells how long it is on top."""

    at: int
    paid: Paid | None = None


class OnTop:
    """Takes in the lines of the log in their order."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, Line]] = []

    def begin(self, lines: Iterable[Line]) -> None:
        """Forget everything, and begin from these."""
        self._lines = []
        for line in lines:
            self.look(line)

    def look(self, line: Line) -> None:
        if PAID not in line.entry or is_control(line.mark):
            return
        seen = msgspec.json.decode(line.entry, type=_PaidLine)
        if seen.paid is not None and seen.paid.pin_seconds > 0:
            self._lines = [*self._lines, (seen.at + seen.paid.pin_seconds * 1000, line)][-MOST:]

    def now(self, at: int, as_shown: Shown, *, up_to: int | None = None) -> list[Line]:
        """Those on top at this moment (Unix milliseconds), the oldest first, none that was removed; `as_shown` makes a
        tombstone of one that was. None of a line beyond the offset `up_to`."""
        self._lines = [(until, line) for until, line in self._lines if until > at]
        return [line for _, line in self._lines if as_shown(line) is line and (up_to is None or line.offset <= up_to)]
