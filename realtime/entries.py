"""The entries of a room's log, by their `kind`: what was said, and everything that was done to the room, in one order.

Times are Unix milliseconds. A reader folds them: see docs/moderation-design.md.
"""

from typing import Literal

from msgspec import Struct, json, to_builtins

RoomRole = Literal["viewer", "vip", "moderator", "admin", "creator"]
Tint = Literal["primary", "blue", "green", "orange", "purple"]
PaidMode = Literal["open", "held", "off"]


class User(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody in a room; `creator` is the broadcaster of this room, nobody else. `color` is `#rrggbb`."""

    id: str
    name: str
    role: RoomRole
    subscriber: bool = False
    color: str | None = None


class Person(Struct, frozen=True, kw_only=True):
    """Whom something was done to."""

    id: str
    name: str


class RoomSettings(Struct, frozen=True, kw_only=True):
    """What holds for everybody who writes here.

    `slow_seconds` between two messages of one user (0: none), `auto_slow_seconds` the same set by the room itself while
    it is too loud: the greater holds. `followers_seconds`: only who follows for so long may write (null: everybody).
    `delay_seconds`: others see a message so long after moderators. `max_length` in characters. `paid_messages`: shown
    when they are paid, held for a moderator, or not taken.
    """

    slow_seconds: int = 0
    auto_slow_seconds: int = 0
    followers_seconds: int | None = None
    subscribers_only: bool = False
    emote_only: bool = False
    unique_chat: bool = False
    delay_seconds: int = 0
    shield: bool = False
    read_only: bool = False
    max_length: int = 500
    paid_messages: PaidMode = "open"


class Line(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every entry has."""

    offset: int
    stream_id: str
    id: str
    at: int


class Reply(Struct, frozen=True, kw_only=True):
    """The message that is answered. Its text is not repeated: it may be removed."""

    id: str
    user_id: str
    name: str


class Paid(Struct, frozen=True, kw_only=True):
    """What was paid for a message, in minor units, and how long it stays on top."""

    amount_minor: int
    currency: str
    pin_seconds: int


class Message(Line, frozen=True, kw_only=True, omit_defaults=True, tag="message"):
    """Somebody said something; with `me` they did it (`/me`)."""

    user: User
    text: str
    me: bool = False
    reply: Reply | None = None
    paid: Paid | None = None


class SaidMessage(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="message"):
    """A `Message` that has no offset yet: what is given to the log."""

    stream_id: str
    id: str
    at: int
    user: User
    text: str
    me: bool = False
    reply: Reply | None = None
    paid: Paid | None = None


class Announcement(Line, frozen=True, kw_only=True, tag="announcement"):
    """Said by those who run the room, to stand out."""

    user: User
    text: str
    tint: Tint


class Gift(Line, frozen=True, kw_only=True, tag="gift"):
    """`user` gave `count` subscriptions, each for so many `months`: to this channel at `level`, or premium at level 0.

    `text` says it in words. `recipients` are the first few who have one by then.
    """

    user: User
    text: str
    count: int
    level: int
    months: int
    recipients: list[Person]


class Moderation(Line, frozen=True, kw_only=True, omit_defaults=True, tag="moderation"):
    """`delete` removes one message (`target`, `message_id`); `timeout` and `ban` all of the target's so far; `clear`
    everything so far. `until` ends a timeout. Who did it and why only moderators are told."""

    action: Literal["delete", "clear", "timeout", "ban", "unban", "warn", "acknowledge"]
    target: Person | None = None
    message_id: str | None = None
    until: int | None = None


class SettingsChanged(Line, frozen=True, kw_only=True, tag="settings"):
    """The settings that hold from here on, all of them."""

    settings: RoomSettings


class RoleChanged(Line, frozen=True, kw_only=True, tag="role"):
    """Somebody is a moderator, a VIP, or neither from here on."""

    target: Person
    role: Literal["moderator", "vip", "viewer"]


class Pin(Struct, frozen=True, kw_only=True):
    """A message on top of the chat until `until`."""

    message_id: str
    user: User
    text: str
    until: int


class PinChanged(Line, frozen=True, kw_only=True, tag="pin"):
    """What is pinned from here on; null for nothing."""

    pin: Pin | None


class Poll(Struct, frozen=True, kw_only=True):
    """`votes` stand beside `choices`. A vote is one for each account. `closes_at` is when it closes by itself."""

    id: str
    question: str
    choices: list[str]
    votes: list[int]
    state: Literal["open", "closed", "cancelled"]
    closes_at: int


class PollChanged(Line, frozen=True, kw_only=True, tag="poll"):
    """A poll opened, or closed with these votes."""

    poll: Poll


class Raid(Struct, frozen=True, kw_only=True):
    """The viewers of one channel go to another. `spread_ms`: each leaves after a random part of it."""

    channel_id: str
    name: str
    stream_id: str
    viewers: int
    departs_at: int
    spread_ms: int
    state: Literal["preparing", "gone", "cancelled", "arrived"]


class RaidChanged(Line, frozen=True, kw_only=True, tag="raid"):
    """`preparing`, `gone`, `cancelled`: this room goes to the channel named. `arrived`: it comes here."""

    raid: Raid


class Restored(Line, frozen=True, kw_only=True, tag="restored"):
    """A removal was undone: this message is back in its old place."""

    message: Message


class Removed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="removed"):
    """Here stood something that was removed."""

    offset: int
    stream_id: str


Entry = (
    Message
    | Announcement
    | Gift
    | Moderation
    | SettingsChanged
    | RoleChanged
    | PinChanged
    | PollChanged
    | RaidChanged
    | Restored
    | Removed
)


def without_offset(entry: Line) -> bytes:
    """The entry as JSON that has no offset yet; the log puts it in front."""
    body = to_builtins(entry)
    del body["offset"]
    return json.encode(body)
