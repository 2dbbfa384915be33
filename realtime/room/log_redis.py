"""The room log on the Redis shard that owns the room (`room.lua`).

An append is two calls: the user's window on the user's shard, then everything else in one function on the room's
shard. Once a minute a room is marked for the archiver before its append.
"""

import asyncio
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.clock import milliseconds
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.redis import Functions, Redis
from realtime.errors import ChatBanned, ChatSlowMode, ChatTooFast, RoomEnded
from realtime.room.log import FRESH_ENTRIES, MAX_UNARCHIVED, ArchiveBehind, Draft, Line, Lost, Position, Recovered
from realtime.room.marks import Marks

SOURCE = Path(__file__).with_name("room.lua")
APPEND_KEYS = ("meta", "log", "stream", "bans", "settings")
WINDOW_SECONDS = 0.5  # a user's shard that hangs delays their message by this, and no more

log = get_logger(__name__)


def room_functions(redis: Redis) -> Functions:
    """The library behind every room, shared by log, archiver and stream state."""
    return Functions(redis, SOURCE.read_text())


def key(room: str, part: str) -> str:
    """A key of the room; the tag keeps all of them in one slot."""
    return f"room:{{{room}}}:{part}"


def channel(room: str) -> str:
    """The shard channel that every node with members listens to."""
    return key(room, "channel")


class RedisRoomLog:
    """See `RoomLog`. At most `max_unarchived` entries of a room wait for the archive."""

    def __init__(self, functions: Functions, *, max_unarchived: int = MAX_UNARCHIVED) -> None:
        self._functions = functions
        self._marks = Marks(functions)
        self._max_unarchived = max_unarchived

    async def append(self, room: str, draft: Draft) -> Position:
        await self._pace(room, draft)
        await self._marks.set(room)
        user, name = draft.user_id, draft.id
        keys = [key(room, part) for part in (*APPEND_KEYS, f"sent:{user}:{name}", f"rate:{user}", f"said:{user}")]
        limits = (int(draft.exempt), draft.rate_count, self._max_unarchived, int(draft.ended))
        arguments = (new_epoch(), user, name, *limits, draft.body)
        answer = await self._functions.call("room_append", [*keys, channel(room)], arguments)
        if answer[0] == b"ok":
            return Position(answer[1].decode(), int(answer[2]))
        raise _refused(answer)

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        keys = [key(room, part) for part in ("meta", "log", "settings")]
        epoch, offset = position or ("", 0)
        answer = await self._functions.call("room_since", keys, [new_epoch(), epoch, offset, fresh])
        recovered, now_epoch, newest, slow, flat = answer
        kind = Recovered if recovered else Lost
        return kind(Position(now_epoch.decode(), int(newest)), _lines(flat), int(slow))

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines

    async def ban(self, room: str, user_id: str, until: datetime | None) -> None:
        await self._functions.call("room_ban", [key(room, "bans")], [user_id, milliseconds(until) if until else 0])

    async def lift(self, room: str, user_id: str) -> None:
        await self._functions.call("room_ban", [key(room, "bans")], [user_id, ""])

    async def set_slow(self, room: str, seconds: int) -> None:
        await self._functions.call("room_slow", [key(room, "settings"), channel(room)], [seconds])

    async def _pace(self, room: str, draft: Draft) -> None:
        """Raise `ChatTooFast` beyond the user's rate.

        Without an answer the message goes on: the room's own shard still holds the user to the rate in this room, and
        one lost shard must not silence every room its users are in.
        """
        arguments = (f"{room}:{draft.id}", draft.rate_count)
        try:
            async with asyncio.timeout(WINDOW_SECONDS):
                wait = int(await self._functions.call("user_pace", [f"user:{{{draft.user_id}}}:said"], arguments))
        except (TimeoutError, Unavailable) as failure:
            log.info("chat.pace_unknown", why=type(failure).__name__)
            return
        if wait:
            raise ChatTooFast(retry_after_ms=wait)


def _refused(answer: list[Any]) -> Exception:
    match answer[0]:
        case b"ended":
            return RoomEnded()
        case b"full":
            return ArchiveBehind()
        case b"banned":
            return ChatBanned(retry_after_ms=int(answer[1]) or None)
        case b"slow":
            return ChatSlowMode(retry_after_ms=int(answer[1]))
    return ChatTooFast(retry_after_ms=int(answer[1]))


def new_epoch() -> str:
    """Random enough that two lives of one room never share it."""
    return secrets.token_hex(8)


def _lines(flat: list[Any]) -> list[Line]:
    return [Line(int(flat[index]), flat[index + 1]) for index in range(0, len(flat), 2)]
