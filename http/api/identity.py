"""Who is asking, for handlers: dependencies and guards over what the gateway found out.

The gateway puts into the request's state `identity` (a valid token's owner, or None) and `auth_error` (why a token that
was sent does not hold or cannot be checked just now, or None). An endpoint that needs a user raises the latter.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from accounts.model import Identity
from api.errors import AnyRequest
from infra.errors import FootlightError, Unauthenticated, Unavailable

Connection = ASGIConnection[Any, Any, Any, Any]


async def maybe_identity(request: AnyRequest) -> Identity | None:
    """Who is asking, or None: nobody, or somebody whose token is over; raises `Unavailable` when we cannot know."""
    state: dict[str, Any] = request.scope["state"]
    if isinstance(error := state.get("auth_error"), Unavailable):
        raise error
    return _found(request)


async def identity(request: AnyRequest) -> Identity:
    """Who is asking; raises `Unauthenticated`, or the reason why the token does not hold."""
    return _required(request)


async def client_address(request: AnyRequest) -> str:
    """The client's address as the gateway understands it (behind trusted proxies)."""
    state: dict[str, Any] = request.scope["state"]
    return str(state.get("address") or (request.client.host if request.client else ""))


def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: only with a valid token."""
    _required(connection)


def _found(connection: Connection) -> Identity | None:
    state: dict[str, Any] = connection.scope["state"]
    found: Identity | None = state.get("identity")
    return found


def _required(connection: Connection) -> Identity:
    if found := _found(connection):
        return found
    state: dict[str, Any] = connection.scope["state"]
    error: FootlightError | None = state.get("auth_error")
    raise error or Unauthenticated()
