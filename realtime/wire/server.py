"""python-socketio's server on our engine, hardened: what a client may send, in which order, and nothing else.

Its public interface works as ever (`on`, `emit`, `call`, rooms, namespaces, sessions). Given an `Application`, the
default namespace belongs to that, and bodies reach it as undecoded JSON. Events of one client are handled one after
another. `connect` and `disconnect` can only happen, not be sent. Nothing of the library is patched.
"""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import socketio
from socketio.exceptions import ConnectionRefusedError as SocketRefused

from infra.errors import FootlightError
from realtime.wire.engine import Engine
from realtime.wire.frames import MAX_FRAME_BYTES, Garbage, Kind, Packet, ack_frame, parse_packet, plain
from realtime.wire.namespaces import Namespaces
from realtime.wire.socket import EngineSocket

PING_INTERVAL_SECONDS = 25
PING_TIMEOUT_SECONDS = 20
MAX_CONNECT_ATTEMPTS = 3  # of one socket, for each namespace it may be in
MAX_NAMESPACES = 4
MAX_ATTACHED_BYTES = 256 * 1024


class Application(Protocol):
    """What the wire talks to. `sid` names one connected client."""

    async def opened(self, sid: str, socket: EngineSocket, cookies: str, auth: msgspec.Raw | None) -> None:
        """Raise a `FootlightError` to refuse the client; it then reads the error in `connect_error`."""
        ...

    async def heard(self, sid: str, name: str, body: msgspec.Raw | None) -> bytes:
        """Handle one event and return its acknowledgement as JSON; never raises for what a client did."""
        ...

    async def gone(self, sid: str, reason: str) -> None:
        """Called once for every client that `opened` accepted."""
        ...


class Awaited:
    """A packet whose binary attachments are on their way."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.attachments: list[bytes] = []

    def add(self, attachment: bytes) -> bool:
        """True when it is whole; raises `Garbage` when it grows too large."""
        self.attachments.append(attachment)
        if sum(map(len, self.attachments)) > MAX_ATTACHED_BYTES:
            raise Garbage("attachments too large")
        return len(self.attachments) == self.packet.attachments


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # socketio has no types
    """Socket.IO for one `Application`, or for handlers registered as python-socketio documents it."""

    def __init__(self, application: Application | None = None, **options: Any) -> None:
        given = {
            "ping_interval": PING_INTERVAL_SECONDS,
            "ping_timeout": PING_TIMEOUT_SECONDS,
            **options,
        }
        super().__init__(
            client_manager=Namespaces(),
            async_mode="asgi",
            async_handlers=True,  # lets `call` be used; `_take_packet` keeps the order all the same
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
            monitor_clients=False,
            cors_allowed_origins=[],  # decided in `door.py`, before this is reached
            max_http_buffer_size=MAX_FRAME_BYTES,
            **given,
        )
        self._application = application
        self._attempts: dict[str, int] = {}
        self._awaited: dict[str, Awaited] = {}
        self.eio.take_message = self._take_message
        self.eio.take_answer = self._take_answer
        if application is not None:
            self._serve(application)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # --- what a client sends

    async def _take_message(self, socket: EngineSocket, message: str | bytes) -> None:
        awaited = self._awaited.get(socket.sid)
        if isinstance(message, bytes):
            if awaited is None:
                raise Garbage("binary message")
            if awaited.add(message):
                del self._awaited[socket.sid]
                await self._take_packet(socket, awaited.packet, awaited.attachments)
        elif awaited is not None:
            raise Garbage("attachment missing")
        else:
            packet = parse_packet(message)
            if packet.attachments:
                if self._sid(socket, packet) is None:
                    raise Garbage("packet out of order")
                self._awaited[socket.sid] = Awaited(packet)
            else:
                await self._take_packet(socket, packet, ())

    async def _take_packet(self, socket: EngineSocket, packet: Packet, attachments: Sequence[bytes]) -> None:
        sid = self._sid(socket, packet)
        if packet.kind is Kind.CONNECT:
            if sid is not None:
                raise Garbage("connected already")
            await self._take_connect(socket, packet)
        elif sid is None:
            if not socket.joined:
                raise Garbage("packet out of order")
            socket.strike("packet for a namespace it is not in")  # it may have crossed our DISCONNECT
        elif packet.kind is Kind.DISCONNECT:
            await self._take_disconnect(socket, packet)
        elif packet.kind in {Kind.ACK, Kind.BINARY_ACK}:
            self._answer(socket, sid, packet, attachments)
        elif self._application is not None and packet.namespace == "/":
            await self._hear(socket, sid, packet, self._application)
        else:
            arguments = [plain(element, attachments) for element in packet.elements]
            event = [packet.name, *arguments]
            await self._handle_event_internal(self, sid, socket.sid, event, packet.namespace, packet.ack)

    async def _hear(self, socket: EngineSocket, sid: str, packet: Packet, application: Application) -> None:
        if len(packet.elements) > 1:
            raise Garbage("arguments")
        answer = await application.heard(sid, packet.name, packet.elements[0] if packet.elements else None)
        if packet.ack is not None:
            socket.offer(ack_frame(packet.ack, answer))

    def _take_answer(self, socket: EngineSocket, text: str) -> None:
        packet = parse_packet(text)
        sid = self._sid(socket, packet)
        if sid is None:
            socket.strike("acknowledgements nobody asked for")
        else:
            self._answer(socket, sid, packet, ())

    def _answer(self, socket: EngineSocket, sid: str, packet: Packet, attachments: Sequence[bytes]) -> None:
        if packet.ack in self.manager.callbacks.get(sid, {}) and packet.ack != 0:  # 0 is the library's own counter
            arguments = [plain(element, attachments) for element in packet.elements]
            self.eio.spawn(self.manager.trigger_callback(sid, packet.ack, arguments))
        else:
            socket.strike("acknowledgements nobody asked for")

    async def _take_connect(self, socket: EngineSocket, packet: Packet) -> None:
        attempts = self._attempts[socket.sid] = self._attempts.get(socket.sid, 0) + 1
        if attempts > MAX_CONNECT_ATTEMPTS * MAX_NAMESPACES or (not socket.joined and attempts > MAX_CONNECT_ATTEMPTS):
            raise Garbage("too many connects")
        auth: Any = packet.body
        if packet.body is not None and not (self._application is not None and packet.namespace == "/"):
            auth = plain(packet.body, ())
        await self._handle_connect(socket.sid, packet.namespace, auth)
        if self._sid(socket, packet) is not None:
            socket.joined = True

    async def _take_disconnect(self, socket: EngineSocket, packet: Packet) -> None:
        await self._handle_disconnect(socket.sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        if self._application is not None and packet.namespace == "/":
            socket.finish(self.reason.CLIENT_DISCONNECT)

    def _sid(self, socket: EngineSocket, packet: Packet) -> str | None:
        """Who the socket is in the packet's namespace; None while it is not connected to it."""
        sid: str | None = self.manager.sid_from_eio_sid(socket.sid, packet.namespace)
        return sid if sid is not None and self.manager.is_connected(sid, packet.namespace) else None

    # --- the application's namespace

    def _serve(self, application: Application) -> None:
        async def opened(sid: str, environ: dict[str, Any], auth: msgspec.Raw | None) -> None:
            eio_sid = self.manager.eio_sid_from_sid(sid, "/")
            try:
                await application.opened(sid, self.eio.sockets[eio_sid], environ.get("HTTP_COOKIE", ""), auth)
            except FootlightError as refused:
                raise SocketRefused(refused.message, refused.as_dict()) from refused
            self.environ[eio_sid] = {}  # nobody asks for it again: 3 KB a client

        self.on("connect", opened)
        self.on("disconnect", application.gone)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._attempts.pop(eio_sid, None)
        self._awaited.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)
