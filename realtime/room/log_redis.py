"""The room log on the Redis shard that owns the room (`room.lua`, `archive.lua`).

An append is two calls: the user's window on the user's shard, then everything else in one function on the room's
shard. Once a minute a room is marked for the archiver before its append. A room that does not know its rules is told
them (`cold`), and the call repeated.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.redis import Functions, Redis
from realtime.errors import ChatTooFast
from realtime.room.log import (
    FRESH_ENTRIES,
    MAX_UNARCHIVED,
    Applied,
    Behind,
    Draft,
    Known,
    Line,
    Lost,
    Position,
    Recovered,
)
from realtime.room.marks import Marks
from realtime.room.refused import refused
from realtime.room.rules import Change, Rules
from realtime.room.stored import RULE_KEYS, patch_arguments, rules_of, whole

SOURCES = ("room.lua", "archive.lua")
APPEND_KEYS = ("meta", "log", "stream", "bans", "cautions", "rules")
CONTROL_KEYS = ("meta", "log", *RULE_KEYS, "removed", "removals", "channel")
WINDOW_SECONDS = 0.5  # a user's shard that hangs delays their message by this, and no more
COLD_ATTEMPTS = 3

log = get_logger(__name__)
Cold = Callable[[str], Awaitable[Rules]]
TakenOver = Callable[[str], Awaitable[object]]


def room_functions(redis: Redis) -> Functions:
    """The library behind every room, shared by log, archiver and stream state."""
    folder = Path(__file__).parent
    return Functions(redis, "\n".join((folder / name).read_text() for name in SOURCES))


def key(room: str, part: str) -> str:
    """A key of the room; the tag keeps all of them in one slot."""
    return f"room:{{{room}}}:{part}"


def channel(room: str) -> str:
    """The shard channel that every node with members listens to."""
    return key(room, "channel")


async def nothing_lost(_: str) -> None:
    """For rooms of no channel: there is nothing to bring again."""


async def no_rules(_: str) -> Rules:
    """For rooms of no channel: nothing was ever decided."""
    return Rules()


class RedisRoomLog:
    """See `RoomLog`. At most `max_unarchived` entries of a room wait for the archive; `cold(room)` is the truth about
    the rules of a room that lost them; `taken_over(room)` brings what a replica lacked that took the room over."""

    def __init__(
        self,
        functions: Functions,
        *,
        cold: Cold = no_rules,
        taken_over: TakenOver = nothing_lost,
        max_unarchived: int = MAX_UNARCHIVED,
    ) -> None:
        self._functions = functions
        self._marks = Marks(functions)
        self._cold = cold
        self._taken_over = taken_over
        self._max_unarchived = max_unarchived

    async def append(self, room: str, draft: Draft) -> Position:
        counted = await self._counted(room, draft)
        await self._marks.set(room)
        user, name = draft.user_id, draft.id
        unique = f"unique:{draft.fingerprint.decode()}"
        own = (unique, f"sent:{user}:{name}", f"rate:{user}", f"said:{user}")
        keys = [key(room, part) for part in (*APPEND_KEYS, *own, "channel")]
        followed = str(draft.followed_at or "") if draft.follow_known else "?"
        limits = (draft.rank.value, 0 if counted else draft.rate_count, self._max_unarchived, int(draft.ended))
        about = (followed, int(draft.subscriber), int(draft.emotes_only))
        answer = await self._knowing(room, "room_append", keys, (new_epoch(), user, name, *limits, *about, draft.body))
        if answer[0] == b"ok":
            return Position(answer[1].decode(), int(answer[2]))
        raise refused(answer)

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        keys = [key(room, part) for part in ("meta", "log", "removed")]
        epoch, offset = position or ("", 0)
        answer = await self._functions.call("room_since", keys, [new_epoch(), epoch, offset, fresh, room])
        recovered, now_epoch, newest, flat = answer
        if position is not None and now_epoch.decode() != epoch:
            await self._bring_again(room)
        kind = Recovered if recovered else Lost
        return kind(Position(now_epoch.decode(), int(newest)), _lines(flat))

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines

    async def find(self, room: str, user_id: str, message_id: str, *, removed: bool = True) -> bytes | None:
        keys = [key(room, part) for part in ("log", "removed")]
        found = await self._functions.call("room_find", keys, [f"{user_id} {message_id}", int(removed)])
        return found if isinstance(found, bytes) else None

    async def control(self, room: str, change: Change) -> Applied | Behind:
        await self._marks.set(room)
        keys = [key(room, part) for part in CONTROL_KEYS]
        mine = change.stream_id in (None, room)
        entry = bytes(change.entry) if change.entry is not None and mine else b""
        restores = (change.restores or "") if mine else ""
        head = (new_epoch(), room, change.revision, change.id, change.mark, entry, restores)
        # Nodes read what is private from the room: 5,000 terms are too much to tell every node in every room.
        told = b"" if change.patch.private is not None else msgspec.json.encode(change.patch)
        patch = (told, *patch_arguments(change.patch))
        answer = await self._knowing(room, "room_control", keys, (*head, *patch))
        match answer[0]:
            case b"behind":
                return Behind(int(answer[1]))
            case b"known":
                return Applied(int(answer[1]))
        return Applied(change.revision)

    async def revision(self, room: str) -> int | None:
        found = await self._functions.call("room_revision", [key(room, "rules")], [])
        return int(found) if found is not None else None

    async def put_rules(self, room: str, rules: Rules) -> None:
        keys = [key(room, part) for part in (*RULE_KEYS, "channel")]
        await self._functions.call("room_rules_put", keys, whole(rules))

    async def known(self, room: str) -> Known:
        keys = [key(room, part) for part in (*RULE_KEYS, "removed")]
        for _ in range(COLD_ATTEMPTS):
            if answer := await self._functions.call("room_rules", keys, []):
                return Known(rules_of(answer[:7]), _lines(answer[7]))
            await self.put_rules(room, await self._cold(room))
        raise Unavailable

    async def set_auto_slow(self, room: str, seconds: int, entry: bytes) -> bool:
        await self._marks.set(room)
        keys = [key(room, part) for part in ("meta", "log", "rules", "channel")]
        answer = await self._knowing(room, "room_auto_slow", keys, (new_epoch(), seconds, entry))
        return bool(answer[0] == b"ok")

    async def _bring_again(self, room: str) -> None:
        """Decisions that were acknowledged are in PostgreSQL, but a promoted replica may lack the last ones."""
        try:
            await self._taken_over(room)
        except Unavailable as failure:  # the next decision, or the next look at another epoch, brings them
            log.warning("room.taken_over", stream_id=room, code=failure.code)

    async def _knowing(self, room: str, function: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Call, and tell the room its rules when it does not know them."""
        for _ in range(COLD_ATTEMPTS):
            answer = await self._functions.call(function, keys, arguments)
            if answer[0] != b"rules":
                return answer
            await self.put_rules(room, await self._cold(room))
        raise Unavailable

    async def pace(self, room: str, draft: Draft) -> None:
        await self._counted(room, draft)

    async def _counted(self, room: str, draft: Draft) -> bool:
        """Count it on the user's shard; raises `ChatTooFast`.

        False without an answer: then the room's own shard counts, only for this room, and from nothing. One lost shard
        must not silence every room its users are in.
        """
        arguments = (f"{room}:{draft.id}", draft.rate_count)
        try:
            async with asyncio.timeout(WINDOW_SECONDS):
                wait = int(await self._functions.call("user_pace", [f"user:{{{draft.user_id}}}:said"], arguments))
        except (TimeoutError, Unavailable) as failure:
            log.info("chat.pace_unknown", why=type(failure).__name__)
            return False
        if wait:
            raise ChatTooFast(retry_after_ms=wait)
        return True


def new_epoch() -> str:
    """Random enough that two lives of one room never share it."""
    return secrets.token_hex(8)


def _lines(flat: list[Any]) -> list[Line]:
    return [Line(int(flat[n]), flat[n + 2], flat[n + 1]) for n in range(0, len(flat), 3)]
