"""Every refusal has one shape, whoever refuses; a bug tells the client nothing."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, get

from api.errors import HANDLERS, STATUS, MethodNotAllowed, WrongContentType, answer, status_of
from api.identity import signed_in
from infra.errors import FootlightError, Invalid, TooMany, Unavailable

LOGIN = "/api/v1/auth/login"
JSON = {"content-type": "application/json"}


def shape(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, body["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "expected"),
    [
        ("GET", "/api/v1/nothing", {}, b"", (404, "request.not_found")),
        ("GET", "/api/v1/auth/me/../../../../etc/passwd", {}, b"", (404, "request.not_found")),
        ("GET", LOGIN, {}, b"", (405, "request.method")),
        ("DELETE", "/api/v1/auth/me", {}, b"", (405, "request.method")),
        ("POST", LOGIN, JSON, b"{", (400, "request.malformed")),
        ("POST", LOGIN, JSON, b"\xff\xfe", (400, "request.malformed")),
        ("POST", LOGIN, JSON, b'{"email": NaN}', (400, "request.malformed")),
        ("POST", LOGIN, JSON, b'{"email":"\\ud800","password":"x"}', (400, "request.malformed")),
        ("POST", LOGIN, JSON, b"[" * 100_000, (400, "request.malformed")),
        ("POST", LOGIN, JSON, b"[]", (400, "request.invalid")),
        ("POST", LOGIN, JSON, b"null", (400, "request.invalid")),
        ("POST", LOGIN, JSON, b"", (400, "request.invalid")),
        ("POST", LOGIN, JSON, b'{"email":"x","password":"y","password":1}', (400, "request.invalid")),
        ("POST", LOGIN, {"content-type": "text/plain"}, b"{}", (415, "request.content_type")),
        ("POST", LOGIN, {"content-type": "application/x-www-form-urlencoded"}, b"a=b", (415, "request.content_type")),
        ("POST", LOGIN, {}, b"{}", (415, "request.content_type")),
        ("POST", LOGIN, JSON, b" " * 1_048_577, (413, "request.too_large")),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
async def test_what_cannot_be_right_is_refused_in_our_shape(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    headers: dict[str, str],
    content: bytes,
    expected: tuple[int, str],
) -> None:
    assert shape(await client.request(method, path, headers=headers, content=content)) == expected


async def test_an_empty_body_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.post(LOGIN)
    assert answer.json()["error"]["details"] == {"fields": {"body": "is missing"}}


async def test_the_allowed_methods_are_named(client: httpx.AsyncClient) -> None:
    answer = await client.get(LOGIN)
    assert "POST" in answer.headers["allow"]


async def test_json_may_name_its_charset(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = await client.post(LOGIN, content=b'{"email":"a@example.com","password":"x"}', headers=headers)
    assert shape(answer) == (401, "auth.wrong_credentials")


def every_error(kind: type[FootlightError] = FootlightError) -> list[type[FootlightError]]:
    return [kind, *(error for child in kind.__subclasses__() for error in every_error(child))]


def test_every_error_there_is_has_a_status() -> None:
    assert {status_of(error) for error in every_error()} == set(STATUS.values())
    assert status_of(MethodNotAllowed) == 405
    assert status_of(WrongContentType) == 415
    assert status_of(Invalid) == 400


@pytest.mark.parametrize(("wait_ms", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (0, "1"), (None, "1")])
def test_retry_after_is_never_too_early(wait_ms: int | None, seconds: str) -> None:
    for error in (TooMany(retry_after_ms=wait_ms), Unavailable(retry_after_ms=wait_ms)):
        response = answer(error)
        assert response.headers["retry-after"] == seconds
        assert "retry_after_ms" in response.content.error.details


@pytest.fixture
async def small() -> httpx.AsyncClient:
    """An app whose handlers go wrong in a set way."""

    @get("/bug")
    async def bug() -> None:
        raise KeyError("a secret of ours")

    @get("/unavailable")
    async def unavailable() -> None:
        raise Unavailable(retry_after_ms=2500)

    @get("/wrong-answer")
    async def wrong_answer() -> dict[str, Any]:
        return {"a": object()}

    @get("/mine", guards=[signed_in])
    async def mine() -> None: ...

    app = Litestar(
        [bug, unavailable, wrong_answer, mine],
        exception_handlers=HANDLERS,
        logging_config=None,
        dependencies={},
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # ASGI types differ
    return httpx.AsyncClient(transport=transport, base_url="http://small.test")


async def test_a_bug_is_logged_and_tells_nothing(small: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/bug", "/wrong-answer"):
        refused = await small.get(path)
        assert shape(refused) == (500, "internal")
        assert "secret" not in refused.text
        assert "object" not in refused.text
    assert "a secret of ours" in capsys.readouterr().out


async def test_what_does_not_answer_says_when_to_come_back(small: httpx.AsyncClient) -> None:
    refused = await small.get("/unavailable")
    assert shape(refused) == (503, "service.unavailable")
    assert refused.headers["retry-after"] == "3"
    assert refused.json()["error"]["details"] == {"retry_after_ms": 2500}


async def test_what_is_for_users_asks_for_one(small: httpx.AsyncClient) -> None:
    assert shape(await small.get("/mine")) == (401, "auth.required")
