"""The whole way: an order, its page in the sandbox, a card, a signed event, the inbox, a look, rights and books."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts import repository as accounts
from accounts.model import SignIn
from infra.clock import system_clock
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.customers import Customers
from payments.disputes import Disputes
from payments.entitlements import Rights
from payments.errors import NoCustomerYet
from payments.inbox import Inbox, Webhooks, Worker
from payments.ledger.journal import Journal
from payments.model import Order
from payments.orders import Orders
from payments.plans import load_plans
from payments.reconcile import Reconciliation
from payments.subscriptions import Subscriptions
from payments.sync import Sync
from tests.accounts.world import World, open_world
from tests.payments.sandbox.receiving import Receiver, open_receiver
from tests.payments.sandbox.running import SECRET, Running, open_running


@dataclass
class Shop:
    """Everything that sells, over the sandbox."""

    world: World
    sandbox: Running
    receiver: Receiver
    subscriptions: Subscriptions
    orders: Orders
    worker: Worker
    reconciliation: Reconciliation
    ada: SignIn

    async def buy(self, plan: str = "premium-monthly", number: str = "4242424242424242") -> Order:
        order = await self.subscriptions.begin(self.ada.user.id, plan, None)
        assert order.stripe_session_id is not None
        await self.sandbox.pay(order.stripe_session_id, number)
        return order

    async def work(self) -> None:
        while await self.worker.work_off():
            pass

    async def tier(self) -> str:
        async with self.world.db.connection() as connection:
            user = await accounts.find(connection, self.ada.user.id)
        assert user is not None
        return user.subscription_tier

    async def booked(self) -> list[str]:
        """Kinds of causes in the books."""
        async with self.world.db.connection() as connection:
            rows = await connection.fetch("SELECT cause FROM journal ORDER BY cause")
        return [row["cause"].partition(":")[0] for row in rows]

    async def customer(self) -> str:
        return str((await self.sandbox.api.v1.customers.list_async()).data[0].id)


@pytest.fixture
async def shop(tmp_path: Path, till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Shop]:
    clock, plans = system_clock, load_plans()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(till_keys, db, redis))
        receiver = await stack.enter_async_context(open_receiver())
        sandbox = await stack.enter_async_context(open_running(tmp_path / "s", webhook_url=receiver.url))
        receiver.webhooks = Webhooks(Inbox(db, clock), (SECRET,), clock)
        rights, journal = Rights(world.accounts, clock), Journal(clock)
        sync = Sync(db, sandbox.calls, rights, journal, plans, outbox=world.outbox, clock=clock)
        sync.also("customer.deleted", Customers(db, sandbox.calls, clock).look)
        sync.also("charge.dispute.", Disputes(db, sandbox.calls, sync).look)
        orders = Orders(db, sandbox.calls, sync, clock)
        selling = Subscriptions(
            db, sandbox.calls, sync, orders, plans, public_url="https://footlight.test", clock=clock
        )
        yield Shop(
            world, sandbox, receiver, selling, orders, Worker(db, sync, clock),
            Reconciliation(db, sandbox.calls, sync, rights), await world.person(),
        )  # fmt: skip


async def test_who_pays_has_what_they_paid_for(shop: Shop) -> None:
    assert await shop.tier() == "free"
    order = await shop.buy()
    await shop.receiver.until("checkout.session.completed")
    await shop.receiver.until("invoice.paid")
    await shop.work()
    assert await shop.tier() == "premium"
    assert (await shop.orders.find(shop.ada.user.id, order.id)).state == "paid"
    assert await shop.booked() == ["fee", "invoice"]


async def test_a_card_that_is_declined_changes_nothing(shop: Shop) -> None:
    order = await shop.subscriptions.begin(shop.ada.user.id, "premium-monthly", None)
    answer = await shop.sandbox.http.post(
        f"/_sandbox/checkout/{order.stripe_session_id}/pay", json={"number": "4000000000000002"}
    )
    assert (answer.status_code, answer.json()["error"]["decline_code"]) == (402, "generic_decline")
    await shop.work()
    assert await shop.tier() == "free"
    assert (await shop.orders.find(shop.ada.user.id, order.id)).state == "open"


async def test_renewals_are_booked_and_a_canceled_subscription_ends(shop: Shop) -> None:
    await shop.buy()
    customer = await shop.customer()
    await shop.sandbox.advance(customer, days=35)
    await shop.receiver.until("invoice.paid", 2)
    await shop.work()
    (running,) = await shop.subscriptions.of(shop.ada.user.id)
    assert await shop.booked() == ["fee", "fee", "invoice", "invoice"]
    await shop.subscriptions.cancel(shop.ada.user.id, running.id)
    await shop.sandbox.advance(customer, days=30)
    await shop.receiver.until("customer.subscription.deleted")
    await shop.work()
    (over,) = await shop.subscriptions.of(shop.ada.user.id)
    assert over.status == "expired"


async def test_what_was_never_told_is_found_and_mended(shop: Shop) -> None:
    await shop.sandbox.switch_webhooks(on=False)
    await shop.buy()
    await shop.work()
    assert await shop.tier() == "free"
    report = await shop.reconciliation.run(None, mend=True)
    assert {one.type for one in report.undelivered} >= {"invoice.paid", "checkout.session.completed"}
    assert await shop.tier() == "premium"
    assert (await shop.reconciliation.run(None, mend=False)).differences == []


async def test_a_dispute_that_is_lost_ends_what_it_paid_for(shop: Shop) -> None:
    await shop.buy(number="4000000000000259")
    await shop.receiver.until("charge.dispute.created")
    await shop.work()
    assert await shop.tier() == "premium", "while the bank decides"
    (dispute,) = [one async for one in shop.sandbox.calls.lists.disputes()]
    await shop.sandbox.do(f"disputes/{dispute.id}", outcome="lost")
    await shop.receiver.until("charge.dispute.closed")
    await shop.work()
    assert await shop.tier() == "free"
    (over,) = await shop.subscriptions.of(shop.ada.user.id)
    assert over.stripe_status == "canceled"


async def test_who_was_deleted_at_stripe_can_buy_again_as_somebody_new(shop: Shop) -> None:
    await shop.buy()
    former = await shop.customer()
    await shop.sandbox.api.v1.customers.delete_async(former)
    await shop.receiver.until("customer.deleted")
    await shop.work()
    assert await shop.tier() == "free", "deleting ends what runs"
    with pytest.raises(NoCustomerYet):
        await shop.subscriptions.portal(shop.ada.user.id)
    await shop.buy()
    await shop.receiver.until("invoice.paid", 2)
    await shop.work()
    assert await shop.tier() == "premium"
    assert await shop.customer() != former
    assert len(await shop.subscriptions.invoices(shop.ada.user.id)) == 1
