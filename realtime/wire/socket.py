"""One client's socket: what it may hold, how long it may take, and how it ends.

Replaces engineio's own handler, which keeps an unbounded queue, starts a task and a timer for every packet, lets a
frame it cannot parse end in a traceback, and leaves the TCP connection open after a disconnect
(engineio issue 133, and python-engineio 4.15 `async_socket.py`). Invariants:

- one task (the ASGI call) reads, one writes; both have ended when `_websocket_handler` returns;
- what waits to be written is bounded; beyond the bound the client is told once and cut;
- after `finish` nothing is accepted from the client any more, and the socket is gone within LINGER_SECONDS.
"""

import asyncio
import contextlib
from collections import deque
from typing import Any

from engineio.async_socket import AsyncSocket

from infra.logs import get_logger
from realtime.disconnects import MISBEHAVED, TOO_SLOW, Disconnect
from realtime.wire.frames import DISCONNECT, MAX_FRAME_BYTES, PING, Garbage, event_frame

MAX_WAITING_FRAMES = 256
MAX_WAITING_CHARACTERS = 1_000_000
LINGER_SECONDS = 1.0  # for the last words to reach a client that reads
MAX_STRIKES = 20  # pongs nobody asked for

log = get_logger(__name__)


class BoundedSocket(AsyncSocket):  # type: ignore[misc]  # engineio has no types
    """engineio's socket with everything bounded. `offer` and `finish` are safe to call at any time."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None  # the next ping, or the end of waiting for its pong
        self._deadline: asyncio.TimerHandle | None = None  # for CONNECT, later for lingering
        self._pinged = False
        self._strikes = 0
        self._reason: str | None = None

    @property
    def finishing(self) -> bool:
        return self._reason is not None

    def offer(self, frame: str) -> None:
        """Queue a frame; a client that is too far behind is told so and cut instead."""
        if self.finishing:
            return
        if len(self._waiting) >= MAX_WAITING_FRAMES or self._characters + len(frame) > MAX_WAITING_CHARACTERS:
            self._waiting.clear()
            self.dismiss(TOO_SLOW)
            return
        self._waiting.append(frame)
        self._characters += len(frame)
        self._wake.set()

    def dismiss(self, why: Disconnect, delay_ms: int = 0) -> None:
        """Say why, then end it. A client that must not come back also gets Socket.IO's own DISCONNECT."""
        frames = [event_frame("session:closing", why.closing(delay_ms))]
        if not why.reconnect:
            frames.append(DISCONNECT)
        self.finish(why.code, *frames)

    def finish(self, reason: str, *last_words: str) -> None:
        """Write what waits and the last words, then close; cut after LINGER_SECONDS whatever happens."""
        if self.finishing:
            return
        self._reason = reason
        self._waiting.extend(last_words)
        self._wake.set()
        self._stop_timers()
        self._deadline = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._cut)

    def connect_within(self, seconds: float) -> None:
        """End the socket unless `connected_in_time` is called before."""
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.finish, "no CONNECT")

    def connected_in_time(self) -> None:
        if self._deadline is not None and not self.finishing:
            self._deadline.cancel()
            self._deadline = None

    # --- what engineio calls

    async def send(self, pkt: Any) -> None:
        self.offer(pkt.encode())

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        await super().close(wait=False, abort=True, reason=reason)
        self.finish(reason or self.server.reason.SERVER_DISCONNECT)

    def schedule_ping(self) -> None:
        self._pinged = False
        self._timer = asyncio.get_running_loop().call_later(self.server.ping_interval, self._ping)

    async def _websocket_handler(self, ws: Any) -> None:
        self._task = asyncio.current_task()
        self.connected = self.upgraded = True
        writer = asyncio.create_task(self._write(ws))
        try:
            await self._read(ws)
        except asyncio.CancelledError:
            if not self.finishing or self._task is None:
                raise
            self._task.uncancel()  # it was our own `_cut`
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            await self.close(reason=self._reason or self.server.reason.TRANSPORT_CLOSE)
            self._task = None
            self._stop_timers()

    # --- our own

    async def _read(self, ws: Any) -> None:
        while True:
            try:
                frame = await ws.wait()
            except OSError:  # how the ASGI driver says that the client is gone
                return
            if self.finishing:
                continue
            try:
                await self._take(frame)
            except Garbage as wrong:
                log.info("socket.garbage", sid=self.sid, what=wrong.message)
                self.dismiss(MISBEHAVED)

    async def _take(self, frame: str | bytes) -> None:
        if not isinstance(frame, str) or not frame or len(frame.encode()) > MAX_FRAME_BYTES:
            raise Garbage("binary, empty or large frame")
        if frame[0] == "4":
            await self.server.take_message(self, frame[1:])
        elif frame == "3":
            self._pong()
        elif frame == "1":
            self.finish(self.server.reason.CLIENT_DISCONNECT)
        else:
            raise Garbage("packet type")

    async def _write(self, ws: Any) -> None:
        with contextlib.suppress(OSError):  # the client is gone; the reader notices by itself
            while True:
                while self._waiting:
                    frame = self._waiting.popleft()
                    self._characters -= len(frame)
                    await ws.send(frame)
                if self.finishing:
                    await ws.close()
                    return
                self._wake.clear()
                await self._wake.wait()

    def _ping(self) -> None:
        self._pinged = True
        self.offer(PING)
        if not self.finishing:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.server.ping_timeout, self.finish, self.server.reason.PING_TIMEOUT)

    def _pong(self) -> None:
        if not self._pinged:
            self._strikes += 1
            if self._strikes > MAX_STRIKES:
                raise Garbage("pongs nobody asked for")
            return
        if self._timer is not None:
            self._timer.cancel()
        self.schedule_ping()

    def _cut(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        self._timer = self._deadline = None
