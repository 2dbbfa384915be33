"""The port of a room's log: the order of everything said, kept for a while, with no holes ever.

Offsets begin at 1 and grow by one. `epoch` is random and changes when the log was lost; an offset means nothing
outside of its epoch. The log keeps the newest KEEP_ENTRIES entries and everything the archive does not have yet.
One port, two implementations, one contract test.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from infra.errors import Unavailable
from realtime.room.rules import Change, Rules

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
    """One entry as it is kept and sent: JSON with its offset inside. `mark`: see `realtime.room.redaction`."""

    offset: int
    entry: bytes
    mark: bytes = b"!"


class Rank(IntEnum):
    """What a message is bound by."""

    EVERYTHING = 0
    NOT_MODES = 1  # VIPs: no followers-only, slow mode and the like
    MODERATES = 2  # and read-only neither
    LET_THROUGH = 3  # a moderator approved it: bans alone


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its offset. `body` is a JSON object without `offset`; `id` is unique to its user.

    `rate_count` is what this user may say in RATE_SECONDS; `ended` is what the caller knows of the stream (the log
    knows it by itself for a day). `followed_at` (Unix milliseconds; None: does not follow) counts only when
    `follow_known`. `fingerprint` is the same for texts that unique chat takes for the same; empty, it is not asked.
    """

    user_id: str
    id: str
    body: bytes
    rank: Rank = Rank.EVERYTHING
    rate_count: int = RATE_COUNT
    ended: bool = False
    follow_known: bool = False
    followed_at: int | None = None
    subscriber: bool = False
    emotes_only: bool = False
    fingerprint: bytes = b""

    @property
    def mark(self) -> bytes:
        return f"{self.user_id} {self.id}".encode()


@dataclass(frozen=True, slots=True)
class Recovered:
    """Exactly what came after the asked position, up to `position`; removed lines as tombstones."""

    position: Position
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Lost:
    """What was missed cannot be given without a hole: begin again from the newest lines."""

    position: Position
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Applied:
    """The change holds (now or since earlier): the room is at `revision`."""

    revision: int


@dataclass(frozen=True, slots=True)
class Behind:
    """Changes are missing between the room's revision and this one."""

    revision: int


@dataclass(frozen=True, slots=True)
class Known:
    """The rules that hold (`settings.auto_slow_seconds` included), and the newest control line of each kind that
    leaves something standing in the room: pin, poll, raid."""

    rules: Rules
    standing: list[Line]


STANDING = (b'"kind":"pin"', b'"kind":"poll"', b'"kind":"raid"')


class FollowUnknown(Exception):
    """The draft must say since when its user follows: the room is in followers-only mode."""


class ArchiveBehind(Unavailable):
    """For our logs; a client is told `service.unavailable`."""

    code = "service.archive_behind"
    message = "The chat's archive is behind. Try again in a moment."


class RoomLog(Protocol):
    """Every method raises `Unavailable` when the log does not answer; all of them may then be repeated safely."""

    async def append(self, room: str, draft: Draft) -> Position:
        """Give the entry its place, keep it and tell every node; the same id again gets the same answer.

        Refused, in this order, with `ChatTooFast` (beyond `rate_count` in any RATE_SECONDS over all rooms),
        `RoomEnded`, `ChatBanned`, `ChatWarned`, `ChatReadOnly`, `ChatFollowersOnly` (or `FollowUnknown`),
        `ChatSubscribersOnly`, `ChatEmoteOnly`, `ChatNotUnique`, `ChatSlowMode`, `ArchiveBehind` (too much waits for the
        archive: nothing that was acknowledged is dropped for something new).
        """
        ...

    async def pace(self, room: str, draft: Draft) -> None:
        """Count a message that is not appended (yet); raises `ChatTooFast`. `append` does it by itself."""
        ...

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        """What came after `position`, at most KEEP_ENTRIES; None asks for a fresh view of `fresh` lines, as `Lost`."""
        ...

    async def tail(self, room: str, count: int) -> list[Line]:
        """The newest `count` lines, oldest first."""
        ...

    async def find(self, room: str, user_id: str, message_id: str, *, removed: bool = True) -> bytes | None:
        """A message that is kept, as JSON; with `removed` one that was removed too."""
        ...

    async def control(self, room: str, change: Change) -> Applied | Behind:
        """Take the change of the next revision: its entry, what it removes and restores, and the rules, in one step.

        A change that is known already is answered `Applied` with the room's revision. The entry that quotes a message
        which is removed by then is a tombstone from the beginning.
        """
        ...

    async def revision(self, room: str) -> int | None:
        """Of the rules the room knows; None when it knows none."""
        ...

    async def put_rules(self, room: str, rules: Rules) -> None:
        """Take the whole of the rules, unless newer ones are known."""
        ...

    async def known(self, room: str) -> Known:
        """What holds in the room beside its lines."""
        ...

    async def set_auto_slow(self, room: str, seconds: int, entry: bytes) -> bool:
        """The room's own slow mode, with the entry that announces it; False when it is so already."""
        ...
