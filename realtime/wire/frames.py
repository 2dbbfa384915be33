"""The packets of Engine.IO 4 and Socket.IO 5 that a client may send, and those we send ourselves.

Pure: bytes of the network in, values out. Everything else a client may send is `Garbage`. A body stays undecoded
(`Raw`) until its handler decodes it into a flat struct, so a client cannot make us build deep values; the scanner
of msgspec itself stops at the interpreter's recursion limit.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from infra.errors import FootlightError

MAX_FRAME_BYTES = 64 * 1024
MAX_ACK_DIGITS = 10
MAX_ATTACHMENTS = 10
MAX_NAMESPACE_CHARACTERS = 100
PING = "2"
DISCONNECT = "41"
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})

_elements = msgspec.json.Decoder(list[msgspec.Raw])
_name = msgspec.json.Decoder(str)


class Garbage(FootlightError):
    """A frame that no client of ours sends; the message says what is wrong with it, and is safe to log."""


class Kind(Enum):
    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    BINARY_EVENT = "5"
    BINARY_ACK = "6"


BINARY = frozenset({Kind.BINARY_EVENT, Kind.BINARY_ACK})


class Packet(NamedTuple):
    """One Socket.IO packet from a client. What is JSON stays so until somebody knows what it should be.

    `body` is the payload of a CONNECT, `elements` are the arguments of an event (after its name) or acknowledgement,
    with placeholders for the `attachments` binary frames that follow.
    """

    kind: Kind
    namespace: str = "/"
    ack: int | None = None
    name: str = ""
    elements: tuple[msgspec.Raw, ...] = ()
    body: msgspec.Raw | None = None
    attachments: int = 0


def parse_packet(text: str) -> Packet:
    """Read what follows the Engine.IO message type; raises `Garbage`."""
    try:
        kind = Kind(text[:1])
    except ValueError:
        raise Garbage("packet type") from None
    attachments, rest = _attachments(kind, text[1:])
    namespace, rest = _namespace(rest)
    if kind is Kind.DISCONNECT:
        return Packet(kind, namespace)
    if kind is Kind.CONNECT:
        return Packet(kind, namespace, body=msgspec.Raw(rest.encode()) if rest else None)
    return _parse_elements(kind, namespace, rest, attachments)


def _attachments(kind: Kind, rest: str) -> tuple[int, str]:
    if kind not in BINARY:
        return 0, rest
    digits, dash, after = rest.partition("-")
    if not dash or not _is_number(digits, 2) or int(digits) > MAX_ATTACHMENTS:
        raise Garbage("attachments")
    return int(digits), after


def _namespace(rest: str) -> tuple[str, str]:
    if not rest.startswith("/"):
        return "/", rest
    namespace, _, after = rest.partition(",")
    namespace = namespace.partition("?")[0]
    if len(namespace) > MAX_NAMESPACE_CHARACTERS:
        raise Garbage("namespace")
    return namespace, after


def _parse_elements(kind: Kind, namespace: str, rest: str, attachments: int) -> Packet:
    digits = rest[: rest.find("[")] if "[" in rest else rest
    if digits and not _is_number(digits, MAX_ACK_DIGITS):
        raise Garbage("ack id")
    try:
        elements = tuple(_elements.decode(rest[len(digits) :]))
        is_event = kind in {Kind.EVENT, Kind.BINARY_EVENT}
        name = _name.decode(elements[0]) if elements and is_event else ""
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Garbage("event") from None
    ack = int(digits) if digits else None
    if not is_event:
        if ack is None:
            raise Garbage("ack id")
        return Packet(kind, namespace, ack, elements=elements, attachments=attachments)
    if not name or name in RESERVED or name.startswith("__"):
        raise Garbage("event name")
    return Packet(kind, namespace, ack, name, elements[1:], attachments=attachments)


def _is_number(text: str, max_digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= max_digits


def plain(element: msgspec.Raw, attachments: Sequence[bytes]) -> Any:
    """An argument as Python values, with its attachments in their places; raises `Garbage`."""
    try:
        return _fill(msgspec.json.decode(element), attachments)
    except (msgspec.DecodeError, RecursionError, UnicodeError, IndexError):
        raise Garbage("argument") from None


def _fill(value: Any, attachments: Sequence[bytes]) -> Any:
    if isinstance(value, list):
        return [_fill(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    number = value.get("num")
    if value.get("_placeholder") is True and isinstance(number, int) and number >= 0:
        return attachments[number]
    return {name: _fill(item, attachments) for name, item in value.items()}


def event_frame(name: str, body: object) -> str:
    """`42["name",body]`."""
    return raw_event_frame(name, msgspec.json.encode(body))


def raw_event_frame(name: str, body: bytes) -> str:
    """The same for a body that is JSON already."""
    return f'42["{name}",{body.decode()}]'


def ack_frame(ack: int, answer: bytes) -> str:
    """`43<id>[answer]`."""
    return f"43{ack}[{answer.decode()}]"
