"""Gifts and paid messages over HTTP: from wish to page to what came of it, and a clear word for what cannot be."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.types import Receive, Scope, Send

from api.app import create_api
from infra.clock import new_id
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.live.streams import Streams
from realtime.entries import User
from tests.api.conftest import ORIGIN, Viewers
from tests.media.delivery.passes import playback
from tests.payments.market import Market, open_market


@pytest.fixture
async def market(keys_folder: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(keys_folder, db, redis) as market:
        yield market


class Known:
    """The gateway, which knows everybody by the id in their header."""

    def __init__(self, app: Litestar, market: Market) -> None:
        self._app = app
        self._people = {user.id: user for user in (market.ada, market.cleo)}
        self._market = market

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = self._people.get(dict(scope["headers"]).get(b"x-who", b"").decode())
        identity = self._market.identity(user) if user else None
        scope["state"] = {"identity": identity, "auth_error": None, "address": "192.0.2.7"}
        await self._app(scope, receive, send)


@pytest.fixture
async def client(market: Market) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as Ada."""
    world = market.till.world
    parts: Any = {
        "accounts": world.accounts,
        "streams": Streams.over(world.db, world.redis, world.outbox, Settings().live),
        "viewers": Viewers(),
        "playback": playback(),
        "orders": market.orders,
        "gifts": market.gifts,
        "paid_messages": market.paid_messages,
    }
    transport = httpx.ASGITransport(Known(create_api(settings=Settings(), **parts), market))  # type: ignore[arg-type]  # Litestar types ASGI otherwise
    headers = {"x-who": market.ada.id}
    async with httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/v1", headers=headers) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def as_user(user: User) -> dict[str, str]:
    return {"x-who": user.id}


async def test_a_gift_goes_from_the_wish_to_the_list(client: httpx.AsyncClient, market: Market) -> None:
    bea, dora = await market.people("Bea", "Dora")
    await market.come(bea, dora)
    wish = {"plan_id": "channel-1", "creator_id": market.cleo.id, "stream_id": market.stream_id, "quantity": 2}
    answer = await client.post("/gifts", json=wish, headers={"idempotency-key": "click"})
    again = await client.post("/gifts", json=wish, headers={"idempotency-key": "click"})
    assert answer.status_code == again.status_code == 201
    order = answer.json()
    assert order == again.json()
    assert (order["kind"], order["quantity"], order["amount_minor"]) == ("gift", 2, 499)
    assert order["url"].startswith("https://pay.test/")
    await market.pay(await market.orders.find(market.ada.id, order["id"]))
    given = (await client.get("/gifts?limit=1")).json()
    assert (given["gifts"][0]["state"], given["gifts"][0]["order_id"]) == ("taken", order["id"])
    rest = (await client.get("/gifts", params={"cursor": given["next_cursor"]})).json()
    assert {one["recipient_id"] for one in given["gifts"] + rest["gifts"]} == {bea.id, dora.id}
    assert rest["next_cursor"] is None
    of_channel = await client.get(f"/channels/{market.cleo.id}/gifts", headers=as_user(market.cleo))
    assert len(of_channel.json()["gifts"]) == 2
    assert (await client.get("/gifts/received")).json() == {"gifts": [], "next_cursor": None}


async def test_a_message_goes_from_the_wish_to_the_list(client: httpx.AsyncClient, market: Market) -> None:
    wish = {"stream_id": market.stream_id, "text": " For the tea! ", "amount_minor": 1000}
    order = (await client.post("/paid-messages", json=wish)).json()
    [draft] = (await client.get("/paid-messages")).json()["messages"]
    assert (draft["state"], draft["text"], draft["on_top_seconds"]) == ("draft", "For the tea!", 60)
    path = f"/channels/{market.cleo.id}/paid-messages"
    assert (await client.get(path, headers=as_user(market.cleo))).json()["messages"] == []
    await market.pay(await market.orders.find(market.ada.id, order["id"]))
    await market.deliver()
    [shown] = (await client.get(path, headers=as_user(market.cleo))).json()["messages"]
    assert (shown["order_id"], shown["state"], shown["outcome"]) == (order["id"], "shown", None)


@pytest.mark.parametrize(
    ("path", "wish", "refused"),
    [
        ("/gifts", {"plan_id": "gold", "recipient_name": "Bea"}, (404, "payment.plan_unknown")),
        ("/gifts", {"plan_id": "premium-yearly", "recipient_name": "Bea"}, (400, "payment.plan_differs")),
        ("/gifts", {"plan_id": "premium-monthly", "recipient_name": "Nobody"}, (404, "payment.recipient_unknown")),
        ("/gifts", {"plan_id": "premium-monthly", "recipient_name": "Ada"}, (400, "payment.cannot_be_given")),
        ("/gifts", {"plan_id": "premium-monthly", "stream_id": new_id()}, (409, "payment.stream_over")),
        ("/gifts", {"plan_id": "premium-monthly", "quantity": 101}, (400, "request.invalid")),
        ("/gifts", {"plan_id": "premium-monthly"}, (400, "request.invalid")),
        ("/gifts", {"plan_id": "premium-monthly", "amount_minor": 1}, (400, "request.invalid")),
        ("/paid-messages", {"text": "x", "amount_minor": 199}, (400, "payment.amount")),
        ("/paid-messages", {"text": " ", "amount_minor": 500}, (400, "chat.text_invalid")),
        ("/paid-messages", {"text": "spam", "amount_minor": 500}, (400, "chat.blocked")),
        ("/paid-messages", {"text": "x", "amount_minor": 500, "stream_id": new_id()}, (409, "payment.stream_over")),
        ("/paid-messages", {"text": "x"}, (400, "request.invalid")),
    ],
)
async def test_what_cannot_be_bought_is_refused_in_words(
    client: httpx.AsyncClient, market: Market, path: str, wish: dict[str, Any], refused: tuple[int, str]
) -> None:
    await market.people("Bea")
    await market.filter_word("spam", "refuse")
    here = {"stream_id": market.stream_id} if path == "/paid-messages" else {}
    answer = await client.post(path, json={**here, **wish})
    assert code(answer) == refused
    assert market.stripe.asked == []


async def test_what_was_earned_is_for_its_creator(client: httpx.AsyncClient, market: Market) -> None:
    for what in ("gifts", "paid-messages"):
        assert code(await client.get(f"/channels/{market.cleo.id}/{what}")) == (403, "auth.forbidden")


async def test_all_of_it_needs_somebody(client: httpx.AsyncClient, market: Market) -> None:
    for method, path in (
        ("POST", "/gifts"), ("GET", "/gifts"), ("GET", "/gifts/received"), ("POST", "/paid-messages"),
        ("GET", "/paid-messages"), ("GET", f"/channels/{market.cleo.id}/gifts"),
        ("GET", f"/channels/{market.cleo.id}/paid-messages"),
    ):  # fmt: skip
        assert code(await client.request(method, path, headers={"x-who": ""})) == (401, "auth.required"), path


async def test_the_document_describes_it_in_full(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"{ORIGIN}/openapi.json")).json()
    paths = {path.removeprefix("/api/v1"): item for path, item in document["paths"].items()}
    for path in ("/gifts", "/gifts/received", "/paid-messages", "/channels/{channel_id}/paid-messages"):
        for operation in paths[path].values():
            assert operation["tags"] == ["Payments"]
            assert {"401", "429", "503"} <= set(operation["responses"])
    for name in ("NewGift", "NewPaidMessage"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
