"""Stripe's webhook over HTTP: what is signed is stored once and answered at once; everything else changes nothing."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar, Router
from litestar.di import Provide

from api.app import require_json
from api.errors import HANDLERS
from api.webhooks import WebhookController
from infra.clock import system_clock
from infra.stores.postgres import Postgres
from payments.inbox import Inbox, Webhooks
from payments.stripe.webhooks import LARGEST_BYTES
from tests.payments.stripe.signing import SECRET, event, signed

PATH = "/api/v1/webhooks/stripe"
BEFORE = "whsec_the_one_before"


@pytest.fixture
async def client(db: Postgres) -> AsyncIterator[httpx.AsyncClient]:
    async def webhooks() -> Webhooks:
        return Webhooks(Inbox(db, system_clock), (SECRET, BEFORE), system_clock)

    app = Litestar(
        [Router("/api/v1", route_handlers=[WebhookController])],
        dependencies={"webhooks": Provide(webhooks)},
        before_request=require_json,
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=1 << 20,
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar's names for the same three
    async with httpx.AsyncClient(transport=transport, base_url="https://footlight.test") as client:
        yield client


async def send(client: httpx.AsyncClient, body: bytes, signature: str | None) -> int:
    headers = {"content-type": "application/json; charset=utf-8"}
    if signature is not None:
        headers["stripe-signature"] = signature
    answer = await client.post(PATH, content=body, headers=headers)
    if answer.status_code != 200:
        assert answer.json()["error"] == {
            "code": "payment.webhook", "message": "This is not a signed event of ours.", "details": {}
        }  # fmt: skip
    return answer.status_code


async def stored(db: Postgres) -> list[tuple[str, str, str]]:
    async with db.connection() as connection:
        rows = await connection.fetch("SELECT event_id, type, object_id FROM webhook_inbox ORDER BY event_id")
    return [tuple(row) for row in rows]


def now_signed(body: bytes, secret: str = SECRET) -> str:
    return signed(body, secret, system_clock())


async def test_an_event_is_stored_once_however_often_and_at_once_it_comes(
    client: httpx.AsyncClient, db: Postgres
) -> None:
    body = event()
    answers = await asyncio.gather(*(send(client, body, now_signed(body)) for _ in range(50)))
    assert set(answers) == {200}
    assert await stored(db) == [("evt_1", "customer.subscription.updated", "sub_1")]


async def test_both_secrets_hold_while_one_is_rolled(client: httpx.AsyncClient, db: Postgres) -> None:
    for number, secret in enumerate((SECRET, BEFORE)):
        body = event(event_id=f"evt_{number}")
        assert await send(client, body, now_signed(body, secret)) == 200
    assert len(await stored(db)) == 2


async def test_an_unknown_type_is_taken_too(client: httpx.AsyncClient, db: Postgres) -> None:
    body = event(type_="moon.landed", object_id="m_1")
    assert await send(client, body, now_signed(body)) == 200
    assert await stored(db) == [("evt_1", "moon.landed", "m_1")]


GOOD = event()


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (GOOD, None),
        (GOOD, ""),
        (GOOD, "garbage"),
        (GOOD, now_signed(GOOD, "whsec_wrong")),
        (GOOD, signed(GOOD)),  # of another day
        (GOOD, now_signed(GOOD).replace("v1=", "v0=")),
        (GOOD + b" ", now_signed(GOOD)),
        (b"", now_signed(b"")),
        (b"not json", now_signed(b"not json")),
        (b"\xff\xfe\xff", "t=1,v1=00"),
        (b"{}", now_signed(b"{}")),
        (b"x" * (LARGEST_BYTES + 1), now_signed(b"x" * (LARGEST_BYTES + 1))),
    ],
    ids=[
        "no signature",
        "an empty one",
        "garbage",
        "another secret",
        "another day",
        "an old scheme",
        "another body",
        "nothing",
        "no JSON",
        "no text",
        "no event",
        "too large",
    ],
)
async def test_anything_else_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, db: Postgres, body: bytes, signature: str | None
) -> None:
    assert await send(client, body, signature) == 400
    assert await stored(db) == []


async def test_the_content_type_is_stripes_business(client: httpx.AsyncClient, db: Postgres) -> None:
    body = event()
    answer = await client.post(PATH, content=body, headers={"stripe-signature": now_signed(body)})
    assert answer.status_code == 200
    assert len(await stored(db)) == 1
