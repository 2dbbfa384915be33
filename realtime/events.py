"""Every event of the socket as a typed struct, and the tables that name them.

Times are Unix milliseconds. Client events are acknowledged with their answer, or with `Refusal`. The AsyncAPI document,
the tables of docs/events.md and the web client's types are made from here by `footlight events --write`.
"""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from infra.errors import FootlightError, Unauthenticated
from media.events import StreamStatus
from realtime.errors import (
    ChatBanned,
    ChatSlowMode,
    ChatTooFast,
    NotInRoom,
    RoomEnded,
    RoomNotFound,
    TextInvalid,
    TooManyRooms,
)

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
    """The broadcaster of a stream."""

    id: str
    display_name: str


class StreamInfo(Struct, frozen=True, kw_only=True):
    """The stream a room belongs to, as it is at the moment of the answer."""

    id: str
    title: str
    category: str | None
    status: StreamStatus
    creator: Creator


class RoomSettings(Struct, frozen=True, kw_only=True):
    """What holds for everybody who writes here: seconds between two messages, and characters in one."""

    slow_seconds: int = 0
    max_length: int = 500


class Me(Struct, frozen=True, kw_only=True):
    """Who asks, as the room sees them; `user` is null for who is not signed in."""

    user: User | None
    may_chat: bool


# --- from clients


class Auth(Body, frozen=True, kw_only=True):
    """The payload of Socket.IO's own CONNECT."""

    token: Annotated[str, Meta(max_length=4096)] | None = None
    device: Identifier | None = None


class JoinRoom(Body, frozen=True, kw_only=True):
    """`epoch` and `offset` are the position one has; without them the newest entries are answered."""

    stream_id: StreamId
    epoch: Epoch | None = None
    offset: Offset | None = None


class RoomJoined(Answer, frozen=True, kw_only=True):
    """`recovered`: `entries` are exactly what was missed. Otherwise throw away what you have and begin from them."""

    epoch: str
    offset: int
    recovered: bool
    entries: list[Entry]
    stream: StreamInfo
    viewers: int
    peak: int
    settings: RoomSettings
    me: Me


class LeaveRoom(Body, frozen=True, kw_only=True):
    """Fine for who is not in the room."""

    stream_id: StreamId


class SendMessage(Body, frozen=True, kw_only=True):
    """`id` is the client's choice; the same id again stores the message once and answers the same offset."""

    stream_id: StreamId
    id: Identifier
    text: str


class MessageSent(Answer, frozen=True, kw_only=True):
    """The message is stored, at `offset` of the room's log."""

    offset: int


class AskChatters(Body, frozen=True, kw_only=True):
    """`after` is `next` of the page before; without it the list begins."""

    stream_id: StreamId
    after: Annotated[str, Meta(max_length=512, pattern=r"^[A-Za-z0-9_-]*\Z")] | None = None


class Chatters(Answer, frozen=True, kw_only=True):
    """At most 100 `users`: the broadcaster, then moderators and admins, then all others by name.

    `total` counts everybody who signed in, `anonymous` everybody else; `next` is null on the last page.
    """

    users: list[User]
    next: str | None
    total: int
    anonymous: int


# --- from the server


class RoomViewers(Struct, frozen=True, kw_only=True):
    """Users and devices, however many tabs and nodes; `peak` is the most there ever were."""

    stream_id: str
    viewers: int
    peak: int


class RoomStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is there when the stream ended."""

    stream_id: str
    status: StreamStatus
    at: int
    title: str
    category: str | None
    reason: str | None = None


class RoomReset(Struct, frozen=True, kw_only=True):
    """What you have may not fit what comes: throw the position away."""

    stream_id: str


class RoomLagged(Struct, frozen=True, kw_only=True):
    """Your position still holds: what was missed is answered to a join with it."""

    stream_id: str


class RoomPosition(Struct, frozen=True, kw_only=True):
    """How far the log of a room was passed on."""

    epoch: str
    offset: int


class SessionClosing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is one of the disconnect codes and `number` its WebSocket close code; `delay_ms` is how long to wait.

    `positions` tells by stream id how far the server is in your rooms; if yours is lower, join with yours.
    """

    code: str
    number: int
    message: str
    reconnect: bool
    delay_ms: int
    positions: dict[str, RoomPosition] = {}


class ClientEvent(NamedTuple):
    """`refusals` are what it can be refused for beside what every event can (`realtime.contract.refusals`)."""

    name: str
    body: type[Body]
    answer: type[Answer]
    summary: str
    refusals: tuple[type[FootlightError], ...] = ()


class ServerEvent(NamedTuple):
    name: str
    body: Any
    summary: str


CLIENT_EVENTS = (
    ClientEvent(
        "room:join",
        JoinRoom,
        RoomJoined,
        "Enter a room, or recover in one you are in: what was missed, then everything that is said.",
        (RoomNotFound, TooManyRooms),
    ),
    ClientEvent("room:leave", LeaveRoom, Answer, "Leave a room."),
    ClientEvent(
        "chat:send",
        SendMessage,
        MessageSent,
        "Say something. Once acknowledged it is in the room's log and never lost.",
        (NotInRoom, Unauthenticated, TextInvalid, RoomEnded, ChatTooFast, ChatSlowMode, ChatBanned),
    ),
    ClientEvent(
        "room:chatters",
        AskChatters,
        Chatters,
        "Who is here: a page of the people who signed in, from all nodes, a few seconds old.",
        (NotInRoom,),
    ),
)
SERVER_EVENTS = (
    ServerEvent("chat", list[Entry], "What was said since the last frame, in the order of the room's log."),
    ServerEvent("room:viewers", RoomViewers, "How many watch: at most once a second, and only when it changed."),
    ServerEvent("room:status", RoomStatus, "The stream began, stopped, came back or ended, or has another title."),
    ServerEvent("room:reset", RoomReset, "The room's log was lost or moved: join again."),
    ServerEvent(
        "room:lagged",
        RoomLagged,
        "You could not be reached fast enough and missed messages: join again with your position.",
    ),
    ServerEvent("session:closing", SessionClosing, "The last word before the server disconnects."),
)
