"""The tables of docs/events.md, between marks that name them; the prose around them is written by hand."""

import re
from collections.abc import Sequence
from typing import get_args

import msgspec

from infra.errors import FootlightError
from realtime.contract.asyncapi import payload
from realtime.contract.chat import command_rows
from realtime.contract.refusals import ANY_EVENT, CONNECT, HANDSHAKE, NO_EVENT, all_errors
from realtime.contract.schemas import Schema, schemas
from realtime.disconnects import DISCONNECTS
from realtime.entries import Entry
from realtime.events import CLIENT_EVENTS, SERVER_EVENTS

MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def with_tables(page: str) -> str:
    """The page with every marked table as it is now; raises KeyError for a table that does not exist."""
    made = {
        "client": _client(),
        "server": _server(),
        "entries": _entries(),
        "disconnects": _disconnects(),
        "errors": _errors(),
        "commands": _table(("command", "also", "who may", "what it does"), command_rows()),
    }
    return MARK.sub(lambda found: found[1] + made[found[2]] + found[3], page)


def _client() -> str:
    known = schemas()
    rows = [
        (
            f"`{event.name}`",
            _shape(known[event.body.__name__]),
            _shape(known[event.answer.__name__]),
            ", ".join(f"`{error.code}`" for error in event.refusals),
            event.summary,
        )
        for event in CLIENT_EVENTS
    ]
    return _table(("event", "body", "acknowledged with", "refused for", "what it does"), rows)


def _server() -> str:
    known = schemas()
    rows = []
    for event in SERVER_EVENTS:
        body = payload(event)
        shape = "`[Entry, ...]`" if "items" in body else _shape(known[_name(body)])
        rows.append((f"`{event.name}`", shape, event.summary))
    return _table(("event", "body", "when"), rows)


def _entries() -> str:
    known = schemas()
    rows = []
    for kind in get_args(Entry):
        schema = known[kind.__name__]
        rows.append((f"`{schema['properties']['kind']['enum'][0]}`", _shape(schema), schema["description"]))
    return _table(("kind", "entry", "what it says"), rows)


def _disconnects() -> str:
    facts = [msgspec.to_builtins(one) for one in DISCONNECTS]
    return _table(tuple(facts[0]), [tuple(_cell(value) for value in one.values()) for one in facts])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _errors() -> str:
    return _table(
        ("code", "answered to", "message"),
        [(f"`{code}`", ", ".join(_where(code)), error.message) for code, error in all_errors().items()],
    )


def _where(code: str) -> list[str]:
    def has(errors: tuple[type[FootlightError], ...]) -> bool:
        return any(error.code == code for error in errors)

    general = {"the handshake": HANDSHAKE, "CONNECT": CONNECT, "every event": ANY_EVENT, "other events": NO_EVENT}
    places = [place for place, errors in general.items() if has(errors)]
    return places + [f"`{event.name}`" for event in CLIENT_EVENTS if has(event.refusals) and not has(ANY_EVENT)]


def _shape(schema: Schema) -> str:
    required = schema["required"]
    return "`{" + ", ".join(name + ("" if name in required else "?") for name in schema["properties"]) + "}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines) + "\n"
