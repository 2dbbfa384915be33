"""The contract as TypeScript, in the shape socket.io-client's `Socket<ServerEvents, ClientEvents>` takes."""

import json
from typing import Any, get_args

import msgspec

from realtime.contract import chat
from realtime.contract.asyncapi import payload
from realtime.contract.refusals import CONNECT, all_errors, codes, refusals_of
from realtime.contract.schemas import Schema, schemas
from realtime.disconnects import DISCONNECTS, Disconnect
from realtime.entries import Entry
from realtime.events import CLIENT_EVENTS, SERVER_EVENTS

HEAD = """\
/** Every event of the socket. Made by `footlight events --write` from realtime/events.py; do not edit by hand. */
"""
ERRORS = """\
export interface ErrorBody<Code extends ErrorCode = ErrorCode> {
  code: Code;
  message: string;
  details: Record<string, unknown>;
}

export interface Refusal<Code extends ErrorCode = ErrorCode> {
  ok: false;
  error: ErrorBody<Code>;
}
"""
BY_HAND = {"ErrorBody", "Refusal"}  # generic over their code
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def types() -> str:
    """The text of `events.ts`."""
    interfaces = [_interface(name, schema) for name, schema in schemas().items() if name not in BY_HAND]
    return "\n".join(
        [
            HEAD,
            _disconnects(),
            _codes(),
            ERRORS,
            *interfaces,
            _entry(),
            _client_events(),
            _server_events(),
            chat.typescript(),
        ]
    )


def _entry() -> str:
    kinds = " | ".join(kind.__name__ for kind in get_args(Entry))
    return f"/** One entry of a room's log. */\nexport type Entry = {kinds};\n"


def _codes() -> str:
    listed = "\n".join(f"  | {_literal(code)}" for code in all_errors())
    connect = "\n".join(f"  | {_literal(code)}" for code in codes(CONNECT))
    return f"export type ErrorCode =\n{listed};\n\nexport type ConnectErrorCode =\n{connect};\n"


def _disconnects() -> str:
    rows = [f"  {_literal(one.code)}: {_row(one)}," for one in DISCONNECTS]
    about = "/** Why the server ends a connection, and whether to come back. */"
    return "\n".join(
        [
            about,
            "export const DISCONNECTS = {",
            *rows,
            "} as const;\n",
            "export type DisconnectCode = keyof typeof DISCONNECTS;\n",
        ]
    )


def _row(one: Disconnect) -> str:
    facts = {name: value for name, value in msgspec.to_builtins(one).items() if name != "code"}
    return "{ " + ", ".join(f"{name}: {_literal(value)}" for name, value in facts.items()) + " }"


def _interface(name: str, schema: Schema) -> str:
    lines = [f"/** {schema['description']} */"] if schema.get("description") else []
    lines.append(f"export interface {name} {{")
    for field, kind in schema["properties"].items():
        optional = "" if field in schema["required"] else "?"
        lines.append(f"  {field}{optional}: {_type(kind)};")
    return "\n".join([*lines, "}\n"])


def _client_events() -> str:
    lines = ["export interface ClientEvents {"]
    for event in CLIENT_EVENTS:
        refused = " | ".join(_literal(code) for code in codes(refusals_of(event)))
        lines += [
            f"  /** {event.summary} */",
            f"  {_literal(event.name)}: (",
            f"    body: {event.body.__name__},",
            f"    answer: (answer: {event.answer.__name__} | Refusal<{refused}>) => void,",
            "  ) => void;",
        ]
    return "\n".join([*lines, "}\n"])


def _server_events() -> str:
    lines = ["export interface ServerEvents {"]
    for event in SERVER_EVENTS:
        lines += [f"  /** {event.summary} */", f"  {_literal(event.name)}: (body: {_type(payload(event))}) => void;"]
    return "\n".join([*lines, "}\n"])


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_literal(value) for value in schema["enum"])
    if schema.get("type") == "array":
        inside = _type(schema["items"])
        if inside == _type({"anyOf": [{"$ref": kind.__name__} for kind in get_args(Entry)]}):
            inside = "Entry"
        return f"({inside})[]" if "|" in inside else f"{inside}[]"
    if schema.get("type") == "object":
        return f"Record<string, {_type(schema.get('additionalProperties') or {})}>"
    return SIMPLE[schema["type"]] if "type" in schema else "unknown"


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
