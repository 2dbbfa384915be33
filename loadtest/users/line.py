"""One client's connection and its place in a room, over however many sockets it takes.

Opening is done by the client's own greenlet. Reading is done by the crowd's one greenlet for everybody, which calls
`feed`; what somebody waits for is handed over by results and events. Nothing here blocks the reader: what is written
is small, and a socket that cannot take it counts as lost.
"""

import os
import random
import time
from typing import Any, Protocol

import gevent
import msgspec
from gevent import socket
from gevent.event import AsyncResult, Event

from loadtest.users.figures import Figures
from loadtest.users.framing import CLOSE, PING, BrokenFrame, frames, masked, upgrade
from loadtest.users.news import Answer, Closing, News, Newsroom, Told
from loadtest.users.seat import Seat
from loadtest.users.stage import Caller

PATIENCE_SECONDS = 10.0
PONG = masked(b"3", b"\0\1\2\3")
UPGRADED = b"HTTP/1.1 101"

_answers = msgspec.json.Decoder(list[Answer])
_closing = msgspec.json.Decoder(Closing)


class LineLost(Exception):
    """There is no connection, or it did not answer."""


class Refused(Exception):
    """The server said no; the text is its code."""


class Readers(Protocol):
    """Who reads sockets."""

    def add(self, line: "Line") -> None: ...
    def remove(self, line: "Line") -> None: ...


class Line:
    """`gone` is set while there is no connection. Methods that talk raise `LineLost` and `Refused`."""

    def __init__(self, who: Caller, nodes: list[tuple[str, int]], room: Newsroom, figures: Figures) -> None:
        self.who = who
        self.seat = Seat()
        self.gone = Event()
        self.gone.set()
        self.gone_since = 0.0
        self.waiting_since = 0.0  # for a join that the reader asked for
        self.banned = False
        self.socket: Any = None
        self._nodes = nodes
        self._turn = who.number
        self._news = room
        self._figures = figures
        self._rest = bytearray()
        self._connected = AsyncResult()
        self._acks: dict[int, AsyncResult | None] = {}
        self._last_ack = 0
        self._stream_id = ""

    def open(self, crowd: Readers) -> None:
        """Connect to the next node. The socket is the crowd's afterwards."""
        address = self._nodes[self._turn % len(self._nodes)]
        self._turn += 1
        self._rest, self._acks, self._connected = bytearray(), {}, AsyncResult()
        try:
            self.socket = socket.create_connection(address, PATIENCE_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._upgrade(f"{address[0]}:{address[1]}")
        except OSError as failure:
            self.close()
            raise LineLost(type(failure).__name__) from None
        self.gone.clear()
        crowd.add(self)
        self._write(b"40" + msgspec.json.encode(self.who.auth))
        if (refusal := self._wait(self._connected)) is not None:
            raise Refused(refusal)
        self._figures.connects += 1

    def join(self, stream_id: str) -> None:
        """Enter the room, or return to one's place in it."""
        self._stream_id = stream_id
        self.ask("room:join", {"stream_id": stream_id, **self.seat.position()})

    def ask(self, event: str, body: dict[str, object]) -> Answer:
        """Send an event and wait for its acknowledgement."""
        waits = AsyncResult()
        self._send(event, body, waits)
        answer: Answer = self._wait(waits)
        if not answer.ok:
            raise Refused(answer.code)
        return answer

    def feed(self, chunk: bytes, now: float) -> None:
        """Take what a socket gave; nothing is its end. Raises `BrokenFrame` and `LineLost`."""
        if not chunk:
            raise LineLost("closed by the server")
        if not self._rest and (known := self._news.chunks.get(chunk)) is not None:
            for news in known:
                self._take(news, now)
            return
        self._rest += chunk
        common = [self._hear(opcode, payload, now) for opcode, payload in frames(self._rest)]
        shared = tuple(news for news in common if news is not None)
        if not self._rest and common and len(shared) == len(common) == chunk_frames(chunk):
            self._news.remember(chunk, shared)

    def lose(self, why: str) -> None:
        """There is no connection any more; whoever waits is told."""
        if not self.gone.is_set():
            self.gone_since = time.monotonic()
            self._figures.lost += 1
            self.seat.standing = False
        self.close()
        self.waiting_since = 0.0
        failure = LineLost(why)
        for waits in (self._connected, *self._acks.values()):
            if waits is not None and not waits.ready():
                waits.set_exception(failure)
        self.gone.set()

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _upgrade(self, host: str) -> None:
        self.socket.sendall(upgrade(host, self.who.address))
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := self.socket.recv(4096)):
                raise ConnectionResetError
            head += more
        if not head.startswith(UPGRADED):
            raise ConnectionRefusedError(head[:80])
        self._rest += head.partition(b"\r\n\r\n")[2]

    def _hear(self, opcode: int, payload: bytes, now: float) -> News | None:
        """One frame; the news in it, if it is one that everybody gets."""
        if opcode == CLOSE:
            raise LineLost("closed by the server")
        if opcode == PING:
            raise BrokenFrame("a WebSocket ping: Engine.IO has its own")
        kind = payload[:2]
        if kind == b"42":
            told = self._news.of(payload[2:])
            if isinstance(told, News):
                self._take(told, now)
                return told
            self._told(told)
        elif payload == b"2":
            self._write_raw(PONG)
        elif kind == b"43":
            self._acknowledged(payload, now)
        elif kind == b"40":
            self._connected.set(None)
        elif kind == b"44":
            self._connected.set(str(msgspec.json.decode(payload[2:]).get("data", {}).get("code", "refused")))
        elif kind == b"41":
            raise LineLost("disconnected by the server")
        return None

    def _take(self, news: News, now: float) -> None:
        if not self.seat.standing or not news.offsets:
            return
        if self.seat.take(news):
            self._figures.delivered(now, news.sent)
        else:
            self._rejoin(now)

    def _told(self, told: Told) -> None:
        if told.name in {"room:reset", "room:lagged"}:
            self.seat.standing = False
            self._rejoin(time.monotonic())
        elif told.name == "session:closing":
            closing = _closing.decode(told.body)
            self.banned = not closing.reconnect
            self._figures.errors[f"closing: {closing.code}"] += closing.code != "node.draining"
            gevent.spawn_later(closing.delay_ms / 1000, self._leave, self.socket)

    def _leave(self, which: Any) -> None:
        """The delay of a drain is over: go, if we still are where we were told to go from."""
        if which is self.socket and which is not None:
            which.shutdown(socket.SHUT_RDWR)  # the reader finds its end

    def _acknowledged(self, payload: bytes, now: float) -> None:
        start = payload.index(b"[")
        waits = self._acks.pop(int(payload[2:start]), None)
        answer = _answers.decode(payload[start:])[0]
        if answer.recovered is not None:
            self._joined(answer, now)
        elif not answer.ok and waits is None:
            raise LineLost(f"joining again was refused: {answer.code}")
        if waits is not None:
            waits.set(answer)

    def _joined(self, answer: Answer, now: float) -> None:
        """Before the next frame is read: what follows builds on it."""
        self._news.check(answer.entries)
        recoveries = self.seat.recoveries
        if not self.seat.joined(answer):
            self._figures.errors["recovered with a hole"] += 1
        if self.seat.recoveries > recoveries:
            self._figures.recoveries.add(now - (self.waiting_since or self.gone_since))
        self.waiting_since = 0.0

    def _rejoin(self, now: float) -> None:
        if not self.waiting_since:
            self.waiting_since = now
            self._send("room:join", {"stream_id": self._stream_id, **self.seat.position()}, None)

    def _send(self, event: str, body: dict[str, object], waits: AsyncResult | None) -> None:
        self._last_ack += 1
        self._acks[self._last_ack] = waits
        self._write(b"42%d" % self._last_ack + msgspec.json.encode([event, body]))

    def _write(self, payload: bytes) -> None:
        self._write_raw(masked(payload))

    def _write_raw(self, data: bytes) -> None:
        if self.socket is None:
            raise LineLost("no connection")
        try:
            written = os.write(self.socket.fileno(), data)
        except OSError as failure:
            raise LineLost(type(failure).__name__) from None
        if written != len(data):
            raise LineLost("the server does not read")

    def _wait(self, waits: AsyncResult) -> Any:
        try:
            return waits.get(timeout=PATIENCE_SECONDS)
        except gevent.Timeout:
            raise LineLost("no answer") from None


def chunk_frames(chunk: bytes) -> int:
    """How many whole frames these bytes are; 0 when they begin or end inside one."""
    buffer = bytearray(chunk)
    try:
        count = sum(1 for _ in frames(buffer))
    except BrokenFrame:
        return 0
    return 0 if buffer else count


def backoff_seconds(attempt: int) -> float:
    """As the web client waits: longer each time, at random, so that a storm spreads."""
    return random.uniform(0.5, 1.0) * min(5.0, 0.25 * 2.0**attempt)
