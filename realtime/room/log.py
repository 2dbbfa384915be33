"""The port of a room's log: the order of everything said, kept for a while, with no holes ever.

Offsets begin at 1 and grow by one. `epoch` is random and changes when the log was lost; an offset means nothing
outside of its epoch. The log keeps the newest KEEP_ENTRIES entries and everything the archive does not have yet.
One port, two implementations, one contract test.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from infra.errors import Unavailable

KEEP_ENTRIES = 1000
FRESH_ENTRIES = 100
DUPLICATE_SECONDS = 600
RATE_COUNT = 20
RATE_SECONDS = 30
MAX_UNARCHIVED = 20_000  # about 6 MB of a shard; half an hour of a room where 10 speak a second


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
    """An entry before it has its offset. `body` is a JSON object without `offset`; `id` is unique to its user.

    `exempt` from slow mode are those who run the room; `rate_count` is what this user may say in RATE_SECONDS; `ended`
    is what the caller knows of the stream (the log knows it by itself for a day).
    """

    user_id: str
    id: str
    body: bytes
    exempt: bool = False
    rate_count: int = RATE_COUNT
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Recovered:
    """Exactly what came after the asked position, up to `position`."""

    position: Position
    lines: list[Line]
    slow_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Lost:
    """What was missed cannot be given without a hole: begin again from the newest lines."""

    position: Position
    lines: list[Line]
    slow_seconds: int = 0


class ArchiveBehind(Unavailable):
    """For our logs; a client is told `service.unavailable`."""

    code = "service.archive_behind"
    message = "The chat's archive is behind. Try again in a moment."


class RoomLog(Protocol):
    """Every method raises `Unavailable` when the log does not answer; all of them may then be repeated safely."""

    async def append(self, room: str, draft: Draft) -> Position:
        """Give the entry its place, keep it and tell every node; the same id again gets the same answer.

        Refused, in this order, with `ChatTooFast` (beyond `rate_count` in any RATE_SECONDS over all rooms),
        `RoomEnded`, `ChatBanned`, `ChatSlowMode`, `ArchiveBehind` (too much waits for the archive: nothing that was
        acknowledged is dropped for something new).
        """
        ...

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        """What came after `position`, at most KEEP_ENTRIES; None asks for a fresh view of `fresh` lines, as `Lost`."""
        ...

    async def tail(self, room: str, count: int) -> list[Line]:
        """The newest `count` lines, oldest first."""
        ...

    async def ban(self, room: str, user_id: str, until: datetime | None) -> None:
        """The user may not speak before `until`; None is for good."""
        ...

    async def lift(self, room: str, user_id: str) -> None:
        """End a ban; none to end is fine."""
        ...

    async def set_slow(self, room: str, seconds: int) -> None:
        """From now on there are `seconds` between two messages of a user; 0 ends slow mode. Every node is told."""
        ...
