"""The sandbox as an ASGI app: Stripe's API under `/v1`, the hosted pages, and `/_sandbox` for tests.

It answers nobody but this machine: a request that names another host, or comes from another site's page, is refused.
"""

import asyncio
import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from litestar import Litestar, MediaType, Request, Response, get, route
from litestar.di import NamedDependency, Provide
from litestar.types import ASGIApp, Receive, Scope, Send

from payments.sandbox.controlling import Control
from payments.sandbox.desk import Desk, Reply
from payments.sandbox.errors import Refused
from payments.sandbox.faults import Fault, Faults
from payments.sandbox.hosted_pages import Bills, Onboarding, Portal
from payments.sandbox.index_pages import Index
from payments.sandbox.pages.layout import STYLE, unknown_page
from payments.sandbox.paying_pages import Checkout, html

LOCAL = ("localhost", "127.0.0.1", "[::1]")
LARGEST_BODY = 262_144
MOST_FIELDS = 1000
KEY_BEGINS = "sk_test_"
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

Asked = Request[Any, Any, Any]


class Gate:
    """Whose key is good (any test key when `key` is empty), and which requests are under way."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.under_way: set[str] = set()

    def require_key(self, authorization: str) -> None:
        """Raises `Refused` (401)."""
        given = _key_in(authorization)
        good = hmac.compare_digest(given.encode(), self._key.encode()) if self._key else given.startswith(KEY_BEGINS)
        if not good:
            raise Refused("Invalid API Key provided. The sandbox takes test keys only.", status=401, kept=False)


@route("/v1/{rest:path}", http_method=["GET", "POST", "DELETE"], status_code=200)
async def api(
    request: Asked, desk: NamedDependency[Desk], gate: NamedDependency[Gate], faults: NamedDependency[Faults]
) -> Any:
    """Stripe's API."""
    gate.require_key(request.headers.get("authorization", ""))
    pairs = _pairs(request.url.query) + _pairs((await request.body()).decode(errors="replace"))
    key = request.headers.get("idempotency-key")
    method, path = request.method, request.url.path
    if key is not None and key in gate.under_way:
        raise Refused(
            "There is currently another in-progress request using this Idempotent Key.", status=409,
            kind="idempotency_error", code="idempotency_key_in_use",
        )  # fmt: skip
    fault = faults.take(str(method), path)
    if fault is None:
        return _answer(desk.reply(str(method), path, pairs, key))
    if fault.happens:
        desk.reply(str(method), path, pairs, key)
    return await _wrong(fault, gate, key)


async def _wrong(fault: Fault, gate: Gate, key: str | None) -> Any:
    if fault.kind == "reset":
        return _broken_off
    if fault.kind == "busy":
        error = Refused("Too many requests hit the API too quickly.", status=429, code="rate_limit")
        waits = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        return Response(error.as_json(), status_code=429, headers=waits)
    if fault.kind == "hang":
        await _hang(fault.seconds, gate, key)
    error = Refused("An unknown error occurred.", status=fault.status, kind="api_error")
    return Response(error.as_json(), status_code=error.status if fault.kind == "error" else 504)


async def _hang(seconds: float, gate: Gate, key: str | None) -> None:
    if key is not None:
        gate.under_way.add(key)
    try:
        await asyncio.sleep(seconds)
    finally:
        gate.under_way.discard(key or "")


async def _broken_off(_: Scope, __: Receive, send: Send) -> None:
    """An answer that never comes whole: the server closes the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _answer(reply: Reply) -> Response[str]:
    headers = {**reply.headers, "Stripe-Version": "2026-10-28.endive"}
    return Response(reply.body, status_code=reply.status, media_type=MediaType.JSON, headers=headers)


@get("/style.css", media_type="text/css")
async def style() -> str:
    return STYLE


@get("/livez", media_type=MediaType.TEXT)
async def livez() -> str:
    return "ok"


def create_app(desk: Desk, faults: Faults, *, key: str, anywhere: bool = False) -> ASGIApp:
    """`key` is the only one taken, or empty: any test key. `anywhere`: other hosts than this may be named."""
    gate = Gate(key)
    hosts = {*LOCAL, urlsplit(desk.url).hostname or ""}

    def provide(what: object) -> Provide:
        return Provide(lambda: what, sync_to_thread=False)

    async def refuse_strangers(request: Asked) -> Response[str] | None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        strange = not anywhere and host.rpartition(":")[0] not in hosts and host not in hosts
        if strange or (origin is not None and urlsplit(origin).netloc != host):
            return Response("This sandbox is for its own machine.", status_code=403, media_type=MediaType.TEXT)
        return None

    return Litestar(
        route_handlers=[api, style, livez, Index, Checkout, Portal, Bills, Onboarding, Control],
        dependencies={"desk": provide(desk), "faults": provide(faults), "gate": provide(gate)},
        before_request=refuse_strangers,
        exception_handlers={Refused: _refused},
        after_request=_guarded,
        request_max_body_size=LARGEST_BODY,
        openapi_config=None,
        logging_config=None,
    )


def _refused(request: Asked, refused: Refused) -> Response[Any]:
    if request.url.path.startswith(("/v1/", "/_sandbox")):
        return Response(refused.as_json(), status_code=refused.status)
    return html(unknown_page(), 404)


async def _guarded(response: Response[Any]) -> Response[Any]:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused("Too many parameters.", kept=False) from None


def _key_in(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "basic":  # as `curl -u` sends it
        try:
            return b64decode(value).decode().partition(":")[0]
        except (NotBase64, UnicodeDecodeError):
            return ""
    return value.strip() if kind.lower() == "bearer" else ""
