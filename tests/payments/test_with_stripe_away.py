"""Stripe is down for a while: the API says so at once, the worker waits, and then catches up by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from infra.breaker import Rules
from infra.clock import system_clock
from infra.metrics import Metrics
from infra.stripe_settings import StripeSettings
from payments.errors import StripeUnavailable
from payments.inbox import Worker
from payments.plans import load_plans
from payments.stripe.calls import Calls
from payments.stripe.client import Patience, open_stripe
from payments.stripe.shapes import Customer
from payments.sync import Sync
from tests.payments.life import bought
from tests.payments.shelf_server import ShelfServer
from tests.payments.stripe.scripted import Says, fails, scripted
from tests.payments.till import Till

QUICK = Patience(tries=2, first_seconds=0.01, seconds=0.5)
RULES = Rules(consecutive=3, open_seconds=0.3)


@asynccontextmanager
async def worker_of(till: Till, server: ShelfServer) -> AsyncIterator[Calls]:
    """A worker with the real client; what it asks for itself is given back."""
    settings = StripeSettings(secret_key="sk_test_1", api_base=server.url, timeout_seconds=0.3)
    async with open_stripe(settings, Metrics(), patience=QUICK, rules=RULES) as stripe:
        calls = Calls(stripe)
        sync = Sync(
            till.db, calls, till.rights, till.journal, load_plans(), outbox=till.world.outbox, clock=system_clock
        )
        running = asyncio.create_task(Worker(till.db, sync, system_clock).run())
        try:
            yield calls
        finally:
            running.cancel()
            await asyncio.wait({running})


@pytest.mark.parametrize(
    "fault", [fails(500), fails(429), Says(hangs=True), Says(resets=True)], ids=["500", "429", "hang", "reset"]
)
async def test_what_came_while_stripe_was_away_is_done_once_it_is_back(till: Till, fault: Says) -> None:
    order = await till.order(await till.world.person(), "channel-2", await _cleo(till))
    server = ShelfServer(till.shelf)
    async with scripted(server), worker_of(till, server):
        server.fault = fault
        for event in bought(till.shelf, order):
            await till.tell(*event)
        await until(lambda: len(server.asked) >= RULES.consecutive)
        assert await till.inbox_states() == {"waiting": 4}
        server.fault = None
        for _ in range(1000):
            if await till.inbox_states() == {"done": 4}:
                break
            await asyncio.sleep(0.02)
    assert await till.inbox_states() == {"done": 4}
    assert [entry.cause for entry in await till.books()] == ["invoice:in_1:paid", "fee:txn_1"]
    assert await till.order_state(order) == "paid"


async def test_the_breaker_spares_stripe_and_whoever_waits(till: Till) -> None:
    server = ShelfServer(till.shelf)
    async with scripted(server), worker_of(till, server) as calls:
        server.fault = Says(hangs=True)
        for _ in range(RULES.consecutive):
            with pytest.raises(StripeUnavailable):
                await calls.customer("cus_1")
        before = len(server.asked)
        for _ in range(50):
            with pytest.raises(StripeUnavailable) as away:
                await calls.customer("cus_1")
            assert away.value.code == "payment.stripe"
            assert away.value.retry_after_ms
        assert len(server.asked) - before <= 2, "only probes ask"


async def test_nobody_waits_for_finding_out_whether_stripe_is_back(till: Till) -> None:
    server, patience = ShelfServer(till.shelf), Patience(tries=1, first_seconds=0.01, seconds=0.1, probes_apart=True)
    till.shelf.put(Customer(id="cus_1"))
    async with scripted(server):
        settings = StripeSettings(secret_key="sk_test_1", api_base=server.url, timeout_seconds=0.3)
        async with open_stripe(settings, Metrics(), patience=patience, rules=RULES) as stripe:
            calls, server.fault = Calls(stripe), Says(hangs=True)
            for _ in range(RULES.consecutive):
                with pytest.raises(StripeUnavailable):
                    await calls.customer("cus_1")
            asked = [one.path for one in server.asked]
            for _ in range(100):  # over many times that it may be asked anew
                with pytest.raises(StripeUnavailable):
                    await calls.customer("cus_1")
                await asyncio.sleep(0.01)
            assert {one.path for one in server.asked[len(asked) :]} == {"/v1/prices?limit=1"}
            server.fault = None
            for _ in range(1000):
                with contextlib.suppress(StripeUnavailable):
                    await calls.customer("cus_1")
                    return
                await asyncio.sleep(0.01)
    raise AssertionError("it never came back")


async def _cleo(till: Till) -> str:
    return (await till.world.person("cleo@example.com", "Cleo")).user.id


async def until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")
