"""What somebody is in a room, told to them and to the list of people whenever it changes."""

from typing import Protocol

from realtime.connections import Connection, Connections
from realtime.moderation.bodies import Restriction, RoomYou
from realtime.moderation.capabilities import TABLE
from realtime.room.local import Room
from realtime.room.people import line_of
from realtime.wire.frames import event_frame


def you(room: Room, who: Connection) -> RoomYou | None:
    """None for who is not signed in."""
    if who.identity is None:
        return None
    user = room.user_of(who.identity)
    sanction = room.sanction_of(user.id)
    restriction = None
    if sanction is not None:
        restriction = Restriction(
            kind="ban" if sanction.until is None else "timeout", until=sanction.until, reason=sanction.reason
        )
    return RoomYou(
        stream_id=room.id,
        role=user.role,
        capabilities=[] if restriction else list(TABLE[user.role]),
        restriction=restriction,
        warning=room.scene.rules.cautions.get(user.id),
    )


class Present(Protocol):
    """The part of `realtime.room.presence.Presence` that is needed here."""

    def enter(self, stream_id: str, viewer: str, line: bytes = b"") -> None: ...

    def leave(self, stream_id: str, viewer: str) -> None: ...


class Standings:
    """The connections of a node, as its rooms need them (`realtime.room.rooms.Members`)."""

    def __init__(self, connections: Connections, presence: Present) -> None:
        self._connections = connections
        self._presence = presence

    def standing_changed(self, room: Room, user_id: str) -> None:
        for who in self._connections.of_user(user_id):
            if room.id in who.rooms and who.identity is not None:
                user = room.user_of(who.identity)
                room.enter(who.socket, user, desk=room.id in who.desks)
                self._presence.enter(room.id, who.viewer, line_of(user))  # the new line replaces the old one
                self._presence.leave(room.id, who.viewer)
                told = you(room, who)
                if told is not None:
                    who.socket.offer(event_frame("room:you", told))

    def to_user(self, stream_id: str, user_id: str, frame: str) -> None:
        for who in self._connections.of_user(user_id):
            if stream_id in who.rooms:
                who.socket.offer(frame)
