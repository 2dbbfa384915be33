"""Saying something."""

from typing import Literal

import msgspec

from infra.clock import Clock, milliseconds
from infra.errors import Unauthenticated
from realtime.connections import Connection
from realtime.errors import NotInRoom
from realtime.events import MessageSent, SendMessage, User
from realtime.handlers.room import user_in
from realtime.room.log import Draft, RoomLog
from realtime.room.rooms import Rooms
from realtime.room.text import clean


class MessageBody(msgspec.Struct, frozen=True, kw_only=True):
    """An `Entry` that has no offset yet; the log puts it in front."""

    stream_id: str
    kind: Literal["message"] = "message"
    id: str
    user: User
    text: str
    at: int


class ChatHandlers:
    def __init__(self, rooms: Rooms, room_log: RoomLog, clock: Clock) -> None:
        self._rooms = rooms
        self._log = room_log
        self._clock = clock

    async def send(self, who: Connection, body: SendMessage) -> MessageSent:
        room = self._rooms.find(body.stream_id)
        if room is None or body.stream_id not in who.rooms:
            raise NotInRoom
        user = user_in(room.stream, who)
        if user is None:
            raise Unauthenticated
        text = clean(body.text)
        message = MessageBody(stream_id=room.id, id=body.id, user=user, text=text, at=milliseconds(self._clock()))
        draft = Draft(
            user.id,
            body.id,
            msgspec.json.encode(message),
            exempt=user.role != "viewer",
            ended=room.stream.status == "ended",
        )
        place = await self._log.append(room.id, draft)
        return MessageSent(offset=place.offset)
