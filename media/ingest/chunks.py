"""RTMP's chunk layer, without I/O: bytes to messages and back.

Adobe's "RTMP specification 1.0", section 5.3. Several messages may be on their way at once, each cut into chunks. What
one connection can make us hold is bounded by `max_message_bytes`, whatever lengths it announces.
"""

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from media.errors import RtmpBroken

MAX_CHUNK_STREAMS = 32
MAX_CHUNK_BYTES = 1 << 20
STRANGER_MESSAGE_BYTES = 64 << 10  # before a key was accepted
MAX_MESSAGE_BYTES = 4 << 20  # the largest frame a publisher may send
DEFAULT_CHUNK_BYTES = 128
OUR_CHUNK_BYTES = 4096
EXTENDED = 0xFFFFFF  # the timestamp does not fit three bytes: four more follow
TIMESTAMP_MASK = 0xFFFFFFFF
HEADER_BYTES = (11, 7, 3, 0)


class Message(NamedTuple):
    """One whole RTMP message."""

    kind: int
    timestamp_ms: int
    stream_id: int
    payload: bytes


@dataclass(slots=True)
class ChunkStream:
    """What later chunks leave out because an earlier one said it."""

    timestamp_ms: int = 0
    delta_ms: int = 0
    extended: int | None = None
    length: int = 0
    kind: int = 0
    stream_id: int = 0
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """`feed` bytes, then take messages until there is none."""

    def __init__(self) -> None:
        self.chunk_bytes = DEFAULT_CHUNK_BYTES
        self.max_message_bytes = STRANGER_MESSAGE_BYTES
        self._streams: dict[int, ChunkStream] = {}
        self._buffer = bytearray()
        self._at = 0
        self._open: ChunkStream | None = None  # the chunk we are inside of
        self._left = 0  # of that chunk
        self._held = 0  # bytes of unfinished messages

    def feed(self, data: bytes) -> None:
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += data

    def next_message(self) -> Message | None:
        """The next whole message, or None until more is fed. Raises `RtmpBroken`."""
        while True:
            if self._open is None and not self._begin_chunk():
                return None
            stream = self._open
            assert stream is not None  # noqa: S101  # for the type checker: `_begin_chunk` set it
            self._take_body(stream)
            if self._left:
                return None
            self._open = None
            if len(stream.body) == stream.length:
                return self._finished(stream)

    def take(self, count: int) -> bytes | None:
        """Exactly `count` raw bytes, for what comes before the first chunk."""
        if len(self._buffer) - self._at < count:
            return None
        self._at += count
        return bytes(self._buffer[self._at - count : self._at])

    def starts_with(self, expected: bytes) -> bool:
        """Whether the next raw bytes fit `expected`, as far as they are there."""
        there = self._buffer[self._at : self._at + len(expected)]
        return expected.startswith(bytes(there))

    def abort(self, chunk_stream_id: int) -> None:
        """The sender gave up the message it had begun there."""
        if stream := self._streams.get(chunk_stream_id):
            self._held -= len(stream.body)
            stream.body = bytearray()

    def _begin_chunk(self) -> bool:
        """Read one chunk header; False, and nothing consumed, when it is not all there yet."""
        head = self._first_header()
        if head is None:
            return False
        form, stream_id, at = head
        if len(self._buffer) < at + HEADER_BYTES[form]:
            return False
        stream = self._stream(stream_id, form)
        after = self._read_timestamps(stream, form, at)
        if after is None:
            return False
        self._streams[stream_id] = stream
        self._at = after
        self._open = stream
        self._left = min(self.chunk_bytes, stream.length - len(stream.body))
        self._held += self._left
        if self._held > self.max_message_bytes + STRANGER_MESSAGE_BYTES:
            raise RtmpBroken("Too many unfinished messages.")
        return True

    def _first_header(self) -> tuple[int, int, int] | None:
        """Form, chunk stream id and where the rest begins."""
        available = self._buffer[self._at : self._at + 3]
        if not available:
            return None
        form, stream_id = available[0] >> 6, available[0] & 63
        size = {0: 2, 1: 3}.get(stream_id, 1)
        if len(available) < size:
            return None
        if stream_id == 0:
            stream_id = 64 + available[1]
        elif stream_id == 1:
            stream_id = 64 + available[1] + available[2] * 256
        return form, stream_id, self._at + size

    def _stream(self, stream_id: int, form: int) -> ChunkStream:
        stream = self._streams.get(stream_id)
        if stream is None:
            # Forms 1 and 2 as the first are tolerated: librtmp sends form 1 there.
            if form == 3 or len(self._streams) >= MAX_CHUNK_STREAMS:
                raise RtmpBroken("A chunk belongs to no known message.")
            return ChunkStream()
        if form < 3 and stream.body:
            raise RtmpBroken("A message begins inside another one.")
        return stream

    def _read_timestamps(self, stream: ChunkStream, form: int, at: int) -> int | None:
        """Apply a message header; where the body begins, or None when the header is not all there."""
        if form == 3:
            return self._continue(stream, at)
        header = self._buffer[at : at + HEADER_BYTES[form]]
        at += len(header)
        value, extended = int.from_bytes(header[:3], "big"), None
        if value == EXTENDED:
            if len(self._buffer) < at + 4:
                return None
            value = extended = int.from_bytes(self._buffer[at : at + 4], "big")
            at += 4
        if form < 2:
            stream.length, stream.kind = int.from_bytes(header[3:6], "big"), header[6]
            if stream.length > self.max_message_bytes:
                raise RtmpBroken(f"A message of {stream.length} bytes is too large.")
        if form == 0:
            stream.stream_id = int.from_bytes(header[7:], "little")
        stream.extended = extended
        stream.delta_ms = 0 if form == 0 else value
        stream.timestamp_ms = value if form == 0 else (stream.timestamp_ms + value) & TIMESTAMP_MASK
        return at

    def _continue(self, stream: ChunkStream, at: int) -> int | None:
        if stream.extended is not None:
            if len(self._buffer) < at + 4:
                return None
            # Some encoders repeat the extended timestamp in every chunk, as the specification says; some do not.
            if int.from_bytes(self._buffer[at : at + 4], "big") == stream.extended:
                at += 4
        if not stream.body:
            stream.timestamp_ms = (stream.timestamp_ms + stream.delta_ms) & TIMESTAMP_MASK
        return at

    def _take_body(self, stream: ChunkStream) -> None:
        part = self._buffer[self._at : self._at + self._left]
        stream.body += part
        self._at += len(part)
        self._left -= len(part)

    def _finished(self, stream: ChunkStream) -> Message:
        payload = bytes(stream.body)
        self._held -= len(payload)
        stream.body = bytearray()
        return Message(stream.kind, stream.timestamp_ms, stream.stream_id, payload)


def in_chunks(chunk_stream_id: int, message: Message) -> bytes:
    """A message as we send it: at most `OUR_CHUNK_BYTES` in each chunk."""
    payload = message.payload
    header = struct.pack(">B", chunk_stream_id) + message.timestamp_ms.to_bytes(3, "big")
    header += len(payload).to_bytes(3, "big") + bytes([message.kind]) + struct.pack("<I", message.stream_id)
    again = bytes([0xC0 | chunk_stream_id])
    pieces = [payload[at : at + OUR_CHUNK_BYTES] for at in range(0, len(payload), OUR_CHUNK_BYTES)]
    return header + again.join(pieces)
