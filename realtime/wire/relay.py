"""Requests of a session that lives on another node are passed on to that node, once.

A session's id begins with the name of the node that opened it. The name is all we take from the client: where the node
is, the nodes tell each other. What a node is passed on arrives at a door of its own (`OwnSessions`), which opens no
session and passes nothing on.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import aiohttp

from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from realtime.errors import SessionUnknown, TransportRefused
from realtime.wire.connection import EXTENSION, Connection
from realtime.wire.engine import (
    NAME_CHARACTERS,
    App,
    Receive,
    Scope,
    Send,
    body_of,
    departure,
    refuse,
    respond,
    status_of,
)
from realtime.wire.places import Places
from realtime.wire.tunnel import open_tunnel

MAX_RELAYED = 1000  # at once: each holds a descriptor more than a session of our own
POLL_SECONDS = 55.0  # the other node answers a poll within 45
CONNECT_SECONDS = 2.0
PASSED_ON = (b"origin", b"cookie", b"sec-fetch-site", b"sec-websocket-key")  # what the other node's door looks at
SESSION_ID = re.compile(rf"[0-9a-f]{{{NAME_CHARACTERS}}}[A-Za-z0-9_-]{{22}}")

AddressOf = Callable[[str], Awaitable[tuple[str, int] | None]]
log = get_logger(__name__)


class Relay:
    """Stands before the engine of the node called `name`. Use as a context manager; leaving it ends what is passed."""

    def __init__(self, inside: App, name: str, address_of: AddressOf, places: Places) -> None:
        self._inside = inside
        self._name = name
        self._address_of = address_of
        self._places = places
        self._relaying = 0
        self._http = aiohttp.ClientSession(
            # A kept connection may end under a POST, which must not be sent twice.
            connector=aiohttp.TCPConnector(limit=MAX_RELAYED, force_close=True),
            timeout=aiohttp.ClientTimeout(total=POLL_SECONDS, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> "Relay":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sid = session_of(scope)
        if sid is None or sid.startswith(self._name):
            await self._inside(scope, receive, send)
            return
        try:
            if self._relaying >= MAX_RELAYED:
                raise Unavailable
            host, port = await self._find(sid)
            if scope["type"] == "websocket":
                await self._pass_websocket(scope, sid, host, port)
            else:
                await self._pass_request(scope, receive, send, sid, host, port)
        except FootlightError as refused:
            await refuse(scope, receive, send, status_of(refused), refused)

    async def _find(self, sid: str) -> tuple[str, int]:
        try:
            address = await self._address_of(sid[:NAME_CHARACTERS])
        except Unavailable as failure:  # which part it was is for our logs, not for clients
            log.info("relay.unavailable", code=failure.code)
            raise Unavailable from failure
        if address is None:
            raise SessionUnknown
        return address

    async def _pass_request(self, scope: Scope, receive: Receive, send: Send, sid: str, host: str, port: int) -> None:
        body = await body_of(receive) if scope["method"] == "POST" else None
        url = f"http://{_bracketed(host)}:{port}/socket.io/?EIO=4&transport=polling&sid={sid}"
        self._relaying += 1
        try:
            asking = asyncio.ensure_future(self._ask(scope, url, body))
            left = asyncio.ensure_future(departure(receive))
            await asyncio.wait({asking, left}, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            if not asking.done():  # nobody is there for the answer: the other node keeps what it would have given
                asking.cancel()
                return
            status, found, kind = asking.result()
        except (aiohttp.ClientError, TimeoutError) as failure:  # its node is gone: the client connects anew
            raise SessionUnknown from failure
        finally:
            self._relaying -= 1
        await respond(send, status, found, kind)

    async def _ask(self, scope: Scope, url: str, body: bytes | None) -> tuple[int, bytes, bytes]:
        headers = {name.decode(): value.decode("latin-1") for name, value in _passed_on(scope)}
        async with self._http.request(
            scope["method"], url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return (
                answer.status,
                await answer.read(),
                answer.headers.get("content-type", "text/plain").encode("latin-1"),
            )

    async def _pass_websocket(self, scope: Scope, sid: str, host: str, port: int) -> None:
        connection = scope.get("extensions", {}).get(EXTENSION)
        if not isinstance(connection, Connection):
            raise TransportRefused
        place = self._places.take(scope.get("state", {}).get("address", ""))
        self._relaying += 1

        def ended() -> None:
            self._relaying -= 1
            self._places.free(place)

        lines = [
            f"GET /socket.io/?EIO=4&transport=websocket&sid={sid} HTTP/1.1".encode(),
            f"host: {_bracketed(host)}:{port}".encode(),
            b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13",
            *(name + b": " + value for name, value in _passed_on(scope)),
        ]
        try:
            await open_tunnel(host, port, b"\r\n".join(lines) + b"\r\n\r\n", connection, ended)
        except BaseException:
            ended()
            raise


class OwnSessions:
    """The door for other nodes: requests of sessions that live here, and nothing else."""

    def __init__(self, inside: App, name: str) -> None:
        self._inside = inside
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sid = session_of(scope)
        if sid is None or not sid.startswith(self._name):
            await refuse(scope, receive, send, 400, SessionUnknown())
        else:
            await self._inside(scope, receive, send)


def session_of(scope: Scope) -> str | None:
    """The session a well-formed request belongs to; None is for the engine to open or refuse."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    sid = query.get("sid", [""])[0]
    transport, methods = ("websocket", (None,)) if scope["type"] == "websocket" else ("polling", ("GET", "POST"))
    fits = query.get("EIO") == ["4"] and query.get("transport") == [transport] and scope.get("method") in methods
    return sid if fits and SESSION_ID.fullmatch(sid) else None


def _passed_on(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in scope["headers"] if name in PASSED_ON]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
