"""The rooms of one node: opened with the first member, closed with the last.

The order of a join leaves no hole:

    1. subscribe to the room's channel, wait until the shard has confirmed it, and read the log once: the room is open,
       and from now on it passes on every entry after its `position`
    2. find what the reader missed up to `position`, and add it to the audience, in one step of the event loop

The answer to 2 comes from the lines the room keeps in memory (`lines.py`). The log is asked when a reader missed more
than the node has read so far (then for everything it gives, once for all who wait), and when a reader that was on
another node knows more than this one: then what was passed on meanwhile is added. An entry may come twice, never not
at all. The acknowledgement is queued in the same step as 2, so no frame overtakes it.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec

from accounts.model import Identity
from infra.clock import Clock, milliseconds, new_id
from infra.errors import Unavailable
from infra.forever import forever
from infra.logs import get_logger
from infra.settings import RealtimeSettings
from realtime.cluster import ShardedChannels
from realtime.entries import SettingsChanged, without_offset
from realtime.errors import RoomNotFound
from realtime.events import RoomPosition
from realtime.moderation.capabilities import may
from realtime.room.entering import require_entering
from realtime.room.local import Listener, Room
from realtime.room.log import KEEP_ENTRIES, Known, Line, Lost, Position, Recovered, RoomLog
from realtime.room.log_redis import channel
from realtime.room.loudness import WATCH_SECONDS, Loudness
from realtime.room.reads import LogReads
from realtime.room.redaction import redacted
from realtime.room.streams import Streams

READ_ATTEMPTS = 5
READ_AGAIN_SECONDS = 0.05  # doubled each time
UNUSED_SECONDS = 1.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Joined:
    """What a reader begins with. `position` is that of the last line."""

    room: Room
    position: Position
    recovered: bool
    lines: list[Line]


class Members(Protocol):
    """The connections of this node, as rooms need them."""

    def standing_changed(self, room: Room, user_id: str) -> None: ...

    def to_user(self, stream_id: str, user_id: str, frame: str) -> None: ...


class Rooms:
    """Every room that has a member here; what a room needs of its node (`realtime.room.local.Around`)."""

    def __init__(  # its parts, put together in `open_realtime`
        self,
        channels: ShardedChannels,
        room_log: RoomLog,
        streams: Streams,
        count_sent: Callable[[int], object],
        members: Members,
        clock: Clock,
        limits: RealtimeSettings,
    ) -> None:
        self._channels = channels
        self._room_log = room_log
        self.log_reads = LogReads(room_log)
        self._streams = streams
        self.count_sent: Callable[[int], object] = count_sent
        self.clock: Clock = clock
        self.known: Callable[[str], Awaitable[Known]] = room_log.known
        self.standing_changed: Callable[[Room, str], None] = members.standing_changed
        self.to_user: Callable[[str, str, str], None] = members.to_user
        self._limits = limits
        self._loudness: WeakKeyDictionary[Room, Loudness] = WeakKeyDictionary()
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._rooms)

    def find(self, stream_id: str) -> Room | None:
        return self._rooms.get(stream_id)

    def place_of(self, stream_id: str) -> RoomPosition | None:
        """How far this node has passed on a room that is open here."""
        room = self._rooms.get(stream_id)
        if room is None or room.position is None:
            return None
        return RoomPosition(epoch=room.position.epoch, offset=room.position.offset)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    async def join(
        self,
        stream_id: str,
        member: Listener,
        position: Position | None,
        identity: Identity | None,
        *,
        desk: bool = False,
    ) -> Joined:
        """Add a reader; raises `RoomNotFound`, `PremiumRoom`; `Unavailable` when the room's shard does not answer."""
        room = await self._open(stream_id)
        room.joining += 1
        try:
            require_entering(room.stream, identity)
            for attempt in range(READ_ATTEMPTS):
                found = room.lines.answer(position) or await self._read(room, position)
                if found is not None:
                    user = room.user_of(identity) if identity is not None else None
                    room.enter(member, user, desk=desk)
                    staff = user is not None and may(user.role, "see_private")
                    found = _not_beyond(found, room.shown(staff=staff), position)
                    return Joined(room, found.position, isinstance(found, Recovered), found.lines)
                await asyncio.sleep(READ_AGAIN_SECONDS * 2**attempt)
            raise Unavailable
        finally:
            room.joining -= 1
            self._close_if_empty(room)

    def leave(self, stream_id: str, member: Listener) -> None:
        if room := self._rooms.get(stream_id):
            room.leave(member)
            self._close_if_empty(room)

    async def watch(self) -> None:
        """Slow down rooms that are too loud, and let them go on again; until cancelled."""
        await forever("room.watch", self._watch_once, every_seconds=WATCH_SECONDS)

    async def _watch_once(self) -> None:
        above, viewers = self._limits.auto_slow_per_second, self._limits.auto_slow_viewers
        for room in self:
            loudness = self._loudness.setdefault(room, Loudness(above, viewers, said=room.said))
            settings = room.scene.settings
            seconds = loudness.wanted(room.said, room.viewers, settings.auto_slow_seconds)
            if seconds is None:
                continue
            changed = msgspec.structs.replace(settings, auto_slow_seconds=seconds)
            at = milliseconds(self.clock())
            entry = SettingsChanged(offset=0, stream_id=room.id, id=new_id(), at=at, settings=changed)
            if await self._room_log.set_auto_slow(room.id, seconds, without_offset(entry)):
                log.info("room.auto_slow", stream_id=room.id, seconds=seconds)

    async def close(self) -> None:
        """Leave every room and wait for the work in hand."""
        for room in list(self._rooms.values()):
            room.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.log_reads.close()

    async def _read(self, room: Room, position: Position | None) -> Recovered | Lost | None:
        """What the log says, up to what the room has passed on; None to ask again."""
        if not room.lines.knows_less(position):
            if not room.lines.fill(await self.log_reads.shared(room.id, None, fresh=KEEP_ENTRIES)):
                room.resumed()  # the log has another epoch: the room must find out
            return room.lines.answer(position)
        found = await self.log_reads.shared(room.id, position)
        bridge = room.lines.bridge(found)
        if bridge is None:
            room.resumed()
            return None
        end = max(found.position.offset, bridge[-1].offset if bridge else 0)
        lines = redacted([*found.lines, *bridge], room.id)  # the bridge may remove what the log still had
        return replace(found, position=Position(found.position.epoch, end), lines=lines)

    async def _open(self, stream_id: str) -> Room:
        while True:
            if room := self._rooms.get(stream_id):
                return room
            opening = self._opening.get(stream_id)
            if opening is None:
                opening = self._opening[stream_id] = self.spawn(self._begin(stream_id))
                opening.add_done_callback(lambda done: self._opened(stream_id, done))
            # One reader that goes away must not end the opening the others wait for.
            await asyncio.shield(opening)

    async def _begin(self, stream_id: str) -> Room:
        stream = await self._streams.get(stream_id)
        if stream is None:
            raise RoomNotFound
        room = Room(stream, self.log_reads, self)
        await self._channels.subscribe(channel(stream_id), room)
        try:
            await room.begin()
            # Read again now that changes are heard: one may have fallen between the first look and the subscription.
            room.stream = await self._streams.get(stream_id) or stream
        except BaseException:
            await self._channels.unsubscribe(channel(stream_id), room)
            raise
        self._rooms[stream_id] = room
        return room

    def _opened(self, stream_id: str, opening: "asyncio.Task[Room]") -> None:
        del self._opening[stream_id]
        if not opening.cancelled() and opening.exception() is None:
            # Whoever asked for it may be gone by now; then nobody would ever leave it.
            asyncio.get_running_loop().call_later(UNUSED_SECONDS, self._close_if_empty, opening.result())

    def _close_if_empty(self, room: Room) -> None:
        if room.joining or room.members or self._rooms.get(room.id) is not room:
            return
        del self._rooms[room.id]
        room.close()
        self.spawn(self._channels.unsubscribe(channel(room.id), room))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        # Not in the context of whoever came first: its correlation id has no business in the room's log lines.
        task = asyncio.create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _not_beyond(found: Recovered | Lost, shown: Position | None, asked: Position | None) -> Recovered | Lost:
    """What was found, up to what was passed on to such a reader (or what they know, if that is more)."""
    if shown is None or found.position.offset <= shown.offset:
        return found
    knows = asked.offset if asked is not None and isinstance(found, Recovered) else 0
    end = max(shown.offset, knows)
    lines = [line for line in found.lines if line.offset <= end]
    return replace(found, position=Position(found.position.epoch, end), lines=lines)
