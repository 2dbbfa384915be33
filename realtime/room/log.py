"""The port of a room's log: the order of everything said, kept for a while, with no holes ever.

Offsets begin at 1 and grow by one. `epoch` is random and changes when the log was lost; an offset means nothing
outside of its epoch. The log keeps the newest KEEP_ENTRIES entries. One port, two implementations, one contract test.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

KEEP_ENTRIES = 1000
FRESH_ENTRIES = 100
DUPLICATE_SECONDS = 600
RATE_COUNT = 20
RATE_SECONDS = 30


class Position(NamedTuple):
    """A place in a log."""

    epoch: str
    offset: int


class Line(NamedTuple):
    """One entry as it is kept and sent: JSON with its offset inside."""

    offset: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its offset. `body` is a JSON object without `offset`; `id` is unique to its user."""

    user_id: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Recovered:
    """Exactly what came after the asked position, up to `position`."""

    position: Position
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Lost:
    """What was missed cannot be given without a hole: begin again from the newest lines."""

    position: Position
    lines: list[Line]


class RoomLog(Protocol):
    """Every method raises `Unavailable` when the log does not answer; an append may then be repeated safely."""

    async def append(self, room: str, draft: Draft) -> Position:
        """Give the entry its place, keep it and tell every node; the same id again gets the same answer.

        Raises `RoomEnded`, or `ChatTooFast` beyond RATE_COUNT entries of a user in any RATE_SECONDS.
        """
        ...

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        """What came after `position`; None asks for a fresh view of at most `fresh` lines, as `Lost`."""
        ...

    async def tail(self, room: str, count: int) -> list[Line]:
        """The newest `count` lines, oldest first."""
        ...
