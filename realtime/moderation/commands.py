"""The slash commands: what they are called, what they take, who may use them. Help, completion and docs come from here.

How a line is read is in `realtime/moderation/slash.py`, what comes of it in `realtime/moderation/outcomes.py`.
"""

import difflib
from collections.abc import Iterator
from typing import Literal, get_args

from msgspec import Struct

from realtime.entries import RoomRole, Tint
from realtime.moderation.capabilities import Capability, may
from realtime.moderation.errors import CommandUnknown

ArgumentKind = Literal[
    "user", "duration", "number", "choice", "text", "quoted", "message", "action", "color", "command"
]


class Argument(Struct, frozen=True):
    """One thing a command takes. `duration` is `600`, `10m`, `1h30m`, `2d`, or `off` where `choices` says so; `quoted`
    is one word or words in quotes; `text` is the rest of the line; `many` is as many as there are."""

    name: str
    kind: ArgumentKind
    optional: bool = False
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def usage(self) -> str:
        shown = "|".join(self.choices) if self.kind == "choice" else "|".join((self.name, *self.choices))
        if self.kind == "quoted":
            shown = f'"{shown}"'
        shown = f"<{shown}>" if not self.optional else f"[{shown}]"
        return f"{shown} ..." if self.many else shown


class SlashCommand(Struct, frozen=True):
    """`capability` is what its user must have."""

    name: str
    summary: str
    capability: Capability
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        return " ".join([f"/{self.name}", *(argument.usage for argument in self.arguments)])


USER = Argument("user", "user")
REASON = Argument("reason", "text", optional=True)
TEXT = Argument("text", "text")
MESSAGE = Argument("message id", "message", optional=True)
HELD = Argument("held id", "action", optional=True)
SWITCH = Argument("switch", "choice", optional=True, choices=("on", "off"))
OFF = ("off",)

_PEOPLE = (
    SlashCommand("ban", "Silence somebody for good and remove what they said.", "moderate", (USER, REASON)),
    SlashCommand("unban", "Lift a ban.", "moderate", (USER, REASON)),
    SlashCommand(
        "timeout",
        "Silence somebody for a while (10 minutes) and remove what they said.",
        "moderate",
        (USER, Argument("duration", "duration", optional=True), REASON),
    ),
    SlashCommand("untimeout", "Lift a timeout.", "moderate", (USER, REASON)),
    SlashCommand("warn", "Warn somebody, who must acknowledge it.", "moderate", (USER, Argument("reason", "text"))),
    SlashCommand("delete", "Remove somebody's message: the last one, or that of an id.", "moderate", (USER, MESSAGE)),
    SlashCommand("vip", "Make somebody a VIP.", "appoint", (USER,)),
    SlashCommand("unvip", "Somebody is no VIP any more.", "appoint", (USER,)),
    SlashCommand("mod", "Make somebody a moderator.", "appoint", (USER,)),
    SlashCommand("unmod", "Somebody is no moderator any more.", "appoint", (USER,)),
    SlashCommand("approve", "Let a held message through: the one you claimed, or that of an id.", "moderate", (HELD,)),
    SlashCommand("deny", "Refuse a held message: the one you claimed, or that of an id.", "moderate", (HELD, REASON)),
    SlashCommand(
        "undo",
        "Take back what you did last, or the action of an id.",
        "moderate",
        (Argument("action id", "action", optional=True),),
    ),
)


def _mode(name: str, summary: str, off: str, argument: Argument = SWITCH, *, alias: str) -> Iterator[SlashCommand]:
    yield SlashCommand(name, summary, "settings", (argument,), (alias,) if alias else ())
    yield SlashCommand(f"{name}off", off, "settings", (), (f"{alias}off",) if alias else ())


_ROOM = (
    SlashCommand("clear", "Remove everything said so far.", "moderate", (REASON,)),
    *_mode(
        "slow",
        "Each may write once in so many seconds (30).",
        "No slow mode.",
        Argument("duration", "duration", optional=True, choices=OFF),
        alias="",
    ),
    *_mode(
        "followers",
        "Only followers may write, of so long (0).",
        "Not only followers may write.",
        Argument("duration", "duration", optional=True, choices=OFF),
        alias="followersonly",
    ),
    *_mode("subscribers", "Only subscribers may write.", "Not only subscribers may write.", alias="subscribersonly"),
    *_mode("emoteonly", "Only emotes may be sent.", "Not only emotes may be sent.", alias=""),
    *_mode("uniquechat", "Nothing may be said twice.", "Things may be said twice.", alias="r9k"),
    *_mode(
        "delay",
        "Moderators see messages so many seconds before all others.",
        "All see messages at once.",
        Argument("seconds", "choice", choices=("0", "2", "4", "6", "off")),
        alias="",
    ),
    *_mode("readonly", "Only moderators may write.", "Not only moderators may write.", alias=""),
    *_mode("shield", "The strictest of everything, with one switch.", "Shield mode off.", alias=""),
    SlashCommand(
        "pin",
        "Put somebody's message on top for a while (20 minutes): the last one, or that of an id.",
        "moderate",
        (USER, MESSAGE, Argument("duration", "duration", optional=True)),
    ),
    SlashCommand("unpin", "Nothing is on top any more.", "moderate"),
    SlashCommand("announce", "Say something that stands out.", "moderate", (TEXT,)),
    *(
        SlashCommand(f"announce{tint}", f"Say something that stands out in {tint}.", "moderate", (TEXT,))
        for tint in get_args(Tint)
        if tint != "primary"
    ),
    SlashCommand(
        "raid",
        "Take the viewers to another live channel, after so many seconds (10).",
        "raid",
        (Argument("channel", "user"), Argument("duration", "duration", optional=True)),
    ),
    SlashCommand("unraid", "The viewers stay.", "raid"),
    SlashCommand(
        "poll",
        "Ask the room: a question, 2 to 5 choices, and for how long (1 minute).",
        "settings",
        (
            Argument("question", "quoted"),
            Argument("choice", "quoted", many=True),
            Argument("duration", "duration", optional=True),
        ),
    ),
    SlashCommand("endpoll", "Close the poll with what was voted.", "settings"),
    SlashCommand("cancelpoll", "Close the poll; it counts for nothing.", "settings", (), ("deletepoll",)),
)
_EVERYBODY = (
    SlashCommand("me", "Say what you do.", "chat", (TEXT,)),
    SlashCommand(
        "color", "Give your name a colour.", "chat", (Argument("color", "color", choices=("default",)),), ("colour",)
    ),
    SlashCommand("vote", "Vote in the poll, by the number of your choice.", "vote", (Argument("number", "number"),)),
    SlashCommand(
        "help", "What you can do here.", "chat", (Argument("command", "command", optional=True),), ("commands",)
    ),
)
COMMANDS = (*_EVERYBODY, *_PEOPLE, *_ROOM)
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
_LONGEST_NAME = 32


def find(name: str, role: RoomRole) -> SlashCommand:
    """By name or alias, in any case; `CommandUnknown` tells the nearest one of those the role may use, if any."""
    word = name.removeprefix("/").lower()
    if found := _BY_NAME.get(word):
        return found
    known = [other for other, command in _BY_NAME.items() if may(role, command.capability)]
    nearest = difflib.get_close_matches(word[:_LONGEST_NAME], known, n=1)
    raise CommandUnknown(command=word[:_LONGEST_NAME], suggestion=f"/{nearest[0]}" if nearest else None)


def help_text(role: RoomRole, command: SlashCommand | None = None) -> str:
    """A line for each command the role may use, or for the one asked about."""
    listed = [command] if command else [one for one in COMMANDS if may(role, one.capability)]
    return "\n".join(f"{one.usage}: {one.summary}" for one in listed)
