"""What other web origins may do: exactly those of `FOOTLIGHT_ORIGINS` call the API with cookies and read the answers.

A page of any other origin gets no such header, and its browser keeps the answer from it.
"""

from collections.abc import Sequence

from gateway.asgi import ASGIApp, Header, Receive, Scope, Send, header
from gateway.middleware import Answer
from infra.errors import FootlightError

METHODS = b"GET, POST, PATCH, PUT, DELETE"
REQUEST_HEADERS = b"authorization, content-type, idempotency-key, x-request-id"
EXPOSED = b"ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id"
PREFLIGHT_SECONDS = b"600"
VARY: Header = (b"vary", b"origin")


class Cors:
    """Answers preflights, and lets the pages of known origins read answers, refusals too."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        if origin not in self._origins:
            answer = Answer(send, [VARY])
        else:
            answer = Answer(send, [VARY, *_allowed(origin), (b"access-control-expose-headers", EXPOSED)])
            if scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method"):
                scope["state"]["route"] = "preflight"
                await _preflight(Answer(send, [VARY, *_allowed(origin)]))
                return
        try:
            await self._app(scope, receive, answer)
        except FootlightError as refused:
            await answer.fail(refused)


def _allowed(origin: str) -> list[Header]:
    return [(b"access-control-allow-origin", origin.encode()), (b"access-control-allow-credentials", b"true")]


async def _preflight(send: Send) -> None:
    fields = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", REQUEST_HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": fields})
    await send({"type": "http.response.body", "body": b""})
