"""AMF0, as far as RTMP commands and stream metadata need it. Depth, items and lengths are bounded.

Adobe's "Action Message Format, AMF 0" (2007). Strings that are not UTF-8 are read with replacement characters.
"""

import struct
from typing import Any

from media.errors import RtmpBroken

MAX_DEPTH = 8
MAX_ITEMS = 512  # in one object or array
MAX_VALUES = 32  # in one message; the longest command we know has six

NUMBER, BOOLEAN, STRING, OBJECT, NULL, UNDEFINED, ECMA_ARRAY, ARRAY, DATE, LONG_STRING = 0, 1, 2, 3, 5, 6, 8, 10, 11, 12
OBJECT_END = b"\x00\x00\x09"


def decode(payload: bytes) -> list[Any]:
    """All values of a message. Raises `RtmpBroken` for anything that is not AMF0 within the bounds."""
    reader = Reader(payload)
    values: list[Any] = []
    while not reader.at_end:
        if len(values) == MAX_VALUES:
            raise RtmpBroken("A command has too many values.")
        values.append(reader.value())
    return values


class Reader:
    """Reads one value after another; `at` is how far it got."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self.at = 0

    @property
    def at_end(self) -> bool:
        return self.at >= len(self._payload)

    def value(self) -> Any:
        """The next value as float, bool, str, None, dict or list. Raises `RtmpBroken`."""
        try:
            return self._value(0)
        except (struct.error, IndexError) as cut:
            raise RtmpBroken("An AMF value is cut off.") from cut

    def _value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise RtmpBroken("AMF values are nested too deep.")
        kind = self._number(">B")
        if kind in {NUMBER, DATE}:
            number = self._number(">d")
            self.at += 2 if kind == DATE else 0  # a time zone nobody uses
            return number
        if kind == BOOLEAN:
            return self._number(">B") != 0
        if kind in {STRING, LONG_STRING}:
            return self._text(">H" if kind == STRING else ">I")
        if kind in {NULL, UNDEFINED}:
            return None
        return self._container(kind, depth)

    def _container(self, kind: int, depth: int) -> Any:
        if kind == ARRAY:
            count = self._number(">I")
            if count > MAX_ITEMS:
                raise RtmpBroken("An AMF array is too long.")
            return [self._value(depth + 1) for _ in range(count)]
        if kind not in {OBJECT, ECMA_ARRAY}:
            raise RtmpBroken(f"AMF type {kind} has no place in a command.")
        if kind == ECMA_ARRAY:
            self.at += 4  # a count that many encoders get wrong; the end marker counts
        return self._object(depth)

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(MAX_ITEMS):
            if self._payload[self.at : self.at + 3] == OBJECT_END:
                self.at += 3
                return found
            name = self._text(">H")
            found[name] = self._value(depth + 1)
        raise RtmpBroken("An AMF object has too many fields.")

    def _text(self, length_format: str) -> str:
        length = int(self._number(length_format))
        if self.at + length > len(self._payload):
            raise RtmpBroken("An AMF string is longer than its message.")
        self.at += length
        return self._payload[self.at - length : self.at].decode("utf-8", "replace")

    def _number(self, number_format: str) -> Any:
        (number,) = struct.unpack_from(number_format, self._payload, self.at)
        self.at += struct.calcsize(number_format)
        return number


def encode(*values: Any) -> bytes:
    """The values one after the other: None, bool, int, float, str, dict."""
    return b"".join(map(_encode, values))


def _encode(value: Any) -> bytes:
    if value is None:
        return bytes([NULL])
    if isinstance(value, bool):
        return bytes([BOOLEAN, value])
    if isinstance(value, int | float):
        return bytes([NUMBER]) + struct.pack(">d", value)
    if isinstance(value, str):
        return bytes([STRING]) + _encode_text(value)
    if isinstance(value, dict):
        fields = b"".join(_encode_text(name) + _encode(held) for name, held in value.items())
        return bytes([OBJECT]) + fields + OBJECT_END
    raise TypeError(f"AMF0 has no {type(value).__name__}")


def _encode_text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
