"""Stripe's webhook under load: how long does an answer take, and is each event stored once?"""

import asyncio
import time
from collections.abc import Mapping

import aiohttp
import msgspec
import stripe

from infra.local.folder import environment_of
from infra.settings import PostgresSettings
from infra.stores.postgres import open_postgres
from loadtest.stack import Stack
from loadtest.tables import percentile, table

SECRET = "whsec_of_the_load_test"  # noqa: S105  # a platform that lives for a minute, on loopback
EVENTS_A_SECOND = 200
COPIES = 50
SECONDS = 15.0
PADDING = "x" * 4000  # an event of Stripe's has 3 to 8 KB
GOAL_MS = 50
# Nobody answers there: what is measured is taking events, not working them off.
ENVIRONMENT: Mapping[str, str] = {
    "FOOTLIGHT_STRIPE_SECRET_KEY": "sk_test_1",
    "FOOTLIGHT_STRIPE_WEBHOOK_SECRETS": SECRET,
    "FOOTLIGHT_STRIPE_API_BASE": "http://127.0.0.1:9",
}
METHOD = (
    f"{EVENTS_A_SECOND} requests a second, each event {COPIES} times, 4 KB, signed, two nodes of `footlight up` and "
    "the sender on the same two cores; what is stored is counted afterwards."
)


async def measure(stack: Stack) -> str:
    """Send for `SECONDS`; returns the table."""
    times: list[float] = []
    async with aiohttp.ClientSession(stack.web, connector=aiohttp.TCPConnector(limit=0)) as web:
        began, sending = time.monotonic(), set[asyncio.Task[None]]()
        for number in range(int(EVENTS_A_SECOND * SECONDS)):
            await asyncio.sleep(began + number / EVENTS_A_SECOND - time.monotonic())
            sending.add(asyncio.create_task(send(web, f"evt_{number // COPIES}", times)))
        await asyncio.gather(*sending)
    sent = len({number // COPIES for number in range(int(EVENTS_A_SECOND * SECONDS))})
    row = (
        EVENTS_A_SECOND, *(percentile(times, share) for share in (0.5, 0.95, 0.99)), f"<= {GOAL_MS}", sent,
        await stored(stack),
    )  # fmt: skip
    columns = ("requests/s", "p50 ms", "p95 ms", "p99 ms", "goal p95 ms", "events", "stored")
    return table("Stripe's webhook", METHOD, columns, [row])


async def send(web: aiohttp.ClientSession, event_id: str, times: list[float]) -> None:
    body = msgspec.json.encode(
        {
            "id": event_id, "object": "event", "type": "load.test", "created": int(time.time()),
            "data": {"object": {"id": "load_1", "padding": PADDING}},
        }
    )  # fmt: skip
    headers = {
        "stripe-signature": stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET),
        "content-type": "application/json",
    }
    started = time.perf_counter()
    async with web.post("/api/v1/webhooks/stripe", data=body, headers=headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {await answer.text()}")
    times.append((time.perf_counter() - started) * 1000)


async def stored(stack: Stack) -> int:
    url = environment_of(stack.folder)["FOOTLIGHT_POSTGRES_URL"]
    async with open_postgres(PostgresSettings(url=url, pool_size=1)) as db, db.connection() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM webhook_inbox WHERE type = 'load.test'")
    return found
