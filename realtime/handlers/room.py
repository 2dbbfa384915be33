"""Joining and leaving."""

from typing import cast

import msgspec

from realtime.connections import MAX_ROOMS, Connection
from realtime.entries import Entry, RoomSettings
from realtime.errors import TooManyRooms
from realtime.events import (
    Answer,
    Creator,
    JoinRoom,
    LeaveRoom,
    Me,
    RoomJoined,
    RoomRole,
    StreamInfo,
    User,
)
from realtime.ports import StreamSnapshot
from realtime.room.log import Position
from realtime.room.people import line_of
from realtime.room.presence import Presence, Watching
from realtime.room.rooms import Rooms


class RoomHandlers:
    def __init__(self, rooms: Rooms, presence: Presence) -> None:
        self._rooms = rooms
        self._presence = presence

    async def join(self, who: Connection, body: JoinRoom) -> RoomJoined:
        if body.stream_id not in who.rooms and len(who.rooms) >= MAX_ROOMS:
            raise TooManyRooms(max_rooms=MAX_ROOMS)
        asked = None if body.epoch is None or body.offset is None else Position(body.epoch, body.offset)
        # Before the join: between the audience and the answer nothing may be waited for.
        watching = await self._watching(body.stream_id)
        joined = await self._rooms.join(body.stream_id, who.socket, asked)
        stream = joined.room.stream
        user = user_in(stream, who)
        if body.stream_id not in who.rooms:
            who.rooms.add(body.stream_id)
            self._presence.enter(body.stream_id, who.viewer, line_of(user) if user else b"")
        viewers = max(joined.room.viewers or watching.viewers, 1)  # at least the one who asks
        return RoomJoined(
            epoch=joined.position.epoch,
            offset=joined.position.offset,
            recovered=joined.recovered,
            # They are JSON already; msgspec writes a Raw as it is.
            entries=cast("list[Entry]", [msgspec.Raw(line.entry) for line in joined.lines]),
            stream=stream_info(stream),
            viewers=viewers,
            peak=max(joined.room.peak, watching.peak, viewers),
            settings=RoomSettings(slow_seconds=joined.room.slow_seconds),
            me=Me(user=user, may_chat=who.identity is not None and stream.status != "ended"),
        )

    async def _watching(self, stream_id: str) -> Watching:
        """What the room heard last; a room that has heard nothing yet asks."""
        room = self._rooms.find(stream_id)
        if room is not None and room.viewers:
            return Watching(room.viewers, room.peak)
        return await self._presence.watching(stream_id)

    async def leave(self, who: Connection, body: LeaveRoom) -> Answer:
        self.left(who, body.stream_id)
        return Answer()

    def left(self, who: Connection, stream_id: str) -> None:
        """Forget a member; leaving a room one is not in is fine."""
        if stream_id in who.rooms:
            who.rooms.discard(stream_id)
            self._rooms.leave(stream_id, who.socket)
            self._presence.leave(stream_id, who.viewer)


def stream_info(stream: StreamSnapshot) -> StreamInfo:
    return StreamInfo(
        id=stream.id,
        title=stream.title,
        category=stream.category,
        status=stream.status,
        creator=Creator(id=stream.creator_id, display_name=stream.creator_name),
    )


def user_in(stream: StreamSnapshot, who: Connection) -> User | None:
    """The signed-in user as the room sees them."""
    identity = who.identity
    if identity is None:
        return None
    role: RoomRole = "viewer"
    if identity.user_id == stream.creator_id:
        role = "creator"
    elif identity.role == "admin":
        role = "admin"
    return User(id=identity.user_id, name=identity.display_name, role=role, color=identity.chat_color)
