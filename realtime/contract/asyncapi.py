"""The AsyncAPI 3.0 document of the socket, as its server sees it: it receives what clients send.

Messages are the bodies of Socket.IO events; `name` is the event. Nothing here depends on time, machine or settings.
"""

import re
from typing import Any

import msgspec

from accounts.cookies import ACCESS_COOKIE
from infra.errors import FootlightError
from realtime.contract import examples
from realtime.contract.refusals import ANY_EVENT, CONNECT, NO_EVENT, Errors, all_errors, codes, refusals_of
from realtime.contract.schemas import Schema, portable, reference, schemas
from realtime.disconnects import DISCONNECTS
from realtime.events import CLIENT_EVENTS, SERVER_EVENTS, ClientEvent, ServerEvent

CHANNEL = "#/channels/socket"
ABOUT = """\
Socket.IO 4 (Engine.IO protocol 4) on the path `/socket.io/`, default namespace. A message of this document is the \
one argument of a Socket.IO event; its `name` is the event's. A reply is the acknowledgement of the event, \
`{ok: true, ...}` or `{ok: false, error}`. Times are Unix milliseconds.

Rooms have a log: every entry has an `offset`, one above that of the entry before. Keep the highest you have seen, \
ignore entries at or below it, and join again with your position (`epoch`, `offset`) when an entry is more than one \
above it, after `room:reset`, after `room:lagged` and after every reconnect. The guide is docs/events.md.
"""


def document() -> dict[str, Any]:
    """The whole document, ready for JSON."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Footlight real-time events",
            "version": "1.0.0",
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {
            "socket": {
                "address": "/",
                "title": "The default namespace",
                "description": "Everything goes over this one channel.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": _handshake()},
            }
        },
        "operations": _operations(),
        "components": {
            "schemas": schemas(),
            "messages": messages,
            "securitySchemes": _security(),
        },
        "x-errors": {code: error.message for code, error in all_errors().items()},
        "x-disconnects": [msgspec.to_builtins(one) for one in DISCONNECTS],
    }


def key(event: str, suffix: str = "") -> str:
    """An event's name as AsyncAPI allows it in keys: `room:join` is `room.join`."""
    return re.sub(r"[^\w.-]", ".", event) + suffix


def _servers() -> dict[str, Any]:
    shared = {
        "pathname": "/socket.io/",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _security()],
    }
    return {
        "development": {
            "host": "localhost:8000",
            "protocol": "ws",
            "description": "`footlight up`. Without a token or cookie one is an anonymous viewer who may read.",
            **shared,
        },
        "production": {
            "host": "{host}",
            "protocol": "wss",
            "description": "A public address; any of its nodes.",
            "variables": {"host": {"description": "Where this Footlight is served.", "default": "localhost"}},
            **shared,
        },
    }


def _security() -> dict[str, Any]:
    return {
        "cookie": {
            "type": "httpApiKey",
            "in": "cookie",
            "name": ACCESS_COOKIE,
            "description": "Set by signing in. A cookie that does not hold makes an anonymous viewer.",
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, as `auth: {token}` of Socket.IO's CONNECT, not as a header. "
            "One that does not hold refuses the connection.",
        },
    }


def _handshake() -> dict[str, Any]:
    query = {
        "type": "object",
        "properties": {
            "EIO": {"type": "string", "const": "4", "description": "Engine.IO protocol."},
            "transport": {"type": "string", "enum": ["polling", "websocket"]},
        },
        "required": ["EIO", "transport"],
    }
    return {"method": "GET", "query": query, "bindingVersion": "0.1.0"}


def _messages() -> dict[str, Any]:
    found = {
        "connect": _message("connect", "Socket.IO's CONNECT: who is there.", reference("Auth"), [examples.CONNECT]),
        "connected": _message("connect", "Come in.", reference("Connected"), [{"sid": "f1GxVn0bA9cJ2kQ7AAAB"}]),
        "connect_error": _message(
            "connect_error",
            "The connection is refused.",
            _refused("ConnectError", "data", CONNECT),
            [{"message": CONNECT[-1].message, "data": CONNECT[-1]().as_dict()}],
        ),
        "unknown": _message("*", "An event that does not exist.", {}, []),
        "unknown.refused": _refusal("*", NO_EVENT + ANY_EVENT),
    }
    for event in CLIENT_EVENTS:
        found[key(event.name)] = _message(
            event.name, event.summary, reference(event.body.__name__), examples.SENT[event.name]
        )
        found[key(event.name, ".answer")] = _message(
            event.name, "It worked.", reference(event.answer.__name__), examples.ANSWERED[event.name]
        )
        found[key(event.name, ".refused")] = _refusal(event.name, refusals_of(event))
    for heard in SERVER_EVENTS:
        found[key(heard.name)] = _message(heard.name, heard.summary, payload(heard), examples.HEARD[heard.name])
    return found


def payload(event: ServerEvent) -> Any:
    """The schema of a server event's body."""
    (schema,), _ = msgspec.json.schema_components([event.body], ref_template="#/components/schemas/{name}")
    return portable(schema)


def _message(name: str, summary: str, schema: Schema, shown: list[Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"name": name, "title": name, "summary": summary, "payload": schema}
    if shown:
        message["examples"] = [{"payload": _sent(one)} for one in shown]
    return message


def _sent(example: Any) -> Any:
    """As it is on the wire; a position that is not sent is left out."""
    body = msgspec.to_builtins(example)
    kind = type(example)
    if isinstance(example, msgspec.Struct) and kind.__struct_config__.forbid_unknown_fields:  # what a client sends
        return {name: value for name, value in body.items() if value is not None}
    return body


def _refusal(event: str, errors: Errors) -> dict[str, Any]:
    shown = [{"ok": False, "error": error().as_dict()} for error in errors if error is not FootlightError][:1]
    return _message(event, "It was refused.", _refused("Refusal", "error", errors), shown)


def _refused(name: str, where: str, errors: Errors) -> Schema:
    codes_here = {"properties": {"code": {"enum": codes(errors)}}}
    return {"allOf": [reference(name), {"properties": {where: codes_here}}]}


def _operations() -> dict[str, Any]:
    found = {
        "connect": _receive("connect", "Connect", "connect", ("connected", "connect_error")),
        "unknown": _receive("unknown", "Any other event is refused.", "unknown", ("unknown.refused",)),
    }
    for event in CLIENT_EVENTS:
        found[key(event.name)] = _received(event)
    for heard in SERVER_EVENTS:
        found[key(heard.name)] = {
            "action": "send",
            "channel": {"$ref": CHANNEL},
            "summary": heard.summary,
            "messages": [{"$ref": f"{CHANNEL}/messages/{key(heard.name)}"}],
        }
    return found


def _received(event: ClientEvent) -> dict[str, Any]:
    name = key(event.name)
    return _receive(name, event.summary, name, (f"{name}.answer", f"{name}.refused"))


def _receive(name: str, summary: str, message: str, replies: tuple[str, ...]) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": CHANNEL},
        "title": name,
        "summary": summary,
        "messages": [{"$ref": f"{CHANNEL}/messages/{message}"}],
        "reply": {
            "channel": {"$ref": CHANNEL},
            "messages": [{"$ref": f"{CHANNEL}/messages/{reply}"} for reply in replies],
        },
    }
