"""What comes of a slash command: the body of the event it stands for, or one of three things that are no command. Pure.

What a line leaves to be known ("my last action", "the open poll") is looked up before, by `needs`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from realtime.entries import Tint
from realtime.moderation import bodies as mod
from realtime.moderation.slash import Call, Named

DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_SLOW_SECONDS = 30

Need = Literal["user", "message", "poll", "held", "action"]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where the line was said, and what it left to be known; None for what it does not need."""

    stream_id: str
    user_id: str | None = None
    message_id: str | None = None
    poll_id: str | None = None
    held_id: str | None = None
    action_id: str | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A message like any other, as what its author does (`/me`)."""

    text: str


@dataclass(frozen=True, slots=True)
class SetColor:
    """`#rrggbb`, or None for none."""

    color: str | None


@dataclass(frozen=True, slots=True)
class Help:
    """The list of commands, or one of them."""

    command: str | None


Outcome = mod.Command | Say | SetColor | Help
Builder = Callable[[Values, Known], tuple[type[mod.Command], dict[str, Any]]]


def person_in(call: Call) -> Named | None:
    """Whom the command is about."""
    return next((value for value in call.values.values() if isinstance(value, Named)), None)


def needs(call: Call) -> list[Need]:
    """What must be known before `outcome`, in this order: the message is one of the user."""
    found: list[Need] = ["user"] if person_in(call) else []
    name, values = call.command.name, call.values
    if name in ("delete", "pin") and "message id" not in values:
        found.append("message")
    if name in ("vote", "endpoll", "cancelpoll"):
        found.append("poll")
    if name in ("approve", "deny") and "held id" not in values:
        found.append("held")
    if name == "undo" and "action id" not in values:
        found.append("action")
    return found


def outcome(call: Call, known: Known) -> Outcome:
    """Raises `CommandMalformed` for what is out of bounds."""
    values = call.values
    match call.command.name:
        case "me":
            return Say(values["text"])
        case "color":
            return SetColor(None if values["color"] == "default" else values["color"])
        case "help":
            return Help(values.get("command"))
    kind, fields = BUILDERS[call.command.name](values, known)
    try:
        return msgspec.convert({"stream_id": known.stream_id, **fields}, kind)
    except msgspec.ValidationError as wrong:
        raise call.malformed(str(wrong)) from None


def _person(kind: type[mod.Command], **fixed: Any) -> Builder:
    def build(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
        reason = {"reason": values["reason"]} if "reason" in values else {}
        return kind, {"user_id": known.user_id, **reason, **fixed}

    return build


def _fixed(kind: type[mod.Command], **fields: Any) -> Builder:
    return lambda values, known: (kind, fields)


def _mode(field: str) -> Builder:
    return lambda values, known: (mod.ChangeSettings, {field: values.get("switch", "on") == "on"})


def _announce(tint: str) -> Builder:
    return lambda values, known: (mod.Announce, {"text": values["text"], "tint": tint})


def _duration(values: Values, field: str = "seconds") -> dict[str, int]:
    return {field: values["duration"]} if "duration" in values else {}


def _timeout(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
    kind, fields = _person(mod.Timeout)(values, known)
    return kind, {"seconds": DEFAULT_TIMEOUT_SECONDS, **fields, **_duration(values)}


def _message(kind: type[mod.Command]) -> Builder:
    def build(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
        message_id = values.get("message id", known.message_id)
        return kind, {"user_id": known.user_id, "message_id": message_id, **_duration(values)}

    return build


def _slow(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
    seconds = values.get("duration", DEFAULT_SLOW_SECONDS)
    return mod.ChangeSettings, {"slow_seconds": 0 if seconds == "off" else seconds}


def _followers(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
    seconds = values.get("duration", 0)
    return mod.ChangeSettings, {"followers_seconds": None if seconds == "off" else seconds}


def _delay(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
    return mod.ChangeSettings, {"delay_seconds": 0 if values["seconds"] == "off" else int(values["seconds"])}


def _held(kind: type[mod.Command]) -> Builder:
    def build(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
        reason = {"reason": values["reason"]} if "reason" in values else {}
        return kind, {"held_id": values.get("held id", known.held_id), **reason}

    return build


def _poll(values: Values, known: Known) -> tuple[type[mod.Command], dict[str, Any]]:
    return mod.OpenPoll, {"question": values["question"], "choices": values["choice"], **_duration(values)}


BUILDERS: Mapping[str, Builder] = {
    "ban": _person(mod.Ban),
    "unban": _person(mod.Unban),
    "timeout": _timeout,
    "untimeout": _person(mod.Unban),
    "warn": _person(mod.Warn),
    "delete": _message(mod.DeleteMessage),
    "vip": _person(mod.MakeVip, on=True),
    "unvip": _person(mod.MakeVip, on=False),
    "mod": _person(mod.MakeModerator, on=True),
    "unmod": _person(mod.MakeModerator, on=False),
    "approve": _held(mod.Approve),
    "deny": _held(mod.Deny),
    "undo": lambda values, known: (mod.Undo, {"action_id": values.get("action id", known.action_id)}),
    "clear": lambda values, known: (mod.ClearChat, {"reason": values.get("reason", "")}),
    "slow": _slow,
    "slowoff": _fixed(mod.ChangeSettings, slow_seconds=0),
    "followers": _followers,
    "followersoff": _fixed(mod.ChangeSettings, followers_seconds=None),
    "subscribers": _mode("subscribers_only"),
    "subscribersoff": _fixed(mod.ChangeSettings, subscribers_only=False),
    "emoteonly": _mode("emote_only"),
    "emoteonlyoff": _fixed(mod.ChangeSettings, emote_only=False),
    "uniquechat": _mode("unique_chat"),
    "uniquechatoff": _fixed(mod.ChangeSettings, unique_chat=False),
    "delay": _delay,
    "delayoff": _fixed(mod.ChangeSettings, delay_seconds=0),
    "readonly": _mode("read_only"),
    "readonlyoff": _fixed(mod.ChangeSettings, read_only=False),
    "shield": lambda values, known: (mod.Shield, {"on": values.get("switch", "on") == "on"}),
    "shieldoff": _fixed(mod.Shield, on=False),
    "pin": _message(mod.PinMessage),
    "unpin": _fixed(mod.Unpin),
    "announce": _announce("primary"),
    **{f"announce{tint}": _announce(tint) for tint in get_args(Tint) if tint != "primary"},
    "raid": lambda values, known: (mod.StartRaid, {"channel_id": known.user_id, **_duration(values)}),
    "unraid": _fixed(mod.StartRaid, cancel=True),
    "poll": _poll,
    "endpoll": lambda values, known: (mod.ClosePoll, {"poll_id": known.poll_id}),
    "cancelpoll": lambda values, known: (mod.ClosePoll, {"poll_id": known.poll_id, "cancel": True}),
    "vote": lambda values, known: (mod.Vote, {"poll_id": known.poll_id, "choice": values["number"] - 1}),
}
