"""A subscription whose payment a bank took back for good ends; nothing else does."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.disputes import Disputes
from payments.errors import StripeUnavailable
from payments.stripe import shapes
from tests.payments.desk import Counter
from tests.payments.life import PRICE, TAX, at, bought
from tests.payments.till import Till, open_till

DISPUTE = shapes.Dispute(
    id="du_9", amount=PRICE + TAX, currency="eur", created=at(0.2), status="needs_response", charge="ch_1",
    payment_intent="pi_1",
    balance_transactions=[
        shapes.BalanceTransaction(
            id="txn_d9", amount=-PRICE - TAX, fee=1500, currency="eur", created=at(0.2), type="adjustment"
        )
    ],
)  # fmt: skip


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
async def till(till_keys: Path, db: Postgres, redis: Redis, counter: Counter) -> AsyncIterator[Till]:
    """Bea has subscribed to Ada's channel and paid once; disputes are looked after."""
    async with open_till(till_keys, db, redis, shelf=counter) as till:
        till.sync.also("charge.dispute.", Disputes(till.db, counter, till.sync).look)
        bea, ada = await till.world.person("bea@example.com", "Bea"), await till.world.person("ada@example.com", "Ada")
        bought(counter, await till.order(bea, "channel-2", ada.user.id))
        await till.tell("invoice.paid", "in_1")
        await till.tell("customer.subscription.created", "sub_1")
        await till.work()
        yield till


async def status_of(till: Till) -> str:
    async with till.db.connection() as connection:
        return str(await connection.fetchval("SELECT stripe_status FROM subscriptions"))


async def told(till: Till, counter: Counter, status: str, type_: str) -> None:
    counter.put(msgspec.structs.replace(DISPUTE, status=status))
    await till.tell(type_, "du_9")
    await till.work()


async def test_while_the_bank_decides_the_right_stands(till: Till, counter: Counter) -> None:
    await told(till, counter, "needs_response", "charge.dispute.created")
    await told(till, counter, "won", "charge.dispute.closed")
    assert (await status_of(till), counter.ended) == ("active", [])


async def test_a_lost_one_ends_the_subscription_once_however_often_it_is_told(till: Till, counter: Counter) -> None:
    await told(till, counter, "lost", "charge.dispute.closed")
    await told(till, counter, "lost", "charge.dispute.created")
    assert (await status_of(till), counter.ended) == ("canceled", ["lost:du_9"])
    assert "dispute:du_9:lost" in {entry.cause for entry in await till.books()}


async def test_one_that_is_lost_while_stripe_is_away_ends_it_later(till: Till, counter: Counter) -> None:
    counter.failure = StripeUnavailable()
    await told(till, counter, "lost", "charge.dispute.closed")
    assert await status_of(till) == "active"
    counter.failure = None
    await till.tell("charge.dispute.updated", "du_9")
    await till.work()
    assert await status_of(till) == "canceled"


async def test_what_others_sell_by_the_same_account_is_left_alone(till: Till, counter: Counter) -> None:
    async with till.db.connection() as connection:
        await connection.execute("UPDATE subscriptions SET stripe_subscription_id = 'sub_other'")
    await told(till, counter, "lost", "charge.dispute.closed")
    assert counter.ended == []
