"""What every request passes: it is named, bounded and always answered."""

import json
from typing import Any

import httpx
import pytest

from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from gateway.addresses import TrustedProxies
from gateway.asgi import ASGIApp, Receive, Scope, Send, respond
from gateway.auth import Authentication
from gateway.middleware import BodyLimit, Boundary, security_headers
from infra.errors import Conflict, Unauthenticated
from infra.logs import correlation_id
from infra.metrics import Metrics


class TooEarly(Conflict):
    code = "test.too_early"
    message = "Too early."


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/conflict":
        raise TooEarly(until=7)
    if scope["path"] == "/bug":
        raise ZeroDivisionError
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    about = {"address": scope["state"]["address"], "id": correlation_id(), "size": len(body)}
    await respond(send, 200, json.dumps(about).encode(), "application/json")


def client(inner: ASGIApp = app) -> httpx.AsyncClient:
    headers = security_headers(edge_origin="http://edge", secure=True)
    outer = Boundary(BodyLimit(inner, 1000), TrustedProxies(["127.0.0.0/8"]), Metrics(), headers)
    transport = httpx.ASGITransport(app=outer, client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://footlight.test")


async def test_a_request_keeps_its_id_and_carries_it_everywhere() -> None:
    answer = await client().get("/", headers={"X-Request-ID": "0123456789abcdef"})
    assert answer.headers["x-request-id"] == answer.json()["id"] == "0123456789abcdef"


@pytest.mark.parametrize("claimed", ["short", "x" * 65, "two words here", "line\x0bbreak-123"])
async def test_an_id_that_could_disturb_a_log_is_replaced(claimed: str) -> None:
    answer = await client().get("/", headers={"X-Request-ID": claimed})
    assert answer.headers["x-request-id"] != claimed


async def test_the_address_comes_from_the_trusted_hop() -> None:
    answer = await client().get("/", headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.3"})
    assert answer.json()["address"] == "198.51.100.3"


async def test_an_error_has_the_one_shape() -> None:
    answer = await client().get("/conflict")
    assert answer.status_code == 409
    assert answer.json() == {"error": {"code": "test.too_early", "message": "Too early.", "details": {"until": 7}}}


async def test_a_bug_tells_nothing_about_itself() -> None:
    answer = await client().get("/bug")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "Zero" not in answer.text


@pytest.mark.parametrize("body", [b"x" * 1001, None])
async def test_a_body_over_the_limit_is_refused_announced_or_not(body: bytes | None) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b"x" * 100

    answer = await client().post("/", content=body or endless())
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request.body_too_large"


async def test_a_body_at_the_limit_passes() -> None:
    assert (await client().post("/", content=b"x" * 1000)).json()["size"] == 1000


async def test_answers_carry_the_headers_that_make_browsers_careful() -> None:
    fields = (await client().get("/conflict")).headers
    assert "default-src 'self'" in fields["content-security-policy"]
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["x-frame-options"] == "DENY"
    assert "max-age" in fields["strict-transport-security"]


async def refuse_all(token: str) -> Any:
    raise Unauthenticated


def with_authentication() -> httpx.AsyncClient:
    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        error = scope["state"]["auth_error"]
        await respond(send, 200, (error.code if error else "none").encode(), "text/plain")

    return client(Authentication(show, refuse_all, ["https://footlight.test"]))


@pytest.mark.parametrize(
    "origin",
    [
        None, "null", "https://evil.test", "http://footlight.test", "https://footlight.test:8443",
        "https://footlight.test.evil.test", "HTTPS://FOOTLIGHT.TEST",
    ],
)  # fmt: skip
async def test_a_cookie_changes_nothing_from_a_foreign_origin(origin: str | None) -> None:
    fields = {"Cookie": f"{ACCESS_COOKIE}=x"} | ({"Origin": origin} if origin else {})
    answer = await with_authentication().post("/", headers=fields)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "auth.origin"


@pytest.mark.parametrize("beside", ["x", 'pref={"a":1}', "a,b=c", "=", 'open="quote'])
@pytest.mark.parametrize("ours", [ACCESS_COOKIE, REFRESH_COOKIE])
async def test_no_cookie_beside_ours_hides_it_from_the_check(beside: str, ours: str) -> None:
    fields = {"Cookie": f"{beside}; {ours}=x", "Origin": "https://evil.test"}
    assert (await with_authentication().post("/", headers=fields)).status_code == 403


async def test_the_cookie_of_another_application_signs_nobody_out() -> None:
    answer = await with_authentication().get("/", headers={"Cookie": f'pref={{"a":1}}; {ACCESS_COOKIE}=x'})
    assert answer.text == "auth.required"  # it was read, and refused for what it is


@pytest.mark.parametrize("fields", [{"Origin": "https://footlight.test"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_a_cookie_works_from_our_own_pages(fields: dict[str, str]) -> None:
    answer = await with_authentication().post("/", headers={"Cookie": f"{ACCESS_COOKIE}=x", **fields})
    assert answer.text == "auth.required"


async def test_a_bearer_token_needs_no_origin() -> None:
    answer = await with_authentication().post("/", headers={"Authorization": "Bearer x", "Origin": "https://evil.test"})
    assert answer.text == "auth.required"


async def test_without_a_token_nobody_is_asking() -> None:
    assert (await with_authentication().get("/")).text == "none"
