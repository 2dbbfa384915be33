"""One WebSocket connection: the asyncio protocol that uvicorn's HTTP protocol hands an upgraded connection to.

During the handshake it is an ASGI server for one call of the app, which finds it in `scope["extensions"][EXTENSION]`
and either refuses in HTTP or calls `accept` with what takes its messages. From then on there is no task, no queue and
no timer for the connection: bytes come in, messages go to the `Receiver`, frames go out at once.

What waits to be written is bounded by MAX_WAITING_BYTES; whatever is beyond is for the receiver to decide.
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import MutableMapping
from typing import Any, Protocol

from infra.logs import get_logger
from realtime.wire.descriptors import write_some
from realtime.wire.websocket import BINARY, CLOSE, PING, PONG, TEXT, Parser, close_frame, frame

EXTENSION = "footlight.connection"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
LINGER_SECONDS = 1.0  # for the last words to reach a client that reads
GOING_AWAY, NORMAL, RESTART = 1001, 1000, 1012

_HANDSHAKE, _OPEN, _CLOSING, _LOST = range(4)

Message = MutableMapping[str, Any]
log = get_logger(__name__)


class Receiver(Protocol):
    """Who hears a connection. No method may block."""

    def heard(self, message: str | bytes) -> None: ...

    def pinged(self) -> None:
        """The client sent a ping or pong of its own; it may not do that without end."""
        ...

    def paused(self) -> None:
        """Something waits in the transport."""
        ...

    def resumed(self) -> None: ...

    def lost(self, code: int) -> None:
        """The connection is over; called once. `code` is the close code that ended it, 1006 for none."""
        ...


class Connection(asyncio.Protocol):
    """Use `begin` once. `write` and `close` are safe to call at any time."""

    __slots__ = (
        "_answer", "_app", "_code", "_held", "_key", "_parser", "_raw", "_server", "_state", "_waiter", "descriptor",
        "paused", "receiver", "transport",
    )  # fmt: skip

    def __init__(self, app: Any, server: Any, transport: asyncio.Transport, max_bytes: int) -> None:
        self.transport = transport
        self.paused = False  # something waits in the transport
        self.receiver: Receiver | None = None
        self._held = False
        self._raw = False  # the receiver hears bytes as they come (`hand_over`)
        self.descriptor = transport.get_extra_info("socket").fileno()
        self._app = app
        self._server = server  # uvicorn's ServerState: whom to wait for when it stops
        self._parser: Parser | None = Parser(max_bytes)
        self._state = _HANDSHAKE
        self._waiter: asyncio.Future[None] | None = None
        self._code = 1006
        self._key: bytes | None = None
        self._answer: tuple[int, list[tuple[bytes, bytes]]] = (500, [])

    # --- the handshake

    def begin(self, scope: MutableMapping[str, Any]) -> None:
        """Ask the app. `scope` is ASGI's, of an HTTP request that wants to become a WebSocket."""
        self._server.connections.add(self)
        self._key = _key_of(scope)
        if self._key is None or self.transport.get_extra_info("sslcontext") is not None:
            self._refuse(400, [], b"")
            return
        # 0: `write` goes to the kernel at once, and "paused" means that something waits (see descriptors.py)
        self.transport.set_write_buffer_limits(high=0)
        scope["type"], scope["scheme"], scope["subprotocols"] = "websocket", "ws", []
        scope["extensions"] = {"websocket.http.response": {}, EXTENSION: self}
        scope.pop("method", None)
        task = asyncio.get_running_loop().create_task(self._ask(scope))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    async def _ask(self, scope: MutableMapping[str, Any]) -> None:
        try:
            await self._app(scope, self._receive, self._send)
        except Exception:  # the edge of the app: the client gets an answer and we get the traceback
            log.exception("websocket.app_failed")
        if self._state == _HANDSHAKE:
            self._refuse(500, [], b"")
        self._app = None

    async def _receive(self) -> Message:
        if self._waiter is None:
            self._waiter = asyncio.get_running_loop().create_future()
            return {"type": "websocket.connect"}
        await self._waiter
        return {"type": "websocket.disconnect", "code": self._code}

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "websocket.close":
                self._refuse(403, [], b"")
            case "websocket.http.response.start":
                self._answer = (message["status"], list(message.get("headers", ())))
            case "websocket.http.response.body":
                status, headers = self._answer
                self._refuse(status, headers, message.get("body", b""))
            case other:
                raise RuntimeError(f"{other} is not spoken here: take the connection from the scope")

    def accept(self, receiver: Receiver, first: bytes = b"") -> bool:
        """Open the WebSocket; `receiver` hears it from now on. False when the client is gone already.

        `first` are frames that travel with the answer to the handshake, for the price of one write.
        """
        if self._state != _HANDSHAKE or self._key is None:
            return False
        self.receiver, self._state = receiver, _OPEN
        token = base64.b64encode(hashlib.sha1(self._key + GUID).digest())  # noqa: S324  # RFC 6455 says so
        self._key = None
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-accept: " + token + b"\r\n\r\n" + first
        )
        return True

    def hand_over(self, receiver: Receiver, first: bytes = b"") -> bool:
        """Like `accept`, but nothing is parsed or framed here any more, pings included.

        `receiver.heard` gets the bytes as they come, and what is given to `write` is sent as it is.
        """
        self._raw = self.accept(receiver, first)
        if self._raw:
            self._parser = None
        return self._raw

    def _refuse(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        if self._state == _HANDSHAKE:
            self._state = _CLOSING
            lines = [b"HTTP/1.1 %d \r\nconnection: close" % status]
            names = {name.lower() for name, _ in headers}
            if b"content-length" not in names:
                headers = [*headers, (b"content-length", str(len(body)).encode())]
            lines += [name + b": " + value for name, value in headers]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            self.transport.close()

    # --- frames out

    @property
    def writable(self) -> bool:
        return self._state == _OPEN and not self.paused

    @property
    def waiting_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Send whole frames, at once if nothing waits."""
        if self._state >= _CLOSING:
            return
        if not self.paused:
            data = data[write_some(self.descriptor, data) :]
        if data:
            self.write_rest(data)

    def write_rest(self, data: bytes) -> None:
        """Queue what the kernel did not take."""
        if self._state < _CLOSING:
            self.transport.write(data)

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye and close; cut after LINGER_SECONDS if the client does not read."""
        if self._state == _OPEN:
            if not self._raw:
                self.write(close_frame(code, reason))
            self._end(code)
            self.transport.close()
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.abort)

    def abort(self, code: int) -> None:
        """End it now; what waits is lost."""
        if self._state < _LOST:
            self._end(code)
            self.transport.abort()

    def hold(self) -> None:
        """Read no more until `release`."""
        if self._state == _OPEN and not self._held:
            self._held = True
            self.transport.pause_reading()

    def release(self) -> None:
        if self._held and self._state == _OPEN:
            self._held = False
            self.transport.resume_reading()

    def shutdown(self) -> None:
        """uvicorn stops."""
        if self._state == _HANDSHAKE:
            self._refuse(503, [], b"")
        self.close(RESTART)

    def _end(self, code: int) -> None:
        """Leave every list of descriptors before the transport closes its own."""
        if self._state < _CLOSING:
            self._state, self._code, self._parser = _CLOSING, code, None
            if self.receiver is not None:
                self.receiver.lost(code)

    # --- what the transport calls

    def data_received(self, data: bytes) -> None:
        if self._raw and self._state == _OPEN and self.receiver is not None:
            self.receiver.heard(data)
            return
        if self._parser is None:
            return
        if self._state == _HANDSHAKE and self.receiver is None:
            self.abort(1002)  # nobody may speak before our answer
            return
        for kind, payload in self._parser.feed(data):
            self._take(kind, payload)
            if self._parser is None:
                return
        if self._parser.failed:
            self.close(self._parser.failed)

    def _take(self, kind: int, payload: str | bytes) -> None:
        receiver = self.receiver
        if receiver is None:
            return
        if kind in {TEXT, BINARY}:
            receiver.heard(payload)
        elif kind == CLOSE:
            code = int.from_bytes(bytes(payload[:2]), "big") if payload else NORMAL  # type: ignore[arg-type]  # bytes
            self.close(code if payload else NORMAL)
        elif kind in {PING, PONG}:
            receiver.pinged()
            if kind == PING and not self.paused:  # whoever does not read gets no pongs either
                self.write(frame(PONG, bytes(payload)))  # type: ignore[arg-type]  # bytes

    def pause_writing(self) -> None:
        self.paused = True
        if self.receiver is not None:
            self.receiver.paused()

    def resume_writing(self) -> None:
        self.paused = False
        if self.receiver is not None and self._state == _OPEN:
            self.receiver.resumed()

    def eof_received(self) -> bool:
        self._end(1006)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(1006)
        self._state = _LOST
        self.receiver = self._app = None
        self._server.connections.discard(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _key_of(scope: MutableMapping[str, Any]) -> bytes | None:
    """The client's key, when the request is a handshake of RFC 6455 section 4.2.1."""
    key = version = b""
    for name, value in scope["headers"]:
        if name == b"sec-websocket-key":
            key = value
        elif name == b"sec-websocket-version":
            version = value
    try:
        right = len(key) == 24 and len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except binascii.Error:
        return None
    spoken = version == b"13" and scope.get("method") == "GET" and scope.get("http_version") == "1.1"
    return key if right and spoken else None
