"""Where the archiver reads: the rooms' logs and the list of rooms that are active, in Redis."""

import asyncio
from functools import partial
from typing import Any

from infra.clock import new_id
from infra.stores.redis import Functions, Redis, asked
from realtime.archive.entries import Batch, Row
from realtime.room.log_redis import key
from realtime.room.marks import INDEX
from realtime.room.stored import RULE_KEYS

LEASE_SECONDS = 10.0  # longer than one batch takes; a killed archiver's rooms wait for it to end
IDLE_SECONDS = 300.0  # five times the pause between two marks of a node (REFRESH_SECONDS)
SCAN_COUNT = 500
SCAN_PAUSE_SECONDS = 0.05


class RoomSource:
    """The rooms as one archiver sees them. Every method raises `Unavailable` and may be repeated."""

    def __init__(self, redis: Redis, functions: Functions, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._redis = redis
        self._functions = functions
        self._name = new_id()
        self._lease_ms = int(lease_seconds * 1000)

    async def marked(self) -> list[str]:
        """The rooms that may have something to archive."""
        return [room.decode() for room in await asked(lambda: self._redis.zrange(INDEX, 0, -1))]

    async def unarchived(self, room: str, count: int) -> Batch | None:
        """The oldest `count` entries the archive lacks; None while another archiver works at the room."""
        keys = [key(room, part) for part in ("meta", "log", "archiver")]
        answer = await self._functions.call("room_unarchived", keys, [self._name, self._lease_ms, count])
        if not answer:
            return None
        newest, archived, gone, flat = answer
        rows = [Row(int(flat[n]), flat[n + 1].decode(), flat[n + 3], flat[n + 2]) for n in range(0, len(flat), 4)]
        return Batch(int(newest), int(archived), int(gone), rows)

    async def archived(self, room: str, last: Row) -> None:
        """The archive has everything up to `last`: the log may forget it."""
        keys = [key(room, part) for part in ("meta", "log", "removed", "removals", *RULE_KEYS)]
        await self._functions.call("room_archived", keys, [last.epoch, last.offset])

    async def release(self, room: str) -> None:
        """Let another archiver have the room at once."""
        await self._functions.call("room_release", [key(room, "archiver")], [self._name])

    async def unmark(self, room: str) -> None:
        """Call it right after the archive had all of the room; a room marked in the last minutes stays marked."""
        await self._functions.call("room_unmark", [INDEX], [room, int(IDLE_SECONDS * 1000)])

    async def mark_found(self) -> int:
        """Mark every room that has a log, however it came to be unmarked; slowly. Returns how many were not."""
        found = 0
        for node in self._redis.get_primaries():
            cursor, more = 0, True
            while more:
                cursor, keys = await asked(partial(_scan, node, cursor))
                # Marked long ago, so to say: dropped as soon as it turns out to be archived.
                marks = dict.fromkeys(map(_room_of, keys), 0)
                found += await asked(partial(self._redis.zadd, INDEX, marks, nx=True)) if marks else 0
                more = cursor != 0
                await asyncio.sleep(SCAN_PAUSE_SECONDS)
        return found


async def _scan(node: Any, cursor: int) -> tuple[int, list[bytes]]:
    answer = await node.execute_command("SCAN", cursor, "MATCH", key("*", "log"), "COUNT", SCAN_COUNT)
    return int(answer[0]), list(answer[1])


def _room_of(name: bytes) -> str:
    return name.decode().partition("{")[2].partition("}")[0]
