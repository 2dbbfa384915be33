"""What moderators and viewers command, and the answers. One body is one command: the socket, slash commands and HTTP
all hand the same struct to `Moderation.act`.

Whom a command is about is named by `user_id`. Times in answers are Unix milliseconds.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from realtime.bodies import Answer, Body, Identifier, StreamId, UserId
from realtime.entries import Paid, PaidMode, RoomRole, Tint, User
from realtime.room.rules import Caution

Reason = Annotated[str, Meta(max_length=500)]
Seconds = Annotated[int, Meta(ge=0, le=7_776_000)]
ActionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]

MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS = 1, 1_209_600  # 14 days
UNDO_SECONDS = 10
HELD_SECONDS = 300


class Acted(Answer, frozen=True, kw_only=True):
    """Done. With `action_id` it can be undone until `undo_until`; `message` says in words what happened."""

    action_id: str | None = None
    undo_until: int | None = None
    message: str = ""


class Command(Body, frozen=True, kw_only=True):
    """Something done to one room and its channel."""

    stream_id: StreamId


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Remove one message: by who said it and its id."""

    user_id: UserId
    message_id: Identifier
    reason: Reason = ""


class Timeout(Command, frozen=True, kw_only=True):
    """The user is silent so long, and all they said is removed."""

    user_id: UserId
    seconds: Annotated[int, Meta(ge=MIN_TIMEOUT_SECONDS, le=MAX_TIMEOUT_SECONDS)]
    reason: Reason = ""


class Ban(Command, frozen=True, kw_only=True):
    """The user is silent for good, and all they said is removed."""

    user_id: UserId
    reason: Reason = ""


class Unban(Command, frozen=True, kw_only=True):
    """Lifts a ban or a timeout."""

    user_id: UserId
    reason: Reason = ""


class Warn(Command, frozen=True, kw_only=True):
    """The user must acknowledge `reason` before talking again."""

    user_id: UserId
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class ClearChat(Command, frozen=True, kw_only=True):
    """Remove everything said so far."""

    reason: Reason = ""


class ChangeSettings(Command, frozen=True, kw_only=True):
    """Only what is named changes. `slow_seconds` is 0 or 3 to 120, `delay_seconds` 0, 2, 4 or 6."""

    slow_seconds: Annotated[int, Meta(ge=0, le=120)] | UnsetType = UNSET
    followers_seconds: Seconds | UnsetType | None = UNSET
    subscribers_only: bool | UnsetType = UNSET
    emote_only: bool | UnsetType = UNSET
    unique_chat: bool | UnsetType = UNSET
    delay_seconds: Literal[0, 2, 4, 6] | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET
    paid_messages: PaidMode | UnsetType = UNSET


class Shield(Command, frozen=True, kw_only=True):
    """One switch for the strictest of everything; new accounts are held. Off gives back what was before."""

    on: bool


class PinMessage(Command, frozen=True, kw_only=True):
    """Put a message on top of the chat."""

    user_id: UserId
    message_id: Identifier
    seconds: Annotated[int, Meta(ge=30, le=1800)] = 1200


class Unpin(Command, frozen=True, kw_only=True):
    """Nothing is on top any more."""


class Announce(Command, frozen=True, kw_only=True):
    """Say something that stands out."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]
    tint: Tint = "primary"


class ClaimHeld(Command, frozen=True, kw_only=True):
    """This held message is mine to decide for a minute; with `release` it is anybody's again."""

    held_id: ActionId
    release: bool = False


class Approve(Command, frozen=True, kw_only=True):
    """Say a held message after all."""

    held_id: ActionId


class Deny(Command, frozen=True, kw_only=True):
    """Refuse a held message."""

    held_id: ActionId
    reason: Reason = ""


class StartRaid(Command, frozen=True, kw_only=True):
    """Send the viewers to another live channel, after `seconds`; with `cancel` they stay."""

    channel_id: UserId | None = None
    cancel: bool = False
    seconds: Annotated[int, Meta(ge=5, le=90)] = 10


class MakeVip(Command, frozen=True, kw_only=True):
    """Somebody the channel honours: exempt from slow mode and the like."""

    user_id: UserId
    on: bool = True


class MakeModerator(Command, frozen=True, kw_only=True):
    """Somebody who keeps order in the broadcaster's name."""

    user_id: UserId
    on: bool = True


class Undo(Command, frozen=True, kw_only=True):
    """Take back an action, within UNDO_SECONDS with the messages it removed."""

    action_id: ActionId


class OpenPoll(Command, frozen=True, kw_only=True):
    """Ask the room; each account has one vote."""

    question: Annotated[str, Meta(min_length=1, max_length=60)]
    choices: Annotated[list[Annotated[str, Meta(min_length=1, max_length=25)]], Meta(min_length=2, max_length=5)]
    seconds: Annotated[int, Meta(ge=15, le=1800)] = 60


class ClosePoll(Command, frozen=True, kw_only=True):
    """Close the poll with what was voted; with `cancel` it counts for nothing."""

    poll_id: ActionId
    cancel: bool = False


class Vote(Command, frozen=True, kw_only=True):
    """One for each account; the second is refused. `choice` counts from 0."""

    poll_id: ActionId
    choice: Annotated[int, Meta(ge=0, le=4)]


class React(Command, frozen=True, kw_only=True):
    """One of the room's reactions; counted, not said."""

    reaction: Literal["heart", "laugh", "wow", "clap", "fire", "sad"]


class Acknowledge(Command, frozen=True, kw_only=True):
    """I have read the warning."""

    warning_id: ActionId


class Slash(Command, frozen=True, kw_only=True):
    """A line that begins with a slash. `users` says whom a name in it means, where the client knows."""

    id: Identifier
    line: Annotated[str, Meta(min_length=1, max_length=600)]
    users: Annotated[dict[str, UserId], Meta(max_length=10)] = field(default_factory=dict)


class Ruling(Struct, frozen=True, kw_only=True):
    """One row of the moderation log, for moderators. `undo_until` is there while it can be undone with its messages."""

    id: str
    revision: int
    channel_id: str
    stream_id: str | None
    action: str
    actor: User
    target: User | None
    message_id: str | None
    reason: str
    snapshot: dict[str, Any] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: int
    undoes: str | None = None
    undone_by: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """Why a message was held, for moderators: `start` and `end` are characters of its text."""

    code: str
    detail: str
    start: int
    end: int


class HeldMessage(Struct, frozen=True, kw_only=True):
    """A message that waits for a moderator. `claimed_by` has it until `claimed_until`. `paid`: what goes back if it is
    denied, or nobody decides."""

    id: str
    stream_id: str
    user: User
    text: str
    at: int
    expires_at: int
    findings: list[Finding]
    paid: Paid | None = None
    claimed_by: User | None = None
    claimed_until: int | None = None


class ModActed(Struct, frozen=True, kw_only=True):
    """For the desk: somebody did this."""

    stream_id: str
    ruling: Ruling


class ModHeld(Struct, frozen=True, kw_only=True):
    """For the desk: a held message came, is claimed or free again, or was decided."""

    stream_id: str
    change: Literal["added", "claimed", "released", "approved", "denied", "expired"]
    held: HeldMessage


class ChatHeld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For the author: what became of a message that a moderator has to see first. `id` is the message's."""

    stream_id: str
    id: str
    status: Literal["held", "approved", "denied", "expired"]
    reason: str = ""


class Restriction(Struct, frozen=True, kw_only=True):
    """`until` is null for a ban."""

    kind: Literal["timeout", "ban"]
    until: int | None
    reason: str


class RoomYou(Struct, frozen=True, kw_only=True):
    """What you are and may do here, whenever that changes."""

    stream_id: str
    role: RoomRole
    capabilities: list[str]
    restriction: Restriction | None
    warning: Caution | None
    following_since: int | None = None


class RoomPoll(Struct, frozen=True, kw_only=True):
    """The votes so far: at most once a second."""

    stream_id: str
    poll_id: str
    votes: list[int]


class RoomReactions(Struct, frozen=True, kw_only=True):
    """How many of each since the last one: at most once a second."""

    stream_id: str
    counts: dict[str, int]
