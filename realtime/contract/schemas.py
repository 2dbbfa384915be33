"""JSON Schema of everything that goes over the socket, by the name of its struct."""

import sys
from typing import Any

import msgspec

from realtime import entries, events
from realtime.contract.refusals import all_errors
from realtime.disconnects import DISCONNECTS
from realtime.events import CLIENT_EVENTS, SERVER_EVENTS, Auth, Body, Refusal
from realtime.moderation import bodies

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, for programs and for people. `details` holds for example `retry_after_ms` or `reason`."""

    code: str
    message: str
    details: dict[str, Any]


class ConnectError(msgspec.Struct, frozen=True, kw_only=True):
    """Why Socket.IO's CONNECT was refused; the official clients show `data` on the error of `connect_error`."""

    message: str
    data: ErrorBody


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to Socket.IO's CONNECT."""

    sid: str


def reference(name: str) -> Schema:
    return {"$ref": REFERENCE + name}


def schemas() -> dict[str, Schema]:
    """Every struct of the contract, sorted by name."""
    types: list[Any] = [Auth, Connected, ConnectError, ErrorBody, Refusal]
    types += [kind for event in CLIENT_EVENTS for kind in (event.body, event.answer)]
    types += [event.body for event in SERVER_EVENTS]
    _, found = msgspec.json.schema_components(types, ref_template=REFERENCE + "{name}")
    for name, schema in found.items():
        schema["description"] = " ".join(schema.get("description", "").split())
        if not _may_leave_out(name):
            schema["required"] = list(schema["properties"])  # what has a default is sent all the same
    found["ErrorBody"]["properties"]["code"] = {"enum": list(all_errors())}
    found["Refusal"]["properties"]["error"] = reference("ErrorBody")
    found["SessionClosing"]["properties"]["code"] = {"enum": [one.code for one in DISCONNECTS]}
    return {name: portable(found[name]) for name in sorted(found)}


def _may_leave_out(name: str) -> bool:
    kind = next(
        getattr(module, name) for module in (events, entries, bodies, sys.modules[__name__]) if hasattr(module, name)
    )
    return issubclass(kind, Body) or bool(kind.__struct_config__.omit_defaults)


def portable(schema: Any) -> Any:
    """As JSON Schema wants it: `$` is the very end, as Python's `\\Z` is; a discriminator is OpenAPI's alone."""
    if isinstance(schema, dict):
        return {key: portable(value) for key, value in schema.items() if key != "discriminator"}
    if isinstance(schema, list):
        return [portable(value) for value in schema]
    return schema.replace(r"\Z", "$") if isinstance(schema, str) else schema
