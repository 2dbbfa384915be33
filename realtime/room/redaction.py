"""What was removed, and what is left of it: pure, the same rules as in room.lua.

A line's mark is `<user id> <message id>` for what somebody said, the same with `+` before it for a control entry that
quotes it (a pin), `!m <user id> <message id>`, `!u <user id>` or `!*` for an entry that removes what stands before it,
and `!` for all others.
A line is removed if a removal with a higher offset covers it, in whatever order one hears of them.
"""

from collections.abc import Iterable

from realtime.room.log import Line

EVERYTHING = b"*"


def covered_by(mark: bytes) -> bytes | None:
    """What a removal's mark covers: everything, a user, or a user and a message; None for other marks."""
    if mark == b"!*":
        return EVERYTHING
    return mark[3:] if mark[:3] in (b"!u ", b"!m ") else None


def is_control(mark: bytes) -> bool:
    """Whether nodes have to look into the entry."""
    return mark[:1] in (b"!", b"+")


def covers(what: bytes, mark: bytes) -> bool:
    """Whether a removal of `what` takes away a line with this mark."""
    said = mark.removeprefix(b"+")
    if said[:1] == b"!" or not said:
        return False
    return what in (EVERYTHING, said) or said.partition(b" ")[0] == what


def tombstone(line: Line, stream_id: str) -> Line:
    """The line with nothing left but its place."""
    entry = b'{"offset":%d,"kind":"removed","stream_id":"%b"}' % (line.offset, stream_id.encode())
    return Line(line.offset, entry, b"!")


class Removals:
    """All removals of a room that are known: what is covered, and up to which offset."""

    def __init__(self) -> None:
        self._until: dict[bytes, int] = {}

    def add(self, line: Line) -> bytes | None:
        """Take in a line; what it removes, if it does."""
        what = covered_by(line.mark)
        if what is not None:
            self._until[what] = max(self._until.get(what, 0), line.offset)
        return what

    def cover(self, line: Line) -> bool:
        """Whether the line is removed."""
        said = line.mark.removeprefix(b"+")
        if said[:1] == b"!" or not said:
            return False
        user = said.partition(b" ")[0]
        return any(self._until.get(what, 0) > line.offset for what in (EVERYTHING, user, said))


def redacted(lines: Iterable[Line], stream_id: str) -> list[Line]:
    """The lines as anybody may see them, each removed one as its tombstone."""
    removals, all_lines = Removals(), list(lines)
    for line in all_lines:
        removals.add(line)
    return [tombstone(line, stream_id) if removals.cover(line) else line for line in all_lines]
