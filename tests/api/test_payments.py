"""Subscribing over HTTP: what is sold, the way to the page and back, and clear words for everything that cannot be."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_api
from infra.clock import new_id, system_clock
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.live.streams import Streams
from payments.errors import StripeUnavailable
from payments.inbox import Inbox, Webhooks
from tests.api.conftest import ORIGIN, Bearer, Viewers
from tests.media.delivery.passes import playback
from tests.payments.selling import Selling, open_shop


@pytest.fixture
async def shop(keys_folder: Path, db: Postgres, redis: Redis) -> AsyncIterator[Selling]:
    async with open_shop(keys_folder, db, redis) as shop:
        yield shop


@pytest.fixture
async def client(shop: Selling) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as Ada."""
    world = shop.till.world
    parts: Any = {  # without charts and emotes, which nobody asks for here
        "accounts": world.accounts,
        "streams": Streams.over(world.db, world.redis, world.outbox, Settings().live),
        "viewers": Viewers(),
        "playback": playback(),
        "orders": shop.orders,
        "subscriptions": shop.subscriptions,
        "webhooks": Webhooks(Inbox(world.db, system_clock), ("whsec_1",), system_clock),
    }
    api = create_api(settings=Settings(), **parts)
    transport = httpx.ASGITransport(Bearer(api, world.accounts))  # type: ignore[arg-type]  # Litestar types ASGI otherwise
    headers = {"authorization": f"Bearer {shop.ada.access_token}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/v1", headers=headers) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def bought(client: httpx.AsyncClient, shop: Selling, plan: str = "premium-monthly") -> dict[str, Any]:
    order = (await client.post("/checkout", json={"plan_id": plan})).json()
    shop.stripe.pay(order["url"].rpartition("/")[2])
    await client.get(f"/checkout/{order['id']}")
    [one] = (await client.get("/subscriptions")).json()["subscriptions"]
    found: dict[str, Any] = one
    return found


async def test_everybody_sees_what_is_sold(client: httpx.AsyncClient) -> None:
    sold = (await client.get("/plans", headers={"authorization": ""})).json()
    plans = sold["plans"]
    assert [plan["id"] for plan in plans][:2] == ["premium-monthly", "premium-yearly"]
    assert plans[0] == {
        "id": "premium-monthly", "name": "Premium", "scope": "premium", "level": 1, "interval": "month",
        "amount_minor": 499, "currency": "eur",
    }  # fmt: skip
    assert (sold["currency"], sold["gifts_at_once"], sold["message_max_minor"]) == ("eur", 100, 50_000)
    assert sold["message_steps"][:2] == [
        {"amount_minor": 200, "on_top_seconds": 0}, {"amount_minor": 500, "on_top_seconds": 30},
    ]  # fmt: skip


async def test_to_the_page_and_back(client: httpx.AsyncClient, shop: Selling) -> None:
    answer = await client.post("/checkout", json={"plan_id": "premium-monthly"})
    order = answer.json()
    assert (answer.status_code, order["state"]) == (201, "open")
    assert order["url"].startswith("https://pay.test/")
    assert (await client.post("/checkout", json={"plan_id": "premium-monthly"})).json()["id"] == order["id"]
    assert (await client.get(f"/checkout/{order['id']}")).json()["state"] == "open"
    assert (await client.get("/subscription")).json() == {"subscription": None}
    shop.stripe.pay(order["url"].rpartition("/")[2])
    back = (await client.get(f"/checkout/{order['id']}")).json()
    assert (back["state"], back["url"]) == ("paid", None)
    mine = (await client.get("/subscription")).json()["subscription"]
    assert (mine["plan_id"], mine["status"], mine["grace_until"]) == ("premium-monthly", "active", None)
    again = await client.post("/checkout", json={"plan_id": "premium-yearly"})
    assert code(again) == (409, "payment.already_subscribed")
    assert again.json()["error"]["details"] == {"subscription_id": mine["id"]}


async def test_ending_going_on_and_changing(client: httpx.AsyncClient, shop: Selling) -> None:
    path = f"/subscriptions/{(await bought(client, shop))['id']}"
    assert (await client.post(f"{path}/cancel")).json()["status"] == "canceled"
    assert (await client.post(f"{path}/resume")).json()["status"] == "active"
    shown = (await client.get(f"{path}/preview", params={"plan_id": "premium-yearly"})).json()
    assert (shown["due_minor"], shown["plan_id"]) == (4491, "premium-yearly")
    change = {"plan_id": "premium-yearly", "prorated_at": shown["prorated_at"]}
    assert (await client.post(f"{path}/plan", json=change)).json()["plan_id"] == "premium-yearly"
    assert (await client.post("/billing-portal")).json()["url"].startswith("https://portal.test/")


async def test_invoices_are_those_of_the_asker(client: httpx.AsyncClient) -> None:
    assert (await client.get("/invoices")).json() == {"invoices": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/checkout", {"plan_id": "gold"}, (404, "payment.plan_unknown")),
        ("POST", "/checkout", {"plan_id": "channel-1"}, (400, "payment.plan_differs")),
        ("POST", "/checkout", {"plan_id": "channel-1", "creator_id": new_id()}, (404, "payment.channel_unknown")),
        ("POST", "/checkout", {"plan_id": "channel-1", "creator_id": "x"}, (400, "request.invalid")),
        ("POST", "/checkout", {"plan_id": "premium-monthly", "amount": 1}, (400, "request.invalid")),
        ("GET", f"/checkout/{new_id()}", None, (404, "payment.order_not_found")),
        ("POST", f"/subscriptions/{new_id()}/cancel", None, (404, "payment.subscription_not_found")),
        ("POST", "/billing-portal", None, (409, "payment.no_customer")),
    ],
    ids=["plan", "channel missing", "channel", "no id", "more than asked", "order", "subscription", "no customer"],
)
async def test_what_cannot_be_is_said(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, expected: tuple[int, str]
) -> None:
    assert code(await client.request(method, path, json=body)) == expected


async def test_while_stripe_is_away_the_answer_is_clear_and_says_when(client: httpx.AsyncClient, shop: Selling) -> None:
    one = await bought(client, shop)
    shop.stripe.away = StripeUnavailable(retry_after_ms=3000)
    answer = await client.post(f"/subscriptions/{one['id']}/cancel")
    assert code(answer) == (503, "payment.stripe")
    assert answer.headers["retry-after"] == "3"
    assert (await client.get("/subscription")).json()["subscription"]["id"] == one["id"], "what we know, we say"


async def test_all_of_it_needs_somebody(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/checkout"), ("GET", f"/checkout/{new_id()}"), ("GET", "/subscription"), ("GET", "/subscriptions"),
        ("POST", f"/subscriptions/{new_id()}/cancel"), ("POST", f"/subscriptions/{new_id()}/resume"),
        ("GET", f"/subscriptions/{new_id()}/preview?plan_id=x"), ("POST", f"/subscriptions/{new_id()}/plan"),
        ("POST", "/billing-portal"), ("GET", "/invoices"),
    ):  # fmt: skip
        assert code(await client.request(method, path, headers={"authorization": ""})) == (401, "auth.required"), path


async def test_the_document_describes_payments_in_full(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"{ORIGIN}/openapi.json")).json()
    paths = {path.removeprefix("/api/v1"): item for path, item in document["paths"].items()}
    for path in ("/plans", "/checkout", "/checkout/{order_id}", "/subscription", "/invoices", "/webhooks/stripe"):
        for operation in paths[path].values():
            assert operation["tags"] == ["Payments"]
            assert {"429", "503"} <= set(operation["responses"])
    for name in ("WantedPlan", "NewPlan"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
