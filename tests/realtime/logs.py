"""Both room logs under one roof, for the tests of their contract."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw

from infra.stores.redis import Redis
from realtime.room.log import KEEP_ENTRIES, Applied, Draft, Line, Lost, Recovered, RoomLog
from realtime.room.log_memory import MemoryRoomLog
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from realtime.room.rules import Change, Patch
from tests.realtime.archives import call_archived

ROOM = "room-1"
BOUND = KEEP_ENTRIES + 200


@dataclass
class Made:
    """A log, and what the contract needs beside it; `said` is what its channel heard."""

    log: RoomLog
    end: Callable[[], Awaitable[object]]
    lose: Callable[[], Awaitable[object]]
    archive: Callable[[], Awaitable[object]]


LOGS = ("memory", "redis_cluster")


def make_log(kind: str, redis: Redis) -> Made:
    """A fresh log of one kind."""
    return _in_memory() if kind == "memory" else _in_redis(redis)


def _in_memory() -> Made:
    memory = MemoryRoomLog(lambda: datetime.now(UTC), lambda room, payload: None, max_unarchived=BOUND)

    async def end() -> None:
        memory.end(ROOM)

    async def lose() -> None:
        memory.lose(ROOM)

    async def archive() -> None:
        memory.archive(ROOM)

    return Made(memory, end, lose, archive)


def _in_redis(redis: Redis) -> Made:
    return Made(
        RedisRoomLog(room_functions(redis), max_unarchived=BOUND),
        lambda: redis.hset(key(ROOM, "stream"), "status", "ended"),
        lambda: redis.delete(key(ROOM, "meta"), key(ROOM, "log")),
        lambda: call_archived(redis, ROOM),
    )


def said(text: str, user: str = "ada") -> Draft:
    return Draft(user, f"id-{text}", b'{"text":"%b"}' % text.encode())


def texts(found: Recovered | Lost | list[Line]) -> list[str]:
    lines = found if isinstance(found, list) else found.lines
    assert [line.offset for line in lines] == list(range(lines[0].offset, lines[0].offset + len(lines))) if lines else 1
    return [line.entry.decode().split('"text":"')[1][:-2] for line in lines]


class Decisions:
    """A channel's changes in order, given to one room of the log."""

    def __init__(self, log: RoomLog, room: str = ROOM) -> None:
        self._log = log
        self._room = room
        self.revision = 0

    async def make(self, mark: str = "!", *, entry: bool = True, restores: str | None = None, **patch: Any) -> str:
        """Apply the next change; its id."""
        self.revision += 1
        change = Change(
            id=f"change-{self.revision}",
            revision=self.revision,
            stream_id=None,
            mark=mark,
            entry=Raw(b'{"text":"change-%d"}' % self.revision) if entry else None,
            patch=Patch(**patch),
            restores=restores,
        )
        assert await self._log.control(self._room, change) == Applied(self.revision)
        return change.id
