"""One RTMP connection that may publish and nothing else: bytes in, events and bytes out. No I/O, no clock.

Feed what arrived, take events until there is none, send `take_output()`. After `PublishAsked` nothing more is read
until `accept` or `refuse`. Everything that is not RTMP as encoders speak it raises `RtmpBroken`.
"""

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from media.errors import RtmpBroken
from media.ingest import amf
from media.ingest.chunks import (
    MAX_CHUNK_BYTES,
    MAX_MESSAGE_BYTES,
    OUR_CHUNK_BYTES,
    ChunkReader,
    Message,
    in_chunks,
)
from media.ingest.flv import Kind, Tag

APP = "live"
VERSION = b"\x03"
HANDSHAKE_BYTES = 1536
WINDOW_BYTES = 2_500_000
SMALLEST_WINDOW_BYTES = 65_536
MAX_COMMANDS = 64  # before publishing begins; encoders need five
MAX_KEY_LENGTH = 256

(SET_CHUNK_SIZE, ABORT, ACKNOWLEDGED, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH) = range(1, 7)
AUDIO, VIDEO, DATA_AMF3, COMMAND_AMF3, DATA, COMMAND, AGGREGATE = 8, 9, 15, 17, 18, 20, 22
PING, PONG = 6, 7

REFUSED = "NetStream.Publish.BadName"
STOPPED = "NetStream.Publish.Rejected"


class Phase(Enum):
    """How far the connection has come."""

    GREETING = "greeting"
    CONFIRMING = "confirming"
    COMMANDS = "commands"
    DECIDING = "deciding"
    PUBLISHING = "publishing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PublishAsked:
    """The encoder wants to publish with this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the encoder says about itself; nothing of it need be true."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The conversation is over: send what is left and hang up."""

    reason: str


Event = PublishAsked | Metadata | Tag | Goodbye


class RtmpSession:
    """The machine. `random_bytes` fills the handshake."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self.phase = Phase.GREETING
        self._random_bytes = random_bytes
        self._chunks = ChunkReader()
        self._output = bytearray()
        self._events: deque[Event] = deque()
        self._commands = 0
        self._received = self._acknowledged = 0
        self._window = WINDOW_BYTES
        self._app: str | None = None
        self._stream_id = 0
        self._handlers: dict[str, Callable[[float, list[Any]], None]] = {
            "connect": self._connect,
            "createStream": lambda number, _: self._result(number, None, 1),
            "releaseStream": lambda number, _: self._result(number, None),
            "FCPublish": lambda number, _: self._result(number, None),
            "publish": self._publish,
            "FCUnpublish": self._unpublish,
            "deleteStream": self._unpublish,
            "closeStream": self._unpublish,
            "play": self._play,
            "play2": self._play,
        }

    # --- what the shell calls

    def feed(self, data: bytes) -> None:
        self._received += len(data)
        self._chunks.feed(data)
        if self.phase is Phase.PUBLISHING and self._received - self._acknowledged >= self._window // 2:
            self._acknowledged = self._received
            self._control(ACKNOWLEDGED, struct.pack(">I", self._received & 0xFFFFFFFF))

    def next_event(self) -> Event | None:
        """The next thing that happened, or None until more is fed. Raises `RtmpBroken`."""
        while not self._events:
            if self.phase in {Phase.DECIDING, Phase.OVER} or not self._step():
                return None
        return self._events.popleft()

    def take_output(self) -> bytes:
        """What has to be sent now."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def accept(self) -> None:
        """The key is good: media may come."""
        self.phase = Phase.PUBLISHING
        self._chunks.max_message_bytes = MAX_MESSAGE_BYTES
        self._control(USER_CONTROL, struct.pack(">HI", 0, self._stream_id))
        self._status("status", "NetStream.Publish.Start", "Publishing.")

    def refuse(self, sentence: str) -> None:
        """The key is not good; say why and end."""
        self._end(REFUSED, sentence, "refused")

    def stop(self, sentence: str) -> None:
        """End a publisher that was accepted; say why."""
        if self.phase is not Phase.OVER:
            self._end(STOPPED, sentence, "stopped")

    # --- reading

    def _step(self) -> bool:
        """Read one thing; False when more bytes are needed."""
        if self.phase is Phase.GREETING:
            return self._greet()
        if self.phase is Phase.CONFIRMING:
            if self._chunks.take(HANDSHAKE_BYTES) is None:
                return False
            self.phase = Phase.COMMANDS
            return True
        message = self._chunks.next_message()
        if message is not None:
            self._handle(message)
        return message is not None

    def _greet(self) -> bool:
        if not self._chunks.starts_with(VERSION):
            raise RtmpBroken
        greeting = self._chunks.take(1 + HANDSHAKE_BYTES)
        if greeting is None:
            return False
        self._output += VERSION + bytes(8) + self._random_bytes(HANDSHAKE_BYTES - 8) + greeting[1:]
        self.phase = Phase.CONFIRMING
        return True

    def _handle(self, message: Message) -> None:
        if message.kind in {SET_CHUNK_SIZE, ABORT, ACKNOWLEDGED, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH}:
            self._handle_control(message)
        elif message.kind in {COMMAND, COMMAND_AMF3}:
            self._handle_command(message)
        elif message.kind in {AUDIO, VIDEO, DATA, DATA_AMF3, AGGREGATE}:
            self._handle_media(message)
        else:
            raise RtmpBroken(f"Messages of type {message.kind} are not taken.")

    def _handle_control(self, message: Message) -> None:
        number = int.from_bytes(message.payload[:4], "big") if len(message.payload) >= 4 else 0
        if message.kind == SET_CHUNK_SIZE:
            if not 1 <= number <= MAX_CHUNK_BYTES:
                raise RtmpBroken(f"Chunks of {number} bytes are not taken.")
            self._chunks.chunk_bytes = number
        elif message.kind == ABORT:
            self._chunks.abort(number)
        elif message.kind == WINDOW_SIZE:
            self._window = max(SMALLEST_WINDOW_BYTES, number)
        elif message.kind == USER_CONTROL and len(message.payload) == 6 and message.payload[:2] == bytes([0, PING]):
            self._count_command()
            self._control(USER_CONTROL, bytes([0, PONG]) + message.payload[2:])

    # --- commands

    def _count_command(self) -> None:
        self._commands += self.phase is not Phase.PUBLISHING
        if self._commands > MAX_COMMANDS:
            raise RtmpBroken("Too many commands and no media.")

    def _handle_command(self, message: Message) -> None:
        self._count_command()
        values = amf.decode(message.payload[1:] if message.kind == COMMAND_AMF3 else message.payload)
        if len(values) < 2 or not isinstance(values[0], str) or not isinstance(values[1], float):
            raise RtmpBroken("A command has no name or no number.")
        if handler := self._handlers.get(values[0]):
            self._stream_id = message.stream_id or 1
            handler(values[1], values[2:])

    def _connect(self, number: float, values: list[Any]) -> None:
        told = values[0] if values and isinstance(values[0], dict) else {}
        self._app = str(told.get("app", "")).partition("?")[0].strip("/")
        if self._app != APP:
            code, sentence = "NetConnection.Connect.Rejected", f"The server address must end in /{APP}."
            self._command("_error", number, None, {"level": "error", "code": code, "description": sentence})
            self._over("refused")
            return
        self._control(WINDOW_SIZE, struct.pack(">I", WINDOW_BYTES))
        self._control(PEER_BANDWIDTH, struct.pack(">IB", WINDOW_BYTES, 2))
        self._control(SET_CHUNK_SIZE, struct.pack(">I", OUR_CHUNK_BYTES))
        code, sentence = "NetConnection.Connect.Success", "Connected."
        told = {"level": "status", "code": code, "description": sentence, "objectEncoding": 0}
        self._command("_result", number, {"fmsVer": "FMS/3,0,1,123", "capabilities": 31}, told)

    def _publish(self, _: float, values: list[Any]) -> None:
        if self._app is None or self.phase is not Phase.COMMANDS:
            raise RtmpBroken("Publishing comes once, after connecting.")
        key = values[1].partition("?")[0] if len(values) > 1 and isinstance(values[1], str) else ""
        self.phase = Phase.DECIDING
        self._events.append(PublishAsked(key[:MAX_KEY_LENGTH]))

    def _unpublish(self, _: float, __: list[Any]) -> None:
        if self.phase is Phase.PUBLISHING:
            self._over("unpublished")

    def _play(self, _: float, __: list[Any]) -> None:
        self._end("NetStream.Play.Failed", "This server takes streams in; it plays none.", "refused")

    # --- media

    def _handle_media(self, message: Message) -> None:
        if self.phase is not Phase.PUBLISHING:
            raise RtmpBroken("Media came before publishing was accepted.")
        if message.kind == AGGREGATE:
            self._split(message)
        elif message.kind in {DATA, DATA_AMF3}:
            self._read_metadata(message.payload[1:] if message.kind == DATA_AMF3 else message.payload)
        elif message.payload:
            self._events.append(Tag(Kind(message.kind), message.timestamp_ms, message.payload))

    def _read_metadata(self, payload: bytes) -> None:
        values = amf.decode(payload)
        told = next((value for value in values if isinstance(value, dict)), None)
        if told is not None and "onMetaData" in values[:2]:
            self._events.append(Metadata(told))

    def _split(self, message: Message) -> None:
        """An aggregate is a run of FLV tags whose times count from that of the first."""
        payload, at, first = message.payload, 0, None
        while at + 11 <= len(payload):
            kind, size = payload[at] & 0x1F, int.from_bytes(payload[at + 1 : at + 4], "big")
            moment = int.from_bytes(payload[at + 4 : at + 7], "big") | payload[at + 7] << 24
            first = moment if first is None else first
            body = payload[at + 11 : at + 11 + size]
            if len(body) < size:
                raise RtmpBroken("An aggregate is cut off.")
            if body and kind in {AUDIO, VIDEO}:
                timestamp = (message.timestamp_ms + moment - first) & 0xFFFFFFFF
                self._events.append(Tag(Kind(kind), timestamp, body))
            at += 15 + size

    # --- writing

    def _over(self, reason: str) -> None:
        self.phase = Phase.OVER
        self._events.append(Goodbye(reason))

    def _end(self, code: str, sentence: str, reason: str) -> None:
        self._status("error", code, sentence)
        self._over(reason)

    def _status(self, level: str, code: str, sentence: str) -> None:
        told = {"level": level, "code": code, "description": sentence}
        payload = amf.encode("onStatus", 0, None, told)
        self._output += in_chunks(5, Message(COMMAND, 0, self._stream_id, payload))

    def _result(self, number: float, *values: Any) -> None:
        self._command("_result", number, *values)

    def _command(self, name: str, number: float, *values: Any) -> None:
        self._output += in_chunks(3, Message(COMMAND, 0, 0, amf.encode(name, number, *values)))

    def _control(self, kind: int, payload: bytes) -> None:
        self._output += in_chunks(2, Message(kind, 0, 0, payload))
