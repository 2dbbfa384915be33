"""The text frames of Engine.IO 4 and Socket.IO 5, as far as we speak them: one namespace, no binary, no client acks.

Pure: bytes of the network in, values out. Everything else a client may send is `Garbage`. A body stays undecoded
(`Raw`) until its handler decodes it into a flat struct, so a client cannot make us build deep values; the scanner
of msgspec itself stops at the interpreter's recursion limit.
"""

from enum import Enum
from typing import NamedTuple

import msgspec

from infra.errors import FootlightError

MAX_FRAME_BYTES = 64 * 1024
MAX_ACK_DIGITS = 10
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


class Packet(NamedTuple):
    """One Socket.IO packet from a client. `body` is JSON: the auth payload, or the event's single argument."""

    kind: Kind
    ack: int | None = None
    name: str = ""
    body: msgspec.Raw | None = None


def parse_packet(text: str) -> Packet:
    """Read what follows the Engine.IO message type; raises `Garbage`."""
    if text[:1] not in {"0", "1", "2"}:
        raise Garbage("packet type")
    kind, rest = Kind(text[0]), text[1:]
    if rest.startswith("/"):
        raise Garbage("namespace")
    if kind is Kind.DISCONNECT:
        return Packet(kind)
    if kind is Kind.CONNECT:
        return Packet(kind, body=msgspec.Raw(rest.encode()) if rest else None)
    return _parse_event(rest)


def _parse_event(rest: str) -> Packet:
    digits = rest[: rest.find("[")] if "[" in rest else rest
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_ACK_DIGITS):
        raise Garbage("ack id")
    try:
        elements = _elements.decode(rest[len(digits) :])
        name = _name.decode(elements[0]) if elements else ""
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Garbage("event") from None
    if not name or len(elements) > 2 or name in RESERVED or name.startswith("__"):
        raise Garbage("event name or arguments")
    return Packet(Kind.EVENT, int(digits) if digits else None, name, elements[1] if len(elements) == 2 else None)


def event_frame(name: str, body: object) -> str:
    """`42["name",body]`."""
    return raw_event_frame(name, msgspec.json.encode(body))


def raw_event_frame(name: str, body: bytes) -> str:
    """The same for a body that is JSON already."""
    return f'42["{name}",{body.decode()}]'


def ack_frame(ack: int, answer: bytes) -> str:
    """`43<id>[answer]`."""
    return f"43{ack}[{answer.decode()}]"
