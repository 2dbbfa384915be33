"""RFC 6455 after the handshake, as a server speaks it: bytes in, messages out. Pure, and fuzzed against wsproto.

Extensions are never negotiated, so reserved bits are a violation. Messages are bounded by `max_bytes`, whether they
come in one frame or in many, of which there are at most MAX_FRAGMENTS, and what a feed costs is linear in what came.
"""

import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PROTOCOL_ERROR, NOT_UTF8, TOO_LARGE = 1002, 1007, 1009
MAX_CONTROL_BYTES = 125
MAX_FRAGMENTS = 1024  # of one message; without it empty ones cost 90 ms of a core for each read of 256 KB, for ever

_FIN, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_KINDS = frozenset({0, TEXT, BINARY, CLOSE, PING, PONG})
# RFC 6455 section 7.4 and the registry of IANA: what may be on the wire.
_CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1016)} - {1015})

Received = tuple[int, str | bytes]


class Parser:
    """One client's half of a connection. `failed` is the close code of its first violation, 0 while all is well."""

    __slots__ = ("_buffer", "_closed", "_count", "_fragments", "_kind", "_max_bytes", "_wanted", "failed")

    def __init__(self, max_bytes: int) -> None:
        self.failed = 0
        self._max_bytes = max_bytes
        self._buffer: bytearray | None = None  # the beginning of a frame
        self._wanted = 0  # how long it must be before looking again is worth it
        self._fragments: bytearray | None = None
        self._count = 0  # of fragments
        self._kind = 0
        self._closed = False

    def feed(self, data: bytes) -> list[Received]:
        """The messages and control frames that are complete now, as (kind, payload); text as `str`. Never raises.

        After a violation or a close frame nothing more is given.
        """
        if self.failed or self._closed:
            return []
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return []
            data = bytes(self._buffer)
        received: list[Received] = []
        start = self._take_frames(data, received)
        self._buffer = bytearray(data[start:]) if start < len(data) and not self.failed else None
        return received

    def _take_frames(self, data: bytes, received: list[Received]) -> int:
        """Read whole frames; where the first incomplete one begins."""
        start, size = 0, len(data)
        while size - start >= 2 and not self.failed and not self._closed:
            first, second = data[start], data[start + 1]
            length, body = second & 0x7F, start + 6
            if not self._head_is_right(first, second):
                break
            if length >= 126:
                more = 2 if length == 126 else 8
                if size < start + 2 + more:
                    self._wanted = 2 + more
                    return start
                length = int.from_bytes(data[start + 2 : start + 2 + more], "big")
                body += more
                if length < 126 or (more == 8 and length < 65536) or length >> 63:
                    self.failed = PROTOCOL_ERROR
                    break
            if self._message_bytes(first, length) > self._max_bytes:
                self.failed = TOO_LARGE
                break
            if size < body + length:
                self._wanted = body + length - start
                return start
            start = body + length
            self._take_frame(first, unmask(data[body:start], data[body - 4 : body]), received)
        if not self.failed:
            self._wanted = 2
        return start

    def _head_is_right(self, first: int, second: int) -> bool:
        kind, whole = first & 0x0F, first & _FIN
        wrong = first & _RESERVED or not second & _MASKED or kind not in _KINDS
        if kind >= CLOSE:
            wrong = wrong or not whole or second & 0x7F > MAX_CONTROL_BYTES
        else:  # a fragment continues a message, and nothing else may come between but control frames
            wrong = wrong or (kind == 0) != (self._fragments is not None)
        if wrong:
            self.failed = PROTOCOL_ERROR
        return not wrong

    def _message_bytes(self, first: int, length: int) -> int:
        """How long the message will be with this frame; control frames belong to none."""
        before = len(self._fragments) if self._fragments is not None and not first & CLOSE else 0
        return before + length

    def _take_frame(self, first: int, payload: bytes, received: list[Received]) -> None:
        kind = first & 0x0F
        if kind < CLOSE:
            self._take_data(kind, bool(first & _FIN), payload, received)
            return
        if kind == CLOSE:
            self._closed, self.failed = True, close_violation(payload)
        if not self.failed:
            received.append((kind, payload))

    def _take_data(self, kind: int, whole: bool, payload: bytes, received: list[Received]) -> None:
        self._kind = kind or self._kind
        if self._fragments is not None:
            self._fragments += payload
        elif not whole:
            self._fragments = bytearray(payload)
        if not whole:
            self._count += 1
            if self._count >= MAX_FRAGMENTS:
                self.failed = TOO_LARGE
            return
        self._count = 0
        if self._fragments is not None:
            payload, self._fragments = bytes(self._fragments), None
        try:
            received.append((self._kind, payload.decode() if self._kind == TEXT else payload))
        except UnicodeDecodeError:
            self.failed = NOT_UTF8


def close_violation(payload: bytes) -> int:
    """What is wrong with the payload of a close frame, as a close code; 0 for nothing."""
    if not payload:
        return 0
    if len(payload) == 1:
        return PROTOCOL_ERROR
    code = int.from_bytes(payload[:2], "big")
    if code not in _CLOSE_CODES and not 3000 <= code < 5000:
        return PROTOCOL_ERROR
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return 0


def unmask(payload: bytes, mask: bytes) -> bytes:
    """RFC 6455 section 5.3; masking and unmasking are the same."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def frame(kind: int, payload: bytes) -> bytes:
    """One unfragmented frame from the server."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | kind, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", _FIN | kind, 126, size) + payload
    return struct.pack("!BBQ", _FIN | kind, 127, size) + payload


def message_frame(message: str | bytes) -> bytes:
    """A text or binary message as one frame."""
    return frame(TEXT, message.encode()) if isinstance(message, str) else frame(BINARY, bytes(message))


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; a long reason is cut."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode()[: MAX_CONTROL_BYTES - 2])
