"""A whole node: every layer, every store, as a client meets it."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from accounts.sessions import Sessions
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis, RedisUnavailable
from realtime.client import Refused, open_client
from tests.gateway.conftest import running_node

SIGN_UP = {"email": "ada@example.com", "password": "a long enough pass phrase", "display_name": "Ada"}
HANDSHAKE = "/socket.io/?EIO=4&transport=websocket"
CUT_SHORT = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)
ELSEWHERE = {"X-Forwarded-For": "198.51.100.9"}


def few_requests(settings: Settings) -> AbstractAsyncContextManager[str]:
    """A node that lets an address in twice a minute."""
    return running_node(
        dataclasses.replace(settings, web=dataclasses.replace(settings.web, address_limit_per_minute=2))
    )


@pytest.fixture
async def client(node: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=node) as client:
        yield client


async def test_the_node_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "alive"}
    report = (await client.get("/readyz")).json()
    assert report["status"] == "ready"
    assert {name: store["ok"] for name, store in report["stores"].items()} == dict.fromkeys(report["stores"], True)
    assert set(report["stores"]) == {"postgres", "redis", "bus", "mongo", "objects", "search"}


async def test_metrics_are_for_direct_callers_of_trusted_networks(client: httpx.AsyncClient) -> None:
    await client.get("/api/v1/streams")
    text = (await client.get("/metrics")).text
    assert 'footlight_http_requests_total{method="GET",route="/api/v1/streams",status="200"}' in text
    assert (await client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})).status_code == 404


async def test_signing_up_sets_cookies_that_scripts_cannot_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/signup", json=SIGN_UP)
    assert answer.status_code == 201
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        assert "SameSite" in cookie


async def test_every_api_answer_tells_what_is_left_of_the_limit(client: httpx.AsyncClient) -> None:
    token = (await client.post("/api/v1/auth/signup", json=SIGN_UP)).json()["access_token"]
    answer = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["ratelimit-limit"] == "100"
    assert answer.headers["ratelimit-remaining"] == "99"


async def test_the_hundred_and_first_request_of_a_minute_is_refused(client: httpx.AsyncClient) -> None:
    token = (await client.post("/api/v1/auth/signup", json=SIGN_UP)).json()["access_token"]
    fields = {"Authorization": f"Bearer {token}"}
    answers = [(await client.get("/api/v1/auth/me", headers=fields)) for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert answers[-1].json()["error"]["code"] == "limit.rate"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_a_refusal_tells_what_is_left_too(node_settings: Settings, db: Postgres, redis: Redis) -> None:
    async with few_requests(node_settings) as node, httpx.AsyncClient(base_url=node) as client:
        answers = [await client.get("/api/v1/streams") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert 0 < int(answers[-1].headers["ratelimit-reset"]) <= 60


async def test_handshakes_of_sockets_are_counted_for_their_address(
    node_settings: Settings, db: Postgres, redis: Redis
) -> None:
    async with few_requests(node_settings) as node:
        for _ in range(2):
            async with connect(f"{node.replace('http', 'ws')}{HANDSHAKE}"):
                pass
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{node.replace('http', 'ws')}{HANDSHAKE}")
        async with connect(f"{node.replace('http', 'ws')}{HANDSHAKE}", additional_headers=ELSEWHERE):
            pass
    answer = refused.value.response
    assert answer.status_code == 429
    assert answer.headers["ratelimit-limit"] == "2"
    assert json.loads(answer.body or b"")["error"]["code"] == "limit.rate"


async def test_a_reader_who_is_signed_in_reads_on_when_nobody_can_say_who_that_is(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise RedisUnavailable

    token = (await client.post("/api/v1/auth/signup", json=SIGN_UP)).json()["access_token"]
    fields = {"Authorization": f"Bearer {token}"}
    monkeypatch.setattr(Sessions, "standing", lost)
    assert (await client.get("/api/v1/streams", headers=fields)).status_code == 200
    assert (await client.get("/api/v1/auth/me", headers=fields)).status_code == 503
    assert (await client.post("/api/v1/auth/logout", headers=fields)).status_code == 503  # it did not happen


async def test_a_client_that_goes_away_in_the_middle_of_its_body_is_no_failure_of_ours(
    client: httpx.AsyncClient, node: str
) -> None:
    host, port = node.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(CUT_SHORT)
    await writer.drain()
    writer.close()
    text = ""
    while "auth/login" not in text:
        text = (await client.get("/metrics")).text
    assert 'footlight_http_requests_total{method="POST",route="/api/v1/auth/login",status="400"} 1.0' in text


async def test_pages_are_not_counted(client: httpx.AsyncClient) -> None:
    answer = await client.get("/watch/some-stream")
    assert answer.status_code == 200
    assert "ratelimit-limit" not in answer.headers


async def test_an_unknown_path_of_the_api_has_the_one_error_shape(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"code", "message", "details"}


async def test_a_client_may_poll(client: httpx.AsyncClient) -> None:
    answer = await client.get("/socket.io/?EIO=4&transport=polling")
    assert answer.status_code == 200
    assert answer.text.startswith("0{")


async def test_the_openapi_document_describes_every_route(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {"/api/v1/auth/signup", "/api/v1/streams/start", "/api/v1/streams/{stream_id}/manifest"} <= set(
        document["paths"]
    )


async def test_tokens_can_be_checked_by_others(client: httpx.AsyncClient) -> None:
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert keys
    assert {key["kty"] for key in keys} == {"RSA"}
    assert all("d" not in key for key in keys)


async def test_what_happens_in_rooms_is_counted(client: httpx.AsyncClient, node: str) -> None:
    async with open_client([node.replace("http", "ws")]) as viewer:
        with pytest.raises(Refused):
            await viewer.join("01890000-0000-7000-8000-000000000000")
        text = (await client.get("/metrics")).text
    assert "footlight_sockets 1.0" in text
    assert 'footlight_room_messages_total{direction="in"} 1.0' in text
