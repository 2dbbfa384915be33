"""Every event of the socket as a typed struct, and the tables that name them.

Times are Unix milliseconds. Client events are acknowledged with their answer, or with `Refusal`. The AsyncAPI document,
the tables of docs/events.md and the web client's types are made from here by `footlight events --write`. The entries of
a room's log are in `realtime/entries.py`, what moderators command in `realtime/moderation/bodies.py`.
"""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct, field

from infra.errors import FootlightError, Unauthenticated
from media.events import StreamStatus
from realtime.bodies import Answer, Body, Epoch, Identifier, Offset, Refusal, StreamId, UserId
from realtime.entries import Entry, Message, Pin, Poll, Raid, RoomRole, RoomSettings, User
from realtime.errors import (
    ChatBanned,
    ChatSlowMode,
    ChatTooFast,
    NotInRoom,
    PremiumRoom,
    RoomEnded,
    RoomNotFound,
    TextInvalid,
    TooManyRooms,
)
from realtime.moderation import bodies as mod
from realtime.moderation.errors import (
    AlreadySo,
    AmbiguousUser,
    CannotActOn,
    ChatBlocked,
    ChatEmoteOnly,
    ChatFollowersOnly,
    ChatNotUnique,
    ChatReadOnly,
    ChatSubscribersOnly,
    ChatWarned,
    CommandMalformed,
    CommandUnknown,
    HeldClaimed,
    HeldGone,
    MessageGone,
    NotAllowed,
    NothingToUndo,
    PollClosed,
    PollOpen,
    PollVoted,
    RaidTarget,
    TooManyOfThese,
    UnknownUser,
)
from realtime.room.rules import Caution

__all__ = ["Answer", "Body", "Epoch", "Identifier", "Offset", "Refusal", "RoomRole", "StreamId", "User"]


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


class Me(Struct, frozen=True, kw_only=True):
    """Who asks, as the room sees them; `user` is null for who is not signed in. `capabilities` is what they may do
    here (the table in docs/moderation.md)."""

    user: User | None
    may_chat: bool
    capabilities: list[str] = []
    restriction: mod.Restriction | None = None
    warning: Caution | None = None
    following_since: int | None = None


# --- from clients


class Auth(Body, frozen=True, kw_only=True):
    """The payload of Socket.IO's own CONNECT."""

    token: Annotated[str, Meta(max_length=4096)] | None = None
    device: Identifier | None = None


class JoinRoom(Body, frozen=True, kw_only=True):
    """`epoch` and `offset` are the position one has; without them the newest entries are answered.

    `desk` asks for what only moderators hear, and is quietly nothing for others.
    """

    stream_id: StreamId
    epoch: Epoch | None = None
    offset: Offset | None = None
    desk: bool = False


class RoomJoined(Answer, frozen=True, kw_only=True):
    """`recovered`: `entries` are exactly what was missed. Otherwise throw away what you have and begin from them.

    `on_top` are paid messages whose time on top is not over (`at` + `paid.pin_seconds`), the oldest first; later ones
    come as entries.
    """

    epoch: str
    offset: int
    recovered: bool
    entries: list[Entry]
    stream: StreamInfo
    viewers: int
    peak: int
    settings: RoomSettings
    me: Me
    pin: Pin | None = None
    poll: Poll | None = None
    raid: Raid | None = None
    on_top: list[Message] = field(default_factory=list)


class LeaveRoom(Body, frozen=True, kw_only=True):
    """Fine for who is not in the room."""

    stream_id: StreamId


class ReplyTo(Body, frozen=True, kw_only=True):
    """The message one answers."""

    user_id: UserId
    id: Identifier


class SendMessage(Body, frozen=True, kw_only=True):
    """`id` is the client's choice; the same id again stores the message once and answers the same offset."""

    stream_id: StreamId
    id: Identifier
    text: str
    me: bool = False
    reply_to: ReplyTo | None = None


class MessageSent(Answer, frozen=True, kw_only=True):
    """The message is stored, at `offset` of the room's log; or `held`, and its author is told what becomes of it."""

    offset: int
    held: bool = False


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


class WatchStudio(Body, frozen=True, kw_only=True):
    """Hear `studio:video`. Fine for who does already."""


class UnwatchStudio(Body, frozen=True, kw_only=True):
    """Fine for who does not hear it."""


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


class RoomRefused(Struct, frozen=True, kw_only=True):
    """You are not in the room any more, and why: what a join would now be refused for."""

    stream_id: str
    code: str
    message: str


class RoomRemoved(Struct, frozen=True, kw_only=True):
    """One message, all of a user's, or everything (both null). The entry that says so follows in its order."""

    stream_id: str
    user_id: str | None
    message_id: str | None


class StudioVideo(Struct, frozen=True, kw_only=True):
    """How far the making of one's own video is. `done` is 0 to 1; `eta_seconds` is null while it cannot be told;
    `playable` from the first quality on; `message` says why it failed."""

    video_id: str
    status: Literal["uploading", "processing", "ready", "failed"]
    stage: Literal["queued", "checking", "encoding", "finishing", "done", "failed"]
    done: float
    eta_seconds: float | None
    playable: bool
    attempt: int
    message: str | None


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


SPOKEN = (
    TextInvalid,
    RoomEnded,
    ChatTooFast,
    ChatSlowMode,
    ChatBanned,
    ChatWarned,
    ChatReadOnly,
    ChatFollowersOnly,
    ChatSubscribersOnly,
    ChatEmoteOnly,
    ChatNotUnique,
    ChatBlocked,
)
HERE = (NotInRoom, Unauthenticated)
COMMANDED = (*HERE, NotAllowed)
HELD = (*COMMANDED, HeldGone, HeldClaimed)
ABOUT_SOMEBODY = (*COMMANDED, UnknownUser, CannotActOn)
APPOINTED = (*ABOUT_SOMEBODY, AlreadySo, TooManyOfThese)

ROOM_EVENTS = (
    ClientEvent(
        "room:join",
        JoinRoom,
        RoomJoined,
        "Enter a room, or recover in one you are in: what was missed, then everything that is said.",
        (RoomNotFound, PremiumRoom, TooManyRooms),
    ),
    ClientEvent("room:leave", LeaveRoom, Answer, "Leave a room."),
    ClientEvent(
        "room:chatters",
        AskChatters,
        Chatters,
        "Who is here: a page of the people who signed in, from all nodes, a few seconds old.",
        (NotInRoom,),
    ),
)
CHAT_EVENTS = (
    ClientEvent(
        "chat:send",
        SendMessage,
        MessageSent,
        "Say something. Once acknowledged it is in the room's log and never lost, or held for a moderator.",
        (*HERE, *SPOKEN, MessageGone),
    ),
    ClientEvent(
        "chat:command",
        mod.Slash,
        mod.Acted,
        "A line that begins with a slash, as typed: the same as the event it stands for.",
        (
            *ABOUT_SOMEBODY,
            *SPOKEN,
            CommandUnknown,
            CommandMalformed,
            AmbiguousUser,
            AlreadySo,
            MessageGone,
            PollClosed,
            PollVoted,
            PollOpen,
            RaidTarget,
            NothingToUndo,
            TooManyOfThese,
        ),
    ),
    ClientEvent("chat:react", mod.React, Answer, "Add to the room's reactions.", (*HERE, ChatBanned, ChatTooFast)),
    ClientEvent("chat:acknowledge", mod.Acknowledge, Answer, "Acknowledge a warning.", (*HERE, AlreadySo)),
    ClientEvent("poll:vote", mod.Vote, Answer, "Vote, once.", (*HERE, ChatBanned, PollClosed, PollVoted)),
)
MOD_EVENTS = (
    ClientEvent("mod:delete", mod.DeleteMessage, mod.Acted, "Remove one message.", (*ABOUT_SOMEBODY, MessageGone)),
    ClientEvent("mod:timeout", mod.Timeout, mod.Acted, "Silence somebody for a while.", (*ABOUT_SOMEBODY, AlreadySo)),
    ClientEvent("mod:ban", mod.Ban, mod.Acted, "Silence somebody for good.", (*ABOUT_SOMEBODY, AlreadySo)),
    ClientEvent("mod:unban", mod.Unban, mod.Acted, "Lift a ban or a timeout.", (*ABOUT_SOMEBODY, AlreadySo)),
    ClientEvent("mod:warn", mod.Warn, mod.Acted, "Warn somebody, who must acknowledge it.", ABOUT_SOMEBODY),
    ClientEvent("mod:clear", mod.ClearChat, mod.Acted, "Remove everything said so far.", COMMANDED),
    ClientEvent("mod:settings", mod.ChangeSettings, mod.Acted, "Change the room's modes.", (*COMMANDED, AlreadySo)),
    ClientEvent("mod:shield", mod.Shield, mod.Acted, "Shield mode on or off.", (*COMMANDED, AlreadySo)),
    ClientEvent("mod:pin", mod.PinMessage, mod.Acted, "Pin a message.", (*COMMANDED, UnknownUser, MessageGone)),
    ClientEvent("mod:unpin", mod.Unpin, mod.Acted, "Unpin it.", (*COMMANDED, AlreadySo)),
    ClientEvent("mod:announce", mod.Announce, mod.Acted, "Say something that stands out.", (*COMMANDED, TextInvalid)),
    ClientEvent(
        "mod:claim", mod.ClaimHeld, mod.Acted, "Take a held message to decide it.", (*COMMANDED, HeldGone, HeldClaimed)
    ),
    ClientEvent(
        "mod:approve", mod.Approve, mod.Acted, "Let a held message through.", (*COMMANDED, HeldGone, HeldClaimed)
    ),
    ClientEvent("mod:deny", mod.Deny, mod.Acted, "Refuse a held message.", HELD),
    ClientEvent(
        "mod:raid",
        mod.StartRaid,
        mod.Acted,
        "Take the viewers to another channel.",
        (*COMMANDED, RaidTarget, AlreadySo),
    ),
    ClientEvent("mod:vip", mod.MakeVip, mod.Acted, "Make somebody a VIP, or not.", APPOINTED),
    ClientEvent(
        "mod:moderator",
        mod.MakeModerator,
        mod.Acted,
        "Make somebody a moderator, or not.",
        APPOINTED,
    ),
    ClientEvent(
        "mod:undo",
        mod.Undo,
        mod.Acted,
        "Take an action back.",
        (*COMMANDED, NothingToUndo, CannotActOn, TooManyOfThese),
    ),
    ClientEvent("poll:open", mod.OpenPoll, mod.Acted, "Open a poll.", (*COMMANDED, PollOpen, TextInvalid)),
    ClientEvent("poll:close", mod.ClosePoll, mod.Acted, "Close or cancel a poll.", (*COMMANDED, PollClosed)),
)
STUDIO_EVENTS = (
    ClientEvent(
        "studio:watch",
        WatchStudio,
        Answer,
        "Hear how the making of one's own videos goes, until the socket closes.",
        (Unauthenticated,),
    ),
    ClientEvent("studio:unwatch", UnwatchStudio, Answer, "Hear it no more."),
)
CLIENT_EVENTS = (*ROOM_EVENTS, *CHAT_EVENTS, *MOD_EVENTS, *STUDIO_EVENTS)
SERVER_EVENTS = (
    ServerEvent("chat", list[Entry], "What happened since the last frame, in the order of the room's log."),
    ServerEvent("room:viewers", RoomViewers, "How many watch: at most once a second, and only when it changed."),
    ServerEvent("room:status", RoomStatus, "The stream began, stopped, came back or ended, or has another title."),
    ServerEvent("room:removed", RoomRemoved, "In a delayed chat: take these messages away before the entry says so."),
    ServerEvent("room:you", mod.RoomYou, "What you are and may do here has changed."),
    ServerEvent("room:poll", mod.RoomPoll, "The votes of the open poll: at most once a second."),
    ServerEvent("room:reactions", mod.RoomReactions, "New reactions, counted: at most once a second."),
    ServerEvent("chat:held", mod.ChatHeld, "To its author: what became of a held message."),
    ServerEvent("mod:acted", mod.ModActed, "To the desk: what a moderator did."),
    ServerEvent("mod:held", mod.ModHeld, "To the desk: the queue of held messages changed."),
    ServerEvent(
        "studio:video",
        StudioVideo,
        "After `studio:watch`: one's own video came further, at most once a second for each.",
    ),
    ServerEvent("room:refused", RoomRefused, "You may not be in the room any more, and are not."),
    ServerEvent("room:reset", RoomReset, "The room's log was lost or moved: join again."),
    ServerEvent(
        "room:lagged",
        RoomLagged,
        "You could not be reached fast enough and missed messages: join again with your position.",
    ),
    ServerEvent("session:closing", SessionClosing, "The last word before the server disconnects."),
)
