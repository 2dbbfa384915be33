"""What a room shows of its stream, kept in Redis beside the room's log, so that joins never reach the database.

Only a room that nobody knows asks the `StreamLookup`, once however many ask at the same time. Changes come from the
bus (`realtime/status.py`). Whoever writes, the later state wins and `ended` stays.
"""

import asyncio
from collections import OrderedDict

import msgspec

from infra.clock import milliseconds
from infra.stores.redis import Functions, Redis, asked
from realtime.events import RoomStatus
from realtime.ports import StreamLookup, StreamSnapshot
from realtime.room.log_redis import channel, key

UNKNOWN_SECONDS = 5.0  # somebody who guesses ids asks the database once in this time for each
MAX_UNKNOWN = 1000


class Streams:
    """The cached snapshots of all rooms."""

    def __init__(self, redis: Redis, functions: Functions, lookup: StreamLookup) -> None:
        self._redis = redis
        self._functions = functions
        self._lookup = lookup
        self._asking: dict[str, asyncio.Task[StreamSnapshot | None]] = {}
        self._unknown: OrderedDict[str, float] = OrderedDict()

    async def get(self, stream_id: str) -> StreamSnapshot | None:
        """The present snapshot, or None for no such stream; raises `Unavailable`."""
        kept = await asked(lambda: self._redis.hget(key(stream_id, "stream"), "snapshot"))
        if kept is not None:
            return msgspec.json.decode(kept, type=StreamSnapshot)
        if self._unknown.get(stream_id, 0.0) > asyncio.get_running_loop().time():
            return None
        asking = self._asking.get(stream_id)
        if asking is None:
            asking = self._asking[stream_id] = asyncio.create_task(self._ask(stream_id))
            asking.add_done_callback(lambda _: self._asking.pop(stream_id, None))
        return await asyncio.shield(asking)

    async def put(self, snapshot: StreamSnapshot, *, reason: str | None = None) -> None:
        """Keep a newer state and tell the room; an older one changes nothing."""
        self._unknown.pop(snapshot.id, None)
        status = RoomStatus(
            stream_id=snapshot.id,
            status=snapshot.status,
            at=milliseconds(snapshot.at),
            title=snapshot.title,
            category=snapshot.category,
            reason=reason,
        )
        await self._write(snapshot, b"s " + msgspec.json.encode(status))

    async def _ask(self, stream_id: str) -> StreamSnapshot | None:
        snapshot = await self._lookup.snapshot(stream_id)
        if snapshot is not None:
            return await self._write(snapshot, b"")
        self._unknown[stream_id] = asyncio.get_running_loop().time() + UNKNOWN_SECONDS
        if len(self._unknown) > MAX_UNKNOWN:
            self._unknown.popitem(last=False)
        return None

    async def _write(self, snapshot: StreamSnapshot, message: bytes) -> StreamSnapshot:
        keys = [key(snapshot.id, "stream"), channel(snapshot.id)]
        at_microseconds = int(snapshot.at.timestamp() * 1_000_000)
        arguments = [at_microseconds, snapshot.status, msgspec.json.encode(snapshot), message]
        kept = await self._functions.call("room_stream", keys, arguments)
        return msgspec.json.decode(kept, type=StreamSnapshot)
