"""Joining and leaving."""

from typing import cast

import msgspec

from infra.errors import FootlightError, Unauthenticated
from realtime.connections import MAX_ROOMS, Connection
from realtime.entries import Entry, Message, User
from realtime.errors import NotInRoom, PremiumRoom, TooManyRooms
from realtime.events import (
    Answer,
    Creator,
    JoinRoom,
    LeaveRoom,
    Me,
    RoomJoined,
    RoomRefused,
    StreamInfo,
)
from realtime.handlers.standing import you
from realtime.ports import StreamSnapshot
from realtime.room.entering import require_entering
from realtime.room.local import Room
from realtime.room.log import Position
from realtime.room.people import line_of
from realtime.room.presence import Presence, Watching
from realtime.room.rooms import Rooms
from realtime.wire.frames import event_frame


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
        desk = body.desk or body.stream_id in who.desks
        joined = await self._rooms.join(body.stream_id, who.socket, asked, who.identity, desk=desk)
        self._admit(who, joined.room)
        if desk:
            who.desks.add(body.stream_id)
        room, stream = joined.room, joined.room.stream
        user = room.user_of(who.identity) if who.identity is not None else None
        if body.stream_id not in who.rooms:
            who.rooms.add(body.stream_id)
            self._presence.enter(body.stream_id, who.viewer, line_of(user) if user else b"")
        viewers = max(room.viewers or watching.viewers, 1)  # at least the one who asks
        return RoomJoined(
            epoch=joined.position.epoch,
            offset=joined.position.offset,
            recovered=joined.recovered,
            # They are JSON already; msgspec writes a Raw as it is.
            entries=cast("list[Entry]", [msgspec.Raw(line.entry) for line in joined.lines]),
            stream=stream_info(stream),
            viewers=viewers,
            peak=max(room.peak, watching.peak, viewers),
            settings=room.scene.settings,
            me=_me(room, who, user),
            pin=room.pin_for(user),
            poll=room.scene.poll,
            raid=room.scene.raid,
            on_top=cast("list[Message]", [msgspec.Raw(line.entry) for line in room.on_top_for(user)]),
        )

    def _admit(self, who: Connection, room: Room) -> None:
        """Who they are may have changed while they came in. Raises `PremiumRoom`, and has put them out then."""
        try:
            require_entering(room.stream, who.identity)
        except PremiumRoom:
            self._remove(who, room)
            raise

    def _remove(self, who: Connection, room: Room) -> None:
        self.left(who, room.id)
        self._rooms.leave(room.id, who.socket)

    def identity_changed(self, who: Connection) -> None:
        """Put them out of rooms they may not be in any more, and tell them."""
        for stream_id in tuple(who.rooms):
            room = self._rooms.find(stream_id)
            try:
                if room is not None:
                    self._admit(who, room)
            except PremiumRoom as refused:
                _tell_refused(who, stream_id, refused)

    def put_out(self, who: Connection, room: Room, why: FootlightError) -> None:
        """Out of one room, and tell them."""
        self._remove(who, room)
        _tell_refused(who, room.id, why)

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
            who.desks.discard(stream_id)
            self._rooms.leave(stream_id, who.socket)
            self._presence.leave(stream_id, who.viewer)


def _tell_refused(who: Connection, stream_id: str, why: FootlightError) -> None:
    told = RoomRefused(stream_id=stream_id, code=why.code, message=why.message)
    who.socket.offer(event_frame("room:refused", told))


def stream_info(stream: StreamSnapshot) -> StreamInfo:
    return StreamInfo(
        id=stream.id,
        title=stream.title,
        category=stream.category,
        status=stream.status,
        creator=Creator(id=stream.creator_id, display_name=stream.creator_name),
    )


def _me(room: Room, who: Connection, user: User | None) -> Me:
    told = you(room, who)
    if told is None:
        return Me(user=None, may_chat=False)
    return Me(
        user=user,
        may_chat=told.restriction is None and room.stream.status != "ended",
        capabilities=told.capabilities,
        restriction=told.restriction,
        warning=told.warning,
    )


def joined_room(rooms: Rooms, who: Connection, stream_id: str) -> Room:
    """The room that somebody is in; raises `NotInRoom`."""
    room = rooms.find(stream_id)
    if room is None or stream_id not in who.rooms:
        raise NotInRoom
    return room


def signed_in(room: Room, who: Connection) -> User:
    """Who asks, as the room sees them; raises `Unauthenticated`."""
    if who.identity is None:
        raise Unauthenticated
    return room.user_of(who.identity)
