"""Reading a slash command: from a line as typed to its command and typed arguments. Pure.

People are named `name` or `@name`; a name with spaces is in quotes, or known from `users`, which says whom names mean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.colors import normalise_color
from accounts.profile import NotAcceptable
from realtime.entries import RoomRole
from realtime.moderation.capabilities import require
from realtime.moderation.commands import Argument, SlashCommand, find
from realtime.moderation.errors import CommandMalformed

MAX_LINE = 600
UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_WORD = re.compile(r'"([^"]*)"|\S+')
_SPACE = re.compile(r"\s*")
_DURATION = re.compile(r"[0-9]{1,8}|(?:[0-9]{1,8}[smhdw]){1,5}")
_PART = re.compile(r"([0-9]+)([smhdw]?)")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as `new_id` makes them: no word of a reason is one
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")  # bodies.Identifier


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as the line names them; `user_id` when the sender said whom they mean."""

    name: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A command and what it was given, by the names of its arguments; what was left out is not there."""

    command: SlashCommand
    values: Mapping[str, Any] = field(default_factory=dict)

    def malformed(self, reason: str) -> CommandMalformed:
        return CommandMalformed(usage=self.command.usage, reason=reason)


def read(line: str, role: RoomRole, users: Mapping[str, str] | None = None) -> Call:
    """What a line asks for. Raises `CommandUnknown`, `NotAllowed` or `CommandMalformed` with the `usage`."""
    text = line[:MAX_LINE].strip()
    name, rest = (*text.removeprefix("/").split(maxsplit=1), "", "")[:2]
    command = find(name if text.startswith("/") else "", role)
    require(role, command.capability)
    scanner = Scanner(rest, users or {})
    values: dict[str, Any] = {}
    for position, argument in enumerate(command.arguments):
        value = _read(scanner, argument, command.arguments[position + 1 :])
        if value is not None:
            values[argument.name] = value
        elif not argument.optional:
            raise Call(command).malformed(f"{argument.name} is missing or not written so")
    if left := scanner.rest():
        raise Call(command).malformed(f"too much: {left[:50]}")
    return Call(command, values)


def seconds_of(text: str) -> int | None:
    """The seconds of `600`, `10m` or `1h30m`; None for anything else."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(number) * UNIT_SECONDS[unit] for number, unit in _PART.findall(text))


class Scanner:
    """Takes a text apart from the left."""

    def __init__(self, text: str, users: Mapping[str, str]) -> None:
        self._text = text
        self._at = 0
        self._users = sorted(users.items(), key=lambda one: -len(one[0]))

    def peek(self) -> str | None:
        """The next word as it is written, quotes and all."""
        self._at = _end(_SPACE.match(self._text, self._at), self._at)
        found = _WORD.match(self._text, self._at)
        return found[0] if found else None

    def word(self) -> str | None:
        """The next word, or all that is between quotes."""
        if self.peek() is None or (found := _WORD.match(self._text, self._at)) is None:
            return None
        self._at = found.end()
        return found[0] if found[1] is None else found[1]

    def at_last_word(self) -> bool:
        return not self._text[self._at + len(self.peek() or "") :].strip()

    def rest(self) -> str:
        taken, self._at = self._text[self._at :].strip(), len(self._text)
        return taken

    def user(self) -> Named | None:
        """The longest name that is known to begin here, or the next word."""
        if self.peek() is None:
            return None
        start = self._at + (self._text[self._at] == "@")
        for name, user_id in self._users:
            end = start + len(name)
            bounded = end == len(self._text) or self._text[end : end + 1].isspace()
            if name and bounded and self._text[start:end].casefold() == name.casefold():
                self._at = end
                return Named(name, user_id)
        self._at = start
        name = (self.word() or "").removeprefix("@").strip()
        known = next((one for other, one in self._users if other.casefold() == name.casefold()), None)
        return Named(name, known) if name else None


def _end(found: re.Match[str] | None, otherwise: int) -> int:
    return found.end() if found else otherwise


def _read(scanner: Scanner, argument: Argument, after: tuple[Argument, ...]) -> Any:
    """The value of an argument, or None when it is not there; what is not one of its kind is left for the next."""
    if argument.many:
        return _read_many(scanner, until_duration=any(one.kind == "duration" for one in after)) or None
    if argument.kind == "text":
        return scanner.rest() or None
    if argument.kind == "user":
        return scanner.user()
    if argument.kind == "quoted":
        return scanner.word()
    word = scanner.peek()
    value = None if word is None else _value(argument, word)
    if value is not None:
        scanner.word()
    return value


def _read_many(scanner: Scanner, *, until_duration: bool) -> list[str]:
    found: list[str] = []
    while (raw := scanner.peek()) is not None:
        if until_duration and found[1:] and seconds_of(raw.lower()) is not None and scanner.at_last_word():
            break
        found.append(scanner.word() or "")
    return found


def _value(argument: Argument, word: str) -> Any:
    """An unquoted word as the kind of argument has it."""
    if argument.kind == "duration":
        return word.lower() if word.lower() in argument.choices else seconds_of(word.lower())
    if argument.kind == "choice":
        return word.lower() if word.lower() in argument.choices else None
    if argument.kind == "number":
        return int(word) if re.fullmatch(r"[0-9]{1,6}", word) else None
    if argument.kind == "color":
        return _color(argument, word)
    pattern = {"message": _MESSAGE_ID, "action": _ID}.get(argument.kind)
    return word if pattern is None or pattern.fullmatch(word) else None


def _color(argument: Argument, word: str) -> str | None:
    if word.lower() in argument.choices:
        return word.lower()
    try:
        return normalise_color(word)
    except NotAcceptable:
        return None
