"""The ASGI door of `/socket.io`: who may knock. What passes speaks Engine.IO 4, or is told inside that it does not."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from accounts.cookies import read_cookies
from realtime.errors import OriginRefused
from realtime.wire.engine import App, Header, Receive, Scope, Send, refuse, respond

PREFLIGHT_SECONDS = b"600"


class Door:
    """Refuses foreign pages in words a client can read, before a session exists."""

    def __init__(self, inside: App, origins: Sequence[str], cookie: str) -> None:
        self._inside = inside
        self._cookie = cookie
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        if not self._welcome(scope, origin):
            await refuse(scope, receive, send, 403, OriginRefused(origin=origin or None))
        elif scope["type"] == "websocket":
            await self._inside(scope, receive, send)
        else:
            answer = with_headers(send, cors(origin)) if origin else send
            if scope["method"] == "OPTIONS":
                await respond(answer, 200, b"")
            else:
                await self._inside(scope, receive, answer)

    def _welcome(self, scope: Scope, origin: str) -> bool:
        if origin:
            return origin in self._origins
        if scope["type"] == "websocket":
            # Browsers name their origin on every WebSocket. Whoever brings our cookie and no origin hides something.
            return self._cookie not in read_cookies(values(scope, b"cookie"))
        # A browser names no origin for GET within a site; what comes from another site it marks.
        return header(scope, b"sec-fetch-site") in {"", "same-origin", "none"}


def cors(origin: str) -> list[Header]:
    """What lets a page of ours that polls read the answer."""
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
        (b"vary", b"origin"),
    ]


def with_headers(send: Send, more: list[Header]) -> Send:
    """A `send` that adds headers to the answer."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sent


def header(scope: Scope, name: bytes) -> str:
    """All values of one header, joined."""
    return ", ".join(values(scope, name))


def values(scope: Scope, name: bytes) -> list[str]:
    """The values of one header, in order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
