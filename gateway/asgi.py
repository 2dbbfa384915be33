"""The few ASGI words everything in the gateway uses."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from infra.errors import (
    Conflict,
    FootlightError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]  # frameworks type the three more narrowly, each its own way
Header = tuple[bytes, bytes]

STATUS: tuple[tuple[type[FootlightError], int], ...] = (
    (Invalid, 400),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (TooMany, 429),
    (Unavailable, 503),
)


def status_of(error: FootlightError) -> int:
    """The HTTP status of a kind of error; 500 for what has no kind."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def header(scope: Scope, name: bytes) -> str:
    """The first value of a request header, or ''."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def headers(scope: Scope, name: bytes) -> list[str]:
    """All values of a request header, in order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


async def respond(send: Send, status: int, body: bytes, content_type: str, more: Iterable[Header] = ()) -> None:
    """Send one whole answer."""
    fields = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def respond_error(send: Send, error: FootlightError, status: int | None = None) -> None:
    """Send an error in the one shape all of Footlight uses."""
    body = msgspec.json.encode({"error": error.as_dict()}, enc_hook=str)
    more: list[Header] = [(b"cache-control", b"no-store")]
    if error.retryable:
        seconds = max(1, -(-(error.retry_after_ms or 1000) // 1000))
        more.append((b"retry-after", str(seconds).encode()))
    await respond(send, status or status_of(error), body, "application/json", more)
