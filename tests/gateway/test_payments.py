"""Payments on a whole node: what is there without a key or a secret, and whom limits and origins concern."""

from dataclasses import replace

import httpx
import pytest

from infra.clock import system_clock
from infra.settings import Settings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from infra.stripe_settings import StripeSettings
from tests.gateway.conftest import running_node
from tests.payments.stripe.signing import SECRET, event, signed

WEBHOOK = "/api/v1/webhooks/stripe"
# Nobody listens there: a node must start, and say what is wrong, while Stripe is away.
AWAY = StripeSettings(secret_key="sk_test_1", webhook_secrets=(SECRET,), api_base="http://127.0.0.1:9")


@pytest.fixture
def settings(node_settings: Settings, db: Postgres, redis: Redis) -> Settings:
    limited = replace(node_settings.web, address_limit_per_minute=3)
    return replace(node_settings, web=limited, stripe=AWAY)


async def status_of(address: str, method: str, path: str) -> int:
    async with httpx.AsyncClient(base_url=address) as client:
        return (await client.request(method, path)).status_code


async def test_without_a_key_nothing_is_sold(settings: Settings) -> None:
    async with running_node(replace(settings, stripe=StripeSettings())) as address:
        assert await status_of(address, "GET", "/api/v1/plans") == 404
        assert await status_of(address, "POST", WEBHOOK) == 404


async def test_without_a_secret_webhooks_are_off_and_the_log_says_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_node(replace(settings, stripe=replace(AWAY, webhook_secrets=()))) as address:
        assert await status_of(address, "GET", "/api/v1/plans") == 200
        assert await status_of(address, "POST", WEBHOOK) == 404
    said = capsys.readouterr().out
    assert "webhooks.off" in said
    assert "FOOTLIGHT_STRIPE_WEBHOOK_SECRETS" in said


async def test_stripe_is_neither_counted_nor_asked_where_it_comes_from(settings: Settings) -> None:
    async with running_node(settings) as address, httpx.AsyncClient(base_url=address) as client:
        for number in range(10):
            body = event(event_id=f"evt_{number}")
            headers = {"stripe-signature": signed(body, SECRET, system_clock()), "origin": "https://stripe.test"}
            assert (await client.post(WEBHOOK, content=body, headers=headers)).status_code == 200
        assert [(await client.get("/api/v1/plans")).status_code for _ in range(4)] == [200, 200, 200, 429]


async def test_while_stripe_is_away_the_rest_works_and_buying_says_when_to_come_back(settings: Settings) -> None:
    unlimited = replace(settings, web=replace(settings.web, address_limit_per_minute=1000))
    async with running_node(unlimited) as address, httpx.AsyncClient(base_url=f"{address}/api/v1") as client:
        person = {"email": "ada@example.com", "password": "seven green kites", "display_name": "Ada"}
        session = (await client.post("/auth/signup", json=person)).json()
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {session['access_token']}"
        for _ in range(3):  # the breaker is open from the first one on
            answer = await client.post("/checkout", json={"plan_id": "premium-monthly"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "payment.stripe")
            assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/subscriptions")).json() == {"subscriptions": []}
        assert (await client.get("/subscription")).json() == {"subscription": None}
