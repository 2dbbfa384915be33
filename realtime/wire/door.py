"""The ASGI door of `/socket.io`: who may knock, and how. What passes is a WebSocket handshake of Engine.IO 4."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from accounts.cookies import read_cookies
from infra.errors import FootlightError
from realtime.errors import OriginRefused, WebSocketOnly

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """Refuses polling and foreign pages in words a client can read, before a session exists."""

    def __init__(self, inside: App, origins: Sequence[str], cookie: str) -> None:
        self._inside = inside
        self._cookie = cookie
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin, signed_in = header(scope, b"origin"), self._cookie in read_cookies(values(scope, b"cookie"))
        if (origin and origin not in self._origins) or (signed_in and not origin):
            # Browsers name their origin on every WebSocket. Whoever brings our cookie and no origin hides something.
            await _refuse(scope, receive, send, 403, OriginRefused(origin=origin or None))
        elif scope["type"] != "websocket" or not _speaks_engine_io_4(scope):
            await _refuse(scope, receive, send, 400, WebSocketOnly(), self._cors(origin))
        else:
            await self._inside(scope, receive, send)

    def _cors(self, origin: str) -> list[tuple[bytes, bytes]]:
        """So that a page of ours that polls by mistake can read why it was refused."""
        if not origin:
            return []
        return [
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"origin"),
        ]


def header(scope: Scope, name: bytes) -> str:
    """All values of one header, joined."""
    return ", ".join(values(scope, name))


def values(scope: Scope, name: bytes) -> list[str]:
    """The values of one header, in order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _speaks_engine_io_4(scope: Scope) -> bool:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query.get("EIO") == ["4"] and query.get("transport") == ["websocket"] and "sid" not in query


async def _refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    error: FootlightError,
    more: list[tuple[bytes, bytes]] | None = None,
) -> None:
    kind = "http"
    if scope["type"] == "websocket":
        await receive()  # the handshake
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http"
    body = msgspec.json.encode({"error": error.as_dict()})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(more or [])]
    await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
