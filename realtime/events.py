"""Every event of the socket as a typed struct, and the tables that name them; docs/events.md tells the same in words.

Times are Unix milliseconds. Client events are acknowledged with their answer, or with `Refusal`.
"""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from media.events import StreamStatus

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
StreamId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]  # no braces: it becomes a hash tag
Epoch = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,32}\Z")]
Offset = Annotated[int, Meta(ge=0, le=2**53)]
RoomRole = Literal["viewer", "creator", "admin"]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a client event is acknowledged with when all went well."""

    ok: Literal[True] = True


class Refusal(Struct, frozen=True, kw_only=True):
    """What it is acknowledged with otherwise: `error` = `{code, message, details}`."""

    error: dict[str, Any]
    ok: Literal[False] = False


class User(Struct, frozen=True, kw_only=True):
    """Somebody in a room; `creator` is the broadcaster of this room, nobody else."""

    id: str
    name: str
    role: RoomRole


class Entry(Struct, frozen=True, kw_only=True):
    """One line of a room's log."""

    offset: int
    stream_id: str
    kind: Literal["message"]
    id: str
    user: User
    text: str
    at: int


class Creator(Struct, frozen=True, kw_only=True):
    id: str
    display_name: str


class StreamInfo(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    category: str | None
    status: StreamStatus
    creator: Creator


class RoomSettings(Struct, frozen=True, kw_only=True):
    slow_seconds: int = 0
    max_length: int = 500


class Me(Struct, frozen=True, kw_only=True):
    user: User | None
    may_chat: bool


# --- from clients


class Auth(Body, frozen=True, kw_only=True):
    """The payload of Socket.IO's own CONNECT."""

    token: Annotated[str, Meta(max_length=4096)] | None = None
    device: Identifier | None = None


class JoinRoom(Body, frozen=True, kw_only=True):
    stream_id: StreamId
    epoch: Epoch | None = None
    offset: Offset | None = None


class RoomJoined(Answer, frozen=True, kw_only=True):
    epoch: str
    offset: int
    recovered: bool
    entries: list[Entry]
    stream: StreamInfo
    viewers: int
    settings: RoomSettings
    me: Me


class LeaveRoom(Body, frozen=True, kw_only=True):
    stream_id: StreamId


class SendMessage(Body, frozen=True, kw_only=True):
    stream_id: StreamId
    id: Identifier
    text: str


class MessageSent(Answer, frozen=True, kw_only=True):
    offset: int


# --- from the server


class RoomViewers(Struct, frozen=True, kw_only=True):
    stream_id: str
    viewers: int


class RoomStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    stream_id: str
    status: StreamStatus
    at: int
    title: str
    category: str | None
    reason: str | None = None


class RoomReset(Struct, frozen=True, kw_only=True):
    stream_id: str


class SessionClosing(Struct, frozen=True, kw_only=True):
    code: str
    message: str
    reconnect: bool
    delay_ms: int


class ClientEvent(NamedTuple):
    name: str
    body: type[Body]
    answer: type[Answer]


class ServerEvent(NamedTuple):
    name: str
    body: Any


CLIENT_EVENTS = (
    ClientEvent("room:join", JoinRoom, RoomJoined),
    ClientEvent("room:leave", LeaveRoom, Answer),
    ClientEvent("chat:send", SendMessage, MessageSent),
)
SERVER_EVENTS = (
    ServerEvent("chat", list[Entry]),
    ServerEvent("room:viewers", RoomViewers),
    ServerEvent("room:status", RoomStatus),
    ServerEvent("room:reset", RoomReset),
    ServerEvent("session:closing", SessionClosing),
)
