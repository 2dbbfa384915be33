"""What the chat's input completes: slash commands and built-in emotes, for TypeScript and for docs/events.md."""

import json
from collections.abc import Sequence
from typing import get_args

from msgspec import to_builtins

from realtime.emotes import builtin_emotes
from realtime.moderation.capabilities import Capability
from realtime.moderation.commands import COMMANDS, ArgumentKind, SlashCommand

INTERFACES = """\
/** One thing a slash command takes: see `realtime/moderation/commands.py`. */
export interface CommandArgument {
  name: string;
  kind: CommandArgumentKind;
  optional: boolean;
  choices: string[];
  many: boolean;
}

/** A slash command; `capability` is what its user must have. */
export interface SlashCommand {
  name: string;
  aliases: string[];
  usage: string;
  summary: string;
  capability: Capability;
  args: CommandArgument[];
}

/** An emote that is there in every channel, written `:code:`; its picture is `/emotes/<code>.svg`. */
export interface BuiltinEmote {
  code: string;
  label: string;
  keywords: string[];
}
"""


def typescript() -> str:
    """The tables and their types."""
    kinds = [f"export type CommandArgumentKind = {_either(get_args(ArgumentKind))};\n"]
    kinds += [f"export type Capability = {_either(get_args(Capability))};\n"]
    commands = [_literal(_row(command)) for command in COMMANDS]
    emotes = [_literal(to_builtins(emote)) for emote in builtin_emotes()]
    return "\n".join(
        [
            *kinds,
            INTERFACES,
            _list("COMMANDS: SlashCommand[]", commands),
            _list("BUILTIN_EMOTES: BuiltinEmote[]", emotes),
        ]
    )


def command_rows() -> list[tuple[str, ...]]:
    """Command, other names, capability, what it does: for the table of the guide."""
    return [
        (
            f"`{command.usage}`".replace("|", "\\|"),
            ", ".join(f"`/{alias}`" for alias in command.aliases),
            f"`{command.capability}`",
            command.summary,
        )
        for command in COMMANDS
    ]


def _row(command: SlashCommand) -> dict[str, object]:
    return {
        "name": command.name,
        "aliases": command.aliases,
        "usage": command.usage,
        "summary": command.summary,
        "capability": command.capability,
        "args": [to_builtins(argument) for argument in command.arguments],
    }


def _list(name: str, rows: Sequence[str]) -> str:
    return "\n".join([f"export const {name} = [", *(f"  {row}," for row in rows), "];\n"])


def _either(words: Sequence[str]) -> str:
    return " | ".join(_literal(word) for word in words)


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
