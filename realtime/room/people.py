"""Who is in a room: the people who signed in, over all nodes, in pages. Anonymous viewers are only a number.

Each has a line in the room's `roll`, which Redis keeps sorted by its bytes: rank, folded name, id, and the user as
JSON. A page begins after a line, not at a number, so nobody is skipped when others come and go.
"""

import base64
import binascii
from typing import NamedTuple

import msgspec

from infra.errors import Invalid
from infra.stores.redis import Functions
from realtime.events import User
from realtime.room.log_redis import key
from realtime.room.recent import Recent

PAGE = 100
PEOPLE_AT_ONCE = 1000  # about 2 ms of the shard
FRESH_SECONDS = 3.0
MAX_PAGES = 1000
FOLDED_CHARACTERS = 48
RANKS = {"creator": b"0", "moderator": b"1", "admin": b"1"}
LAST_RANK = b"2"


class Page(NamedTuple):
    """`users` are JSON; `next` is None on the last page."""

    users: list[bytes]
    next: str | None
    total: int
    anonymous: int


def line_of(user: User) -> bytes:
    """The user's place in the list and what it shows."""
    folded = user.name.casefold().replace("\0", "")[:FOLDED_CHARACTERS]
    place = f"{folded}\0{user.id}\0".encode(errors="replace")
    return RANKS.get(user.role, LAST_RANK) + place + msgspec.json.encode(user)


class People:
    """Pages of rooms, each asked for once in FRESH_SECONDS on this node."""

    def __init__(self, functions: Functions, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._functions = functions
        self._pages = Recent(self._ask, fresh_seconds, MAX_PAGES)

    async def page(self, stream_id: str, after: str | None) -> Page:
        """Raises `Invalid` for an `after` that no page named, `Unavailable` when the shard does not answer."""
        return await self._pages.get((stream_id, _line_after(after) if after else b""))

    async def _ask(self, question: tuple[str, bytes]) -> Page:
        stream_id, after = question
        keys = [key(stream_id, "roll"), key(stream_id, "viewers")]
        total, viewers, lines = await self._functions.call("presence_people", keys, [after, PAGE + 1])
        shown = lines[:PAGE]
        following = _cursor(shown[-1]) if len(lines) > PAGE else None
        return Page([_user_json(line) for line in shown], following, total, max(0, viewers - total))


def _user_json(line: bytes) -> bytes:
    return line.split(b"\0", 2)[2]


def _cursor(line: bytes) -> str:
    place = line[: len(line) - len(_user_json(line))]
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _line_after(cursor: str) -> bytes:
    """Beyond the line of that place and before every other: JSON never begins with this byte."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) + b"\xff"
    except (binascii.Error, ValueError):
        raise Invalid(reason="after") from None


async def people_in(functions: Functions, stream_id: str, most: int) -> list[User]:
    """Everybody who is signed in there at this moment, at most so many. Raises `Unavailable`."""
    keys, after = [key(stream_id, "roll"), key(stream_id, "viewers")], b""
    found: list[User] = []
    while len(found) < most:
        _, _, lines = await functions.call("presence_people", keys, [after, PEOPLE_AT_ONCE])
        found += [msgspec.json.decode(_user_json(line), type=User) for line in lines]
        if len(lines) < PEOPLE_AT_ONCE:
            break
        after = lines[-1]
    return found[:most]
