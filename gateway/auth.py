"""Who is asking, before anything else is decided: bearer token or cookie, and where a cookie may be used from.

A cookie travels with every request a browser makes, also with one that another site caused. So a request that changes
something and is authenticated by cookie must come from an origin of ours; the bearer header cannot be forged that way.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE, read_cookies
from accounts.model import Identity
from gateway.asgi import ASGIApp, Receive, Scope, Send, header, headers
from gateway.limits import Limits, RateExceeded
from gateway.middleware import Answer, refuse
from infra.errors import FootlightError, Forbidden, Unauthenticated, Unavailable

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Identify = Callable[[str], Awaitable[Identity]]


class OriginRefused(Forbidden):
    code = "auth.origin"
    message = "This request did not come from one of our own pages."


class Authentication:
    """Puts `identity`, or `auth_error` when a token was sent that does not hold or cannot be checked."""

    def __init__(self, app: ASGIApp, identify: Identify, origins: Sequence[str]) -> None:
        self._app = app
        self._identify = identify
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        state["identity"] = state["auth_error"] = None
        bearer, cookies = bearer_token(scope), read_cookies(headers(scope, b"cookie"))
        if not bearer and cookies.keys() & {ACCESS_COOKIE, REFRESH_COOKIE} and scope["method"] not in SAFE_METHODS:
            self._check_origin(scope)
        if token := bearer or cookies.get(ACCESS_COOKIE):
            try:
                state["identity"] = await self._identify(token)
            except (Unauthenticated, Unavailable) as refused:  # an outage must not take public pages from a reader
                state["auth_error"] = refused
        await self._app(scope, receive, send)

    def _check_origin(self, scope: Scope) -> None:
        origin = header(scope, b"origin")
        if origin in self._origins:
            return
        if not origin and header(scope, b"sec-fetch-site") == "same-origin":
            return
        raise OriginRefused(origin=origin or None)


# Sixty emotes are sixty pictures of one page: they count for the address alone.
PICTURE = re.compile(r"/api/v1/channels/[^/]+/emotes/[^/]+/image")


# Stripe sends thousands of events from a dozen addresses, and may not be kept waiting: a signature keeps others out.
UNCOUNTED = "/api/v1/webhooks/stripe"


class RateLimit:
    """Counts a request, or the handshake of a socket, for its user and address; refuses it when there were too many.

    Every answer to a counted request says what is left, a refusal too.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == UNCOUNTED:
            await self._app(scope, receive, send)
            return
        identity: Identity | None = None if PICTURE.fullmatch(scope["path"]) else scope["state"].get("identity")
        try:
            allowance = await self._limits.take(scope["state"]["address"], identity.user_id if identity else None)
        except RateExceeded as refused:
            await refuse(scope, receive, send, refused, refused.allowance.headers())
            return
        if allowance is None or scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        answer = Answer(send, allowance.headers())
        try:
            await self._app(scope, receive, answer)
        except FootlightError as refused:
            await answer.fail(refused)


def bearer_token(scope: Scope) -> str:
    """The token of an `Authorization: Bearer` header, or ''."""
    kind, _, token = header(scope, b"authorization").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
