"""python-socketio's server, hardened: what a client may send, in which order, and nothing else.

Events of one client are handled one after another. `connect` and `disconnect` can only happen, not be sent; packets
with attachments, other namespaces and acknowledgements nobody asked for end the socket. Nothing of the library is
patched: engineio hard-codes its socket class in `_handle_connect`, so that method is overridden.
"""

import logging
from typing import Any, Protocol

import engineio
import msgspec
import socketio
from engineio import packet as engine_packet
from socketio.exceptions import ConnectionRefusedError as SocketRefused

from infra.errors import FootlightError
from realtime.wire.frames import MAX_FRAME_BYTES, Garbage, Kind, Packet, ack_frame, parse_packet
from realtime.wire.socket import BoundedSocket

PING_INTERVAL_SECONDS = 25
PING_TIMEOUT_SECONDS = 20
CONNECT_SECONDS = 10.0
MAX_CONNECT_ATTEMPTS = 3


class Application(Protocol):
    """What the wire talks to. `sid` names one connected client."""

    async def opened(self, sid: str, socket: BoundedSocket, cookies: str, auth: msgspec.Raw | None) -> None:
        """Raise a `FootlightError` to refuse the client; it then reads the error in `connect_error`."""
        ...

    async def heard(self, sid: str, name: str, body: msgspec.Raw | None) -> bytes:
        """Handle one event and return its acknowledgement as JSON; never raises for what a client did."""
        ...

    async def gone(self, sid: str, reason: str) -> None:
        """Called once for every client that `opened` accepted."""
        ...


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # engineio has no types
    """Engine.IO over WebSocket only, with our socket class."""

    connect_seconds = CONNECT_SECONDS
    take_message: Any  # set by SocketServer

    def create_queue(self, *args: Any, **kwargs: Any) -> None:
        """Our sockets keep their own bounded queue."""

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        sid = self.generate_id()
        socket = self.sockets[sid] = BoundedSocket(self, sid)
        opening = {
            "sid": sid,
            "upgrades": [],
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        socket.offer(engine_packet.Packet(engine_packet.OPEN, opening).encode())
        await self._trigger_event("connect", sid, environ, run_async=False)
        socket.schedule_ping()
        socket.connect_within(self.connect_seconds)
        try:
            return await self._async["websocket"](socket._websocket_handler, self)(environ)
        finally:
            self.sockets.pop(sid, None)


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # socketio has no types
    """Socket.IO on the default namespace for one `Application`."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            async_mode="asgi",
            async_handlers=False,
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
            monitor_clients=False,
            transports=["websocket"],
            allow_upgrades=False,
            http_compression=False,
            cors_allowed_origins=[],  # decided in `door.py`, before this is reached
            max_http_buffer_size=MAX_FRAME_BYTES,
            ping_interval=PING_INTERVAL_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
        )
        self._application = application
        self._attempts: dict[str, int] = {}
        self.eio.take_message = self._take_message
        self.on("connect", self._opened)
        self.on("disconnect", self._gone)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _take_message(self, socket: BoundedSocket, text: str) -> None:
        packet = parse_packet(text)
        sid = self.manager.sid_from_eio_sid(socket.sid, "/")
        connected = sid is not None and self.manager.is_connected(sid, "/")
        if packet.kind is Kind.CONNECT and not connected:
            await self._take_connect(socket, packet)
        elif packet.kind is Kind.EVENT and connected:
            answer = await self._application.heard(sid, packet.name, packet.body)
            if packet.ack is not None:
                socket.offer(ack_frame(packet.ack, answer))
        elif packet.kind is Kind.DISCONNECT and connected:
            await self._handle_disconnect(socket.sid, "/", self.reason.CLIENT_DISCONNECT)
            socket.finish(self.reason.CLIENT_DISCONNECT)
        else:
            raise Garbage("packet out of order")

    async def _take_connect(self, socket: BoundedSocket, packet: Packet) -> None:
        attempts = self._attempts[socket.sid] = self._attempts.get(socket.sid, 0) + 1
        if attempts > MAX_CONNECT_ATTEMPTS:
            raise Garbage("too many connects")
        await self._handle_connect(socket.sid, "/", packet.body)

    async def _opened(self, sid: str, environ: dict[str, Any], auth: msgspec.Raw | None) -> None:
        socket = self.eio.sockets[self.manager.eio_sid_from_sid(sid, "/")]
        try:
            await self._application.opened(sid, socket, environ.get("HTTP_COOKIE", ""), auth)
        except FootlightError as refused:
            raise SocketRefused(refused.message, refused.as_dict()) from refused
        socket.connected_in_time()

    async def _gone(self, sid: str, reason: str) -> None:
        await self._application.gone(sid, reason)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._attempts.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)
