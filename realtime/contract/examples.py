"""One true example for each message; structs, so that a field that changes breaks here first."""

from typing import Any

from realtime.disconnects import DISCONNECTS, NODE_DRAINING
from realtime.events import (
    Answer,
    AskChatters,
    Auth,
    Chatters,
    Creator,
    Entry,
    JoinRoom,
    LeaveRoom,
    Me,
    MessageSent,
    RoomJoined,
    RoomLagged,
    RoomPosition,
    RoomReset,
    RoomSettings,
    RoomStatus,
    RoomViewers,
    SendMessage,
    StreamInfo,
    User,
)

STREAM = "0198c5a2-7d1e-7c3b-9a54-2f6b1d0e8c77"
EPOCH = "5d1f0c9a"
AT = 1_760_000_000_000
ADA = User(id="0198c5a0-11aa-7f00-8b1c-3c5d7e9f0a1b", name="Ada", role="viewer")
LINE = Entry(offset=42, stream_id=STREAM, kind="message", id="m-7f3a9c21", user=ADA, text="Good morning!", at=AT)

CONNECT = Auth(device="d-41c7a9e05b")
SENT: dict[str, list[Any]] = {
    "room:join": [JoinRoom(stream_id=STREAM), JoinRoom(stream_id=STREAM, epoch=EPOCH, offset=41)],
    "room:leave": [LeaveRoom(stream_id=STREAM)],
    "chat:send": [SendMessage(stream_id=STREAM, id="m-7f3a9c21", text="Good morning!")],
    "room:chatters": [AskChatters(stream_id=STREAM)],
}
ANSWERED: dict[str, list[Any]] = {
    "room:join": [
        RoomJoined(
            epoch=EPOCH,
            offset=42,
            recovered=True,
            entries=[LINE],
            stream=StreamInfo(
                id=STREAM,
                title="Morning show",
                category="talk",
                status="live",
                creator=Creator(id="0198c59f-5e21-7a10-b6d2-8e4f0c1a2b3d", display_name="Cleo"),
            ),
            viewers=1312,
            peak=1505,
            settings=RoomSettings(),
            me=Me(user=ADA, may_chat=True),
        )
    ],
    "room:leave": [Answer()],
    "chat:send": [MessageSent(offset=42)],
    "room:chatters": [Chatters(users=[ADA], next=None, total=1, anonymous=1311)],
}
HEARD: dict[str, list[Any]] = {
    "chat": [[LINE]],
    "room:viewers": [RoomViewers(stream_id=STREAM, viewers=1312, peak=1505)],
    "room:status": [
        RoomStatus(stream_id=STREAM, status="live", at=AT, title="Morning show", category="talk"),
        RoomStatus(stream_id=STREAM, status="ended", at=AT, title="Morning show", category=None, reason="stopped"),
    ],
    "room:reset": [RoomReset(stream_id=STREAM)],
    "room:lagged": [RoomLagged(stream_id=STREAM)],
    "session:closing": [
        NODE_DRAINING.closing(3000, {STREAM: RoomPosition(epoch=EPOCH, offset=42)}),
        *(one.closing() for one in DISCONNECTS if one is not NODE_DRAINING),
    ],
}
