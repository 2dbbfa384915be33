"""Engine.IO 4 over ASGI: sessions, long polling, WebSockets and the upgrade from one to the other.

A subclass of engineio's server, so that python-socketio works on it unchanged; what it does for each request and each
client is ours (engineio hard-codes its socket class, waits for a task a client, and answers errors as plain text).
"""

import asyncio
import contextvars
import secrets
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import engineio
import msgspec
from engineio import packet as engine_packet

from infra.errors import FootlightError, TooLarge, TooMany, Unavailable
from realtime.disconnects import TOO_SLOW
from realtime.errors import SessionUnknown, TransportRefused
from realtime.wire.connection import EXTENSION, Connection
from realtime.wire.frames import MAX_FRAME_BYTES, Garbage
from realtime.wire.heartbeat import TICK_SECONDS, Heartbeat
from realtime.wire.places import Places
from realtime.wire.polls import NOOP, Polls, decode_payload, encode_payload
from realtime.wire.socket import EngineSocket
from realtime.wire.upgrade import Upgrade
from realtime.wire.websocket import message_frame

CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 12.0  # how long a client may be behind, on balance
NAME_CHARACTERS = 10  # the name of a node in its sessions' ids
RANDOM_BYTES = 16  # the rest of an id, which nobody can guess
MAX_SOCKETS = 1_000_000  # unless told otherwise

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # engineio has no types
    """Sessions by their id. `take_message` and `take_answer` are set by the Socket.IO server above."""

    connect_seconds = CONNECT_SECONDS
    patience_seconds = PATIENCE_SECONDS
    take_message: Callable[[EngineSocket, str | bytes], Awaitable[None]]
    take_answer: Callable[[EngineSocket, str], None]
    sockets: dict[str, EngineSocket]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = secrets.token_hex(NAME_CHARACTERS // 2)
        self.places = Places(MAX_SOCKETS, MAX_SOCKETS)
        self.heartbeat = Heartbeat(tick_seconds=TICK_SECONDS, each_tick=self._look_after_slow)
        self._slow: dict[EngineSocket, None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def create_queue(self, *args: Any, **kwargs: Any) -> None:
        """Our sockets keep their own."""

    def generate_id(self) -> str:
        """Names the node, so that every other node knows where the session lives."""
        return self.name + secrets.token_urlsafe(RANDOM_BYTES)

    def spawn(self, work: Coroutine[Any, Any, Any], context: contextvars.Context | None = None) -> "asyncio.Task[Any]":
        """Run something that ends by itself."""
        task = asyncio.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def forget(self, socket: EngineSocket) -> None:
        """The session is over."""
        self._slow.pop(socket, None)
        if self.sockets.get(socket.sid) is socket:
            del self.sockets[socket.sid]
            self.places.free(socket.place)

    def watch(self, socket: EngineSocket) -> None:
        """It cannot take what it is sent."""
        self._slow[socket] = None

    async def stop(self) -> None:
        """End the heartbeat and what is under way."""
        self.heartbeat.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look_after_slow(self, seconds: float) -> None:
        """Being behind counts up, being level counts down half as fast; whoever stays behind is cut."""
        for socket in tuple(self._slow):
            behind = socket.connection is not None and socket.connection.paused
            socket.slowness += seconds if behind else -seconds / 2
            if socket.slowness > self.patience_seconds:
                socket.cut(TOO_SLOW)
            if socket.slowness <= 0 or socket.finishing:
                socket.slowness = 0.0
                self._slow.pop(socket, None)

    # --- requests

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call: the handshake of a WebSocket, or a request of a client that polls."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        sid = query.get("sid", [""])[0]
        try:
            if query.get("EIO") != ["4"] or "j" in query:
                raise TransportRefused
            if scope["type"] == "websocket":
                await self._take_websocket(scope, sid, query)
            else:
                await respond(send, 200, await self._take_poll(scope, receive, sid, query))
        except FootlightError as refused:
            await refuse(scope, receive, send, status_of(refused), refused)

    async def _take_websocket(self, scope: Scope, sid: str, query: dict[str, list[str]]) -> None:
        connection = scope.get("extensions", {}).get(EXTENSION)
        if query.get("transport") != ["websocket"] or not isinstance(connection, Connection):
            raise TransportRefused
        if sid:
            socket = self._session(sid)
            if socket.polls is None or socket.finishing:
                raise SessionUnknown
            connection.accept(Upgrade(socket, connection))
            return
        socket = self._new_socket(scope)
        if connection.accept(socket, message_frame(self._opening(socket, []))):
            socket.attach(connection)
            await self._begin(socket, scope)
        else:
            self.forget(socket)

    async def _take_poll(self, scope: Scope, receive: Receive, sid: str, query: dict[str, list[str]]) -> bytes:
        if query.get("transport") != ["polling"]:
            raise TransportRefused
        if scope["method"] == "POST":
            socket = self._session(sid)
            await self._take_payload(socket, receive)
            return b"ok"
        if scope["method"] != "GET":
            raise TransportRefused
        if sid:
            return encode_payload(await self._poll(self._session(sid), receive))
        socket = self._new_socket(scope)
        socket.polls, socket.connected = Polls(), True
        socket.offer(self._opening(socket, ["websocket"]))
        await self._begin(socket, scope)
        return encode_payload(socket.polls.take())

    async def _poll(self, socket: EngineSocket, receive: Receive) -> list[str | bytes]:
        if socket.polls is None or socket.upgrading:
            return [NOOP]  # what there is comes by the WebSocket
        return await socket.polls.poll(self.ping_interval + self.ping_timeout, departure(receive)) or [NOOP]

    async def _take_payload(self, socket: EngineSocket, receive: Receive) -> None:
        body = await body_of(receive)
        if socket.finishing:
            raise TransportRefused
        try:
            for packet in decode_payload(body):
                socket.take(packet)
        except Garbage:
            await socket.close(reason=self.reason.TRANSPORT_ERROR)
            raise TransportRefused from None

    # --- sessions

    def _session(self, sid: str) -> EngineSocket:
        socket = self.sockets.get(sid)
        if socket is None or not socket.connected:
            raise SessionUnknown
        return socket

    def _new_socket(self, scope: Scope) -> EngineSocket:
        place = self.places.take(scope.get("state", {}).get("address", ""))
        sid = self.generate_id()
        socket = self.sockets[sid] = EngineSocket(self, sid)
        socket.place = place
        return socket

    def _opening(self, socket: EngineSocket, upgrades: list[str]) -> str:
        opening = {
            "sid": socket.sid,
            "upgrades": upgrades,
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": MAX_FRAME_BYTES,
        }
        return f"{engine_packet.OPEN}{msgspec.json.encode(opening).decode()}"

    async def _begin(self, socket: EngineSocket, scope: Scope) -> None:
        await self._trigger_event("connect", socket.sid, environ_of(scope), run_async=False)
        self.heartbeat.ask(socket, self.connect_seconds)


async def departure(receive: Receive) -> None:
    """Returns when the client of a request is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def environ_of(scope: Scope) -> dict[str, Any]:
    """What python-socketio's handlers know of the request."""
    environ = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "PATH_INFO": scope["path"],
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "REMOTE_ADDR": scope.get("state", {}).get("address", (scope.get("client") or ("",))[0]),
    }
    for name, value in scope["headers"]:
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        known = environ.get(key)
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = value.decode("latin-1") if known is None else f"{known}{separator}{value.decode('latin-1')}"
    return environ


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request; raises `TransportRefused` when it is too large or ends early."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_FRAME_BYTES or message["type"] == "http.disconnect":
            raise TransportRefused
        if not message.get("more_body"):
            return bytes(body)


def status_of(error: FootlightError) -> int:
    """The HTTP status of what a handshake or poll is refused for."""
    kinds = {TooMany: 429, Unavailable: 503, TooLarge: 413}
    return next((status for kind, status in kinds.items() if isinstance(error, kind)), 400)


async def respond(
    send: Send, status: int, body: bytes, kind: bytes = b"text/plain; charset=UTF-8", more: Sequence[Header] = ()
) -> None:
    """An answer to a client that polls."""
    headers: list[Header] = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, error: FootlightError) -> None:
    """Answer a request, or the handshake of a WebSocket, with an error in the one shape all of Footlight uses."""
    body = msgspec.json.encode({"error": error.as_dict()})
    more = () if error.retry_after_ms is None else ((b"retry-after", b"%d" % -(-error.retry_after_ms // 1000)),)
    if scope["type"] != "websocket":
        await respond(send, status, body, b"application/json", more)
        return
    await receive()  # the handshake
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return

    async def before_upgrade(message: MutableMapping[str, Any]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await respond(before_upgrade, status, body, b"application/json", more)
