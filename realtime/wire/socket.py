"""One client's Engine.IO session, on a WebSocket or polling: what it may hold, how long it may take, how it ends.

Replaces engineio's own, which keeps an unbounded queue, starts tasks and timers for every client and packet, and leaves
the TCP connection open after a disconnect (engineio issue 133, and python-engineio 4.15 `async_socket.py`). Invariants:

- a client's messages are handled one after another, by at most one task, which exists only while there are any;
- what waits to be written is bounded; a client that is too far behind is told once and cut;
- after `finish` nothing is accepted from the client any more, and the session is gone within LINGER_SECONDS.
"""

import asyncio
import contextvars
from collections import deque
from typing import Any

from engineio.async_socket import AsyncSocket

from infra.logs import get_logger
from realtime.disconnects import MISBEHAVED, TOO_SLOW, Disconnect
from realtime.wire.connection import LINGER_SECONDS, NORMAL, Connection
from realtime.wire.fanout import Audience, Frame
from realtime.wire.frames import DISCONNECT, MAX_FRAME_BYTES, PING, Garbage, event_frame
from realtime.wire.polls import NOOP, Polls
from realtime.wire.websocket import message_frame

MAX_WAITING_BYTES = 1_000_000  # besides what the kernel holds; chat never adds to it
MAX_UNHANDLED = 64  # messages of one client; beyond it is not read
MAX_UNHANDLED_SIZE = 256 * 1024  # and not beyond this size either: 64 large ones are 4 MB
MAX_STRIKES = 20  # things nobody asked for between two of our pings: pongs, pings, acknowledgements
CLOSE = "1"

_RESTING, _PINGED, _ANSWERED = range(3)

log = get_logger(__name__)


class EngineSocket(AsyncSocket):  # type: ignore[misc]  # engineio has no types
    """engineio's socket with everything bounded. All methods without `await` are safe to call at any time."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.closing = self.closed = self.connected = self.upgrading = self.upgraded = False
        self.connection: Connection | None = None
        self.polls: Polls | None = None
        self.descriptor = -1  # see `realtime.wire.fanout.Member`
        self.place = ""  # see `realtime.wire.places`
        self.joined = False  # a namespace: whoever does not in time is closed
        self.slowness = 0.0
        self._audiences: tuple[Audience, ...] = ()
        self._inbox: deque[str | bytes] | None = None
        self._unhandled_size = 0  # of what waits in the inbox
        self._handling: asyncio.Task[None] | None = None
        self._heart = _RESTING
        self._strikes = 0
        self._reason: str | None = None

    @property
    def finishing(self) -> bool:
        return self._reason is not None

    # --- out

    @property
    def writable(self) -> bool:
        return self.connection is not None and self.connection.writable

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None:
        """Send a packet; a client that is too far behind is told so and cut instead."""
        if self.finishing or (droppable and self.connection is not None and self.connection.paused):
            return
        if self.connection is not None:
            self._write(message_frame(packet))
        elif self.polls is not None and not self.polls.offer(packet):
            self.polls.take()
            self.dismiss(TOO_SLOW)

    def offer_frame(self, frame: Frame) -> None:
        """The same for what goes to many."""
        if self.connection is None:
            for packet in frame.packets:
                self.offer(packet)
        elif not self.finishing:
            self._write(frame.wire)

    def write_rest(self, data: bytes) -> None:
        if self.connection is not None:
            self.connection.write_rest(data)

    def _write(self, data: bytes) -> None:
        connection = self.connection
        if connection is None:
            return
        if connection.paused and connection.waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self.cut(TOO_SLOW)
        else:
            connection.write(data)

    # --- the end

    def dismiss(self, why: Disconnect, delay_ms: int = 0) -> None:
        """Say why, then end it. A client that must not come back also gets Socket.IO's own DISCONNECT."""
        frames = [event_frame("session:closing", why.closing(delay_ms))]
        if not why.reconnect:
            frames.append(DISCONNECT)
        self.finish(why.code, *frames, code=why.number)

    def cut(self, why: Disconnect) -> None:
        """End it without a word: the client does not read."""
        if not self.finishing:
            self._reason = why.code
            log.info("socket.cut", sid=self.sid, why=why.code)
            if self.connection is not None:
                self.connection.abort(why.number)

    def finish(self, reason: str, *last_words: str, code: int = NORMAL) -> None:
        """Write what waits and the last words, then close; it is cut after LINGER_SECONDS whatever happens."""
        if self.finishing:
            return
        self._reason = reason
        if self.connection is not None:
            for packet in last_words:
                self.connection.write(message_frame(packet))
            self.connection.close(code, reason if code != NORMAL else "")
            return
        if self.polls is not None:
            for packet in (*last_words, CLOSE):
                self.polls.push(packet)
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.lost, NORMAL)

    def lost(self, code: int) -> None:
        """The connection is over: leave every room now, and tell the application."""
        self.descriptor = -1
        for audience in self._audiences:
            audience.discard(self)
        if not self.closing:
            self.server.spawn(self._close_after_inbox())

    async def _close_after_inbox(self) -> None:
        """What the client sent before it went counts: a goodbye, above all."""
        await self._handled()
        await self.close(reason=self.server.reason.TRANSPORT_CLOSE)

    async def _handled(self) -> None:
        if self._handling is not None and self._handling is not asyncio.current_task():
            await asyncio.wait({self._handling})

    # --- what engineio calls

    async def send(self, pkt: Any) -> None:
        self.offer(pkt.encode())

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End it, and return when the application was told."""
        if not self.closing:
            self.closing = True
            self.finish(reason or self.server.reason.SERVER_DISCONNECT)
            await self._handled()  # so that nobody hears of a client that they know is gone
            await self.server._trigger_event("disconnect", self.sid, self._reason, run_async=False)
            self.closed = True
            self.server.forget(self)

    # --- rooms

    def entered(self, audience: Audience) -> None:
        self._audiences = (*self._audiences, audience)

    def left(self, audience: Audience) -> None:
        self._audiences = tuple(one for one in self._audiences if one is not audience)

    # --- the WebSocket

    def attach(self, connection: Connection) -> None:
        """From now on it is on a WebSocket; what waited goes there first."""
        self.connection, self.descriptor = connection, connection.descriptor
        self.connected = self.upgraded = True
        polls, self.polls, self.upgrading = self.polls, None, False
        for packet in polls.take() if polls is not None else ():
            if packet != NOOP:
                connection.write(message_frame(packet))
        for audience in self._audiences:
            audience.moved(self)
        if connection.paused:
            self.paused()

    def heard(self, message: str | bytes) -> None:
        if message == "3":
            self._pong()
        elif not self.finishing:
            self.take(message)

    def pinged(self) -> None:
        self.strike("control frames")

    def paused(self) -> None:
        self.server.watch(self)
        for audience in self._audiences:
            audience.slowed(self)

    def resumed(self) -> None:
        for audience in self._audiences:
            audience.ready(self)

    # --- in

    def take(self, message: str | bytes) -> None:
        """Handle one Engine.IO packet after those before it.

        Only answers overtake: the handler before them may be waiting for one.
        """
        if isinstance(message, str) and message.startswith("43"):
            self._take_answer(message[1:])
            return
        if self._inbox is None:
            self._inbox, self._unhandled_size = deque((message,)), len(message)
            # Not in the context of the handshake: its correlation id is not that of everything that follows.
            self._handling = self.server.spawn(self._handle_inbox(), context=contextvars.Context())
            return
        self._inbox.append(message)
        self._unhandled_size += len(message)
        count, size = len(self._inbox), self._unhandled_size
        if count > 4 * MAX_UNHANDLED or size > 4 * MAX_UNHANDLED_SIZE:  # more than one read of the network holds
            self.dismiss(MISBEHAVED)
        elif (count >= MAX_UNHANDLED or size > MAX_UNHANDLED_SIZE) and self.connection is not None:
            self.connection.hold()

    def _take_answer(self, text: str) -> None:
        try:
            self.server.take_answer(self, text)
        except Garbage as wrong:
            self._end_of_patience(wrong.message)

    async def _handle_inbox(self) -> None:
        inbox = self._inbox
        try:
            while inbox and not self.finishing:
                message = inbox.popleft()
                self._unhandled_size -= len(message)
                await self._handle(message)
        except Garbage as wrong:
            self._end_of_patience(wrong.message)
        except Exception:  # the edge of the application: what came after would wait for ever
            log.exception("socket.failed", sid=self.sid)
            self.finish("server error")
        finally:
            self._inbox = self._handling = None
            if self.connection is not None:
                self.connection.release()

    async def _handle(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            await self.server.take_message(self, message)
        elif not message or len(message) > MAX_FRAME_BYTES:
            raise Garbage("empty or large packet")
        elif message[0] == "4":
            await self.server.take_message(self, message[1:])
        elif message == CLOSE:
            self.finish(self.server.reason.CLIENT_DISCONNECT)
        elif message == "3":
            self._pong()
        else:
            raise Garbage("packet type")

    def strike(self, what: str) -> None:
        self._strikes += 1
        if self._strikes > MAX_STRIKES:
            self._end_of_patience(what)

    def _end_of_patience(self, what: str) -> None:
        if not self.finishing:
            log.info("socket.garbage", sid=self.sid, what=what)
            self.dismiss(MISBEHAVED)

    # --- the heartbeat

    def beat(self) -> float | None:
        """See `heartbeat.Beating`: the end of CONNECT's time, a ping, or the end of waiting for its pong."""
        if self.finishing:
            return None
        if not self.joined or self._heart == _PINGED:
            self.finish(self.server.reason.PING_TIMEOUT if self.joined else "no CONNECT")
            return None
        rest = self.server.ping_interval - self.server.ping_timeout
        if self._heart == _ANSWERED and rest > 0:
            self._heart = _RESTING
            return float(rest)
        self._heart = _PINGED
        self._strikes = 0  # so many between two of our pings: a client may well ping us every 20 s of its life
        self.offer(PING)
        return float(self.server.ping_timeout)

    def _pong(self) -> None:
        if self._heart == _PINGED:
            self._heart = _ANSWERED
        else:
            self.strike("pongs nobody asked for")
