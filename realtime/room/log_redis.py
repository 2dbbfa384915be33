"""The room log on the Redis shard that owns the room (`room.lua`)."""

import secrets
from pathlib import Path
from typing import Any

from infra.stores.redis import Functions, Redis
from realtime.errors import ChatTooFast, RoomEnded
from realtime.room.log import FRESH_ENTRIES, Draft, Line, Lost, Position, Recovered

SOURCE = Path(__file__).with_name("room.lua")


def room_functions(redis: Redis) -> Functions:
    """The library behind every room, shared by log, presence and stream state."""
    return Functions(redis, SOURCE.read_text())


def key(room: str, part: str) -> str:
    """A key of the room; the tag keeps all of them in one slot."""
    return f"room:{{{room}}}:{part}"


def channel(room: str) -> str:
    """The shard channel that every node with members listens to."""
    return key(room, "channel")


class RedisRoomLog:
    """See `RoomLog`."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def append(self, room: str, draft: Draft) -> Position:
        names = ("meta", "log", "stream", f"sent:{draft.user_id}:{draft.id}", f"rate:{draft.user_id}", "channel")
        keys = [key(room, name) for name in names]
        answer = await self._functions.call("room_append", keys, [new_epoch(), draft.id, draft.body])
        match answer[0]:
            case b"ok":
                return Position(answer[1].decode(), int(answer[2]))
            case b"ended":
                raise RoomEnded
        raise ChatTooFast(retry_after_ms=int(answer[1]))

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Recovered | Lost:
        keys = [key(room, "meta"), key(room, "log")]
        epoch, offset = position or ("", 0)
        answer = await self._functions.call("room_since", keys, [new_epoch(), epoch, offset, fresh])
        recovered, now_epoch, newest, flat = answer
        kind = Recovered if recovered else Lost
        return kind(Position(now_epoch.decode(), int(newest)), _lines(flat))

    async def tail(self, room: str, count: int) -> list[Line]:
        return (await self.since(room, None, fresh=count)).lines


def new_epoch() -> str:
    """Random enough that two lives of one room never share it."""
    return secrets.token_hex(8)


def _lines(flat: list[Any]) -> list[Line]:
    return [Line(int(flat[index]), flat[index + 1]) for index in range(0, len(flat), 2)]
