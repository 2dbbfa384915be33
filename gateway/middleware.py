"""What every request passes, from the outside in: name it, bound it, answer for it.

`Boundary` gives the request its id and address, writes one log line and one metric when it is answered, and turns
anything that was raised into the error shape. `BodyLimit` bounds what a request may send and how long it may take.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

import msgspec

from api.errors import status_of
from gateway.addresses import TrustedProxies
from gateway.asgi import ASGIApp, Header, Message, Receive, Scope, Send, header, headers, respond
from infra.clock import new_id
from infra.errors import FootlightError, Invalid, TooLarge
from infra.logs import correlated, get_logger
from infra.metrics import Metrics

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
BODY_SECONDS = 30.0  # the longest silence in the middle of a body

log = get_logger(__name__)


class BodyTooLarge(TooLarge):
    code = "request.body_too_large"
    message = "The request body is too large."


class BodyTooSlow(Invalid):
    code = "request.body_too_slow"
    message = "The request body did not arrive in time."


class BodyCutShort(Invalid):
    """Nobody is there to read this; it keeps the departure of a client from looking like a failure of ours."""

    code = "request.body_cut_short"
    message = "The connection ended before the request body did."


class Boundary:
    """The outermost layer of HTTP."""

    def __init__(
        self, app: ASGIApp, proxies: TrustedProxies, metrics: Metrics, more_headers: Sequence[Header] = ()
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._metrics = metrics
        self._headers = more_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = (scope.get("client") or ("unknown", 0))[0]
        state = scope.setdefault("state", {})
        state["peer"] = peer
        state["address"] = self._proxies.client_of(peer, headers(scope, b"x-forwarded-for"))
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claimed = header(scope, b"x-request-id")
        request_id = claimed if REQUEST_ID.fullmatch(claimed) else new_id()
        answer = Answer(send, [(b"x-request-id", request_id.encode()), *self._headers])
        with correlated(request_id):
            await self._answered(scope, receive, answer)

    async def _answered(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except FootlightError as error:
            await answer.fail(error)
        except Exception:  # the last boundary: whatever it was, the client gets a clean answer and we get the traceback
            log.exception("request.failed", path=scope["path"])
            await answer.fail(FootlightError())
        seconds = time.perf_counter() - started
        route = scope["state"].get("route") or scope.get("path_template") or "static"
        self._metrics.request(scope["method"], route, answer.status, seconds)
        write = log.error if answer.status >= 500 else log.debug if route == "static" else log.info
        write(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=answer.status,
            ms=round(seconds * 1000, 1),
            address=scope["state"]["address"],
        )


class Answer:
    """A `send` that remembers whether and what was answered, and adds headers to it."""

    def __init__(self, send: Send, more: Sequence[Header]) -> None:
        self._send = send
        self._more = more
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._more]}
        await self._send(message)

    async def fail(self, error: FootlightError) -> None:
        """Answer with an error, if nothing was answered yet."""
        if not self.status:
            await respond_error(self, error)


def security_headers(*, edge_origin: str, secure: bool, storage_origin: str = "") -> list[Header]:
    """Headers that make a browser refuse what our pages never do. They send files to `storage_origin`."""
    policy = (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob: {edge_origin}; "
        f"media-src 'self' blob: {edge_origin}; connect-src 'self' ws: wss: {edge_origin} {storage_origin}; "
        "worker-src 'self' blob:; font-src 'self' data:; object-src 'none'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    always: list[Header] = [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    return [*always, (b"strict-transport-security", b"max-age=31536000; includeSubDomains")] if secure else always


class BodyLimit:
    """Refuses a body that is announced too large, grows too large, or stops arriving.

    `forms`: paths where a form may be larger, and how large; their handlers read it piece by piece.
    `files`: beginnings of content types that may be larger anywhere: handlers that take none of them read no body.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        forms: Mapping[str, int] | None = None,
        files: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._forms = forms or {}
        self._files = files or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._limit(scope)
        announced = header(scope, b"content-length")
        if announced.isdigit() and int(announced) > max_bytes:
            raise BodyTooLarge(max_bytes=max_bytes)
        await self._app(scope, _bounded(receive, max_bytes), send)

    def _limit(self, scope: Scope) -> int:
        kind = header(scope, b"content-type").lower()
        if kind.startswith("multipart/form-data"):
            return self._forms.get(scope["path"].rstrip("/"), self._max_bytes)
        larger = [max_bytes for beginning, max_bytes in self._files.items() if kind.startswith(beginning)]
        return max([self._max_bytes, *larger])


def _bounded(receive: Receive, max_bytes: int) -> Receive:
    got, complete = 0, False

    async def take() -> Message:
        nonlocal got, complete
        if complete:  # the application waits for the client to go away: that may take long
            return await receive()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow from None
        if message["type"] == "http.disconnect":
            raise BodyCutShort
        got += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if got > max_bytes:
            raise BodyTooLarge(max_bytes=max_bytes)
        return message

    return take


async def refuse(
    scope: Scope, receive: Receive, send: Send, error: FootlightError, more: Sequence[Header] = ()
) -> None:
    """Answer a request, or the handshake of a socket, with an error."""
    if scope["type"] == "websocket":
        await receive()  # the handshake
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _before_upgrade(send)
    await respond_error(Answer(send, more), error)


def _before_upgrade(send: Send) -> Send:
    async def translated(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return translated


async def respond_error(send: Send, error: FootlightError) -> None:
    """Send an error in the one shape all of Footlight uses."""
    body = msgspec.json.encode({"error": error.as_dict()}, enc_hook=str)
    more: list[Header] = [(b"cache-control", b"no-store")]
    if error.retryable:
        seconds = max(1, -(-(error.retry_after_ms or 1000) // 1000))
        more.append((b"retry-after", str(seconds).encode()))
    await respond(send, status_of(type(error)), body, "application/json", more)
