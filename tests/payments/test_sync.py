"""Rows, rights and books follow Stripe's objects, whatever the order of events, however often they come."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.model import SignIn
from infra.clock import new_id
from payments import repository
from payments.model import Order
from payments.reconcile import Reconciliation
from payments.stripe.shapes import BalanceTransaction, Dispute
from tests.payments.life import LIFE, at, bought, cancelled, failed, over, partly_refunded
from tests.payments.till import Till, without_times

# `LIVES=1000 pytest tests/payments/test_sync.py` for the long run.
LIVES = int(os.environ.get("LIVES", "15"))
MOST_EVENTS = 25
STEPS = st.lists(
    st.tuples(st.integers(0, MOST_EVENTS), st.integers(0, len(LIFE) - 1), st.booleans()), max_size=30
)  # which event comes, after which step of the life at the earliest, and whether somebody works it off at once
SHUFFLED = st.permutations(range(MOST_EVENTS))

lives = settings(max_examples=LIVES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Family:
    """A viewer who subscribes, and the creator."""

    viewer: SignIn
    creator: SignIn
    order_id: str

    async def order(self, till: Till) -> Order:
        return await till.order(self.viewer, "channel-2", self.creator.user.id, id=self.order_id)


@pytest.fixture
async def family(till: Till) -> Family:
    return Family(await till.world.person(), await till.world.person("cleo@example.com", "Cleo"), new_id())


async def outcome(till: Till, family: Family, order: Order) -> dict[str, Any]:
    """Everything that must be the same, however we came to know of it."""
    books = await till.books()
    return {
        "subscriptions": [without_times(one) for one in await till.subscriptions(family.viewer)],
        "rights": await till.rights_of(family.viewer),
        "order": await till.order_state(order),
        "causes": sorted(entry.cause for entry in books),
        "books": {entry.cause: entry for entry in books},
    }


async def in_order(till: Till, family: Family) -> dict[str, Any]:
    await till.clear()
    order = await family.order(till)
    for step in LIFE:
        for type_, object_id in step(till.shelf, order):
            await till.tell(type_, object_id)
            await till.work()
    return await outcome(till, family, order)


async def test_a_life_in_order_leaves_what_an_accountant_expects(till: Till, family: Family) -> None:
    found = await in_order(till, family)
    [row], [right] = found["subscriptions"], found["rights"]
    assert (row["status"], row["plan_id"], found["order"]) == ("expired", "channel-2", "paid")
    assert (right.scope, right.level, right.until) == (f"channel:{family.creator.user.id}", 2, row["ended_at"])
    assert found["causes"] == sorted(
        [
            "invoice:in_1:paid", "invoice:in_2:paid", "invoice:in_3:paid", "fee:txn_1", "fee:txn_2", "fee:txn_3",
            "fee:txn_d1", "fee:txn_d2", "refund:re_1", "refund:re_2", "dispute:du_1:opened", "dispute:du_1:won",
        ]
    )  # fmt: skip
    owed = sum(entry.amount_of(f"creator:{family.creator.user.id}") for entry in found["books"].values())
    assert owed == -(3 * 699 - 699 * 833 // 1094), "70 % of three months, less the part of what was given back"


@lives
@given(steps=STEPS, last=SHUFFLED)
async def test_every_order_of_events_ends_the_same(
    till: Till, family: Family, steps: list[tuple[int, int, bool]], last: list[int]
) -> None:
    expected = await in_order(till, family)
    await till.clear()
    order = await family.order(till)
    known: list[tuple[str, str]] = []
    for number, step in enumerate(LIFE):
        known += step(till.shelf, order)
        for event, earliest, at_once in steps:
            if earliest == number:
                index = event % len(known)
                await till.tell(*known[index], event_id=f"evt_{index}")
                if at_once:
                    await till.work()
    for index in last:  # what has not come yet, comes days late; what has, comes again
        if index < len(known):
            await till.tell(*known[index], event_id=f"late_{index}")
    await till.work()
    assert await outcome(till, family, order) == expected
    assert set(await till.inbox_states()) <= {"done", "ignored"}


@lives
@given(steps=STEPS)
async def test_what_no_event_ever_told_reconciling_finds(
    till: Till, family: Family, steps: list[tuple[int, int, bool]]
) -> None:
    expected = await in_order(till, family)
    await till.clear()
    order = await family.order(till)
    known: list[tuple[str, str]] = []
    for number, step in enumerate(LIFE):
        known += step(till.shelf, order)
        for event, earliest, _ in steps[:3]:
            if earliest == number:
                await till.tell(*known[event % len(known)])
                await till.work()
    reconciliation = Reconciliation(till.db, till.shelf, till.sync, till.rights)
    before = await outcome(till, family, order)
    found = await reconciliation.run(None, mend=False)
    assert await outcome(till, family, order) == before, "looking changes nothing"
    assert found.is_clean == (before == expected)
    assert (await reconciliation.run(None, mend=True)).is_clean
    assert await outcome(till, family, order) == expected
    assert (await reconciliation.run(None, mend=False)).differences == []


async def test_fifty_copies_at_once_have_one_effect(till: Till, family: Family) -> None:
    order = await family.order(till)
    events = bought(till.shelf, order)
    copies = [till.tell(*event, event_id=f"evt_{event[1]}") for event in events for _ in range(50)]
    assert sum(await asyncio.gather(*copies)) == len(events)
    till.shelf.seconds = 0.01
    await asyncio.gather(*(till.work() for _ in range(4)))
    found = await outcome(till, family, order)
    assert found["causes"] == ["fee:txn_1", "invoice:in_1:paid"]
    assert len(found["subscriptions"]) == len(found["rights"]) == 1
    assert len(await till.events("payment.order_changed")) == 1
    assert len(await till.events("payment.earnings_changed")) == 1
    assert len(await till.events("payment.subscription_changed")) == 1


async def test_a_look_that_is_slow_does_not_overwrite_one_that_saw_more(till: Till, family: Family) -> None:
    """Without the lock before the fetch, who fetched first and wrote last would win."""
    order = await family.order(till)
    bought(till.shelf, order)
    till.shelf.seconds = 0.2
    slow = asyncio.create_task(till.sync.look("subscription", "sub_1"))
    await asyncio.sleep(0.1)  # it holds what it saw
    till.shelf.seconds = 0.0
    over(till.shelf, order)
    await till.sync.look("subscription", "sub_1")
    await slow
    [row] = await till.subscriptions(family.viewer)
    assert row.status == "expired"


async def test_a_failed_card_leaves_seven_days(till: Till, family: Family) -> None:
    order = await family.order(till)
    bought(till.shelf, order)
    failed(till.shelf, order)
    await till.sync.look("subscription", "sub_1")
    [row], [right] = await till.subscriptions(family.viewer), await till.rights_of(family.viewer)
    assert row.status == "active"
    assert row.unpaid_since == row.current_period_start
    assert right.in_grace
    assert right.until == row.grace_until
    assert right.until is not None
    assert (right.until - row.current_period_start).days == 7


async def test_a_cancelled_one_ends_with_its_period_and_a_running_one_does_not_flicker(
    till: Till, family: Family
) -> None:
    order = await family.order(till)
    bought(till.shelf, order)
    await till.sync.look("subscription", "sub_1")
    [row], [right] = await till.subscriptions(family.viewer), await till.rights_of(family.viewer)
    assert right.until is not None
    assert right.until > row.current_period_end
    cancelled(till.shelf, order)
    await till.sync.look("subscription", "sub_1")
    [row], [right] = await till.subscriptions(family.viewer), await till.rights_of(family.viewer)
    assert (row.status, right.until) == ("canceled", row.current_period_end)


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired"])
async def test_what_was_never_paid_gives_nothing(till: Till, family: Family, status: str) -> None:
    bought(till.shelf, await family.order(till))
    till.shelf.change("sub_1", status=status)
    await till.sync.look("subscription", "sub_1")
    assert await till.subscriptions(family.viewer) == []
    assert await till.rights_of(family.viewer) == []


@pytest.mark.parametrize("metadata", [{}, {"footlight_user": "x"}, {"footlight_user": new_id()}, {"theirs": "1"}])
async def test_what_others_sell_by_the_same_account_is_not_ours(
    till: Till, family: Family, metadata: dict[str, str]
) -> None:
    order = await family.order(till)
    events = bought(till.shelf, order)
    till.shelf.change("sub_1", metadata=metadata)
    till.shelf.change("cs_1", metadata=metadata)
    invoice: Any = till.shelf.objects["in_1"]
    billed = msgspec.structs.replace(invoice.subscription, metadata=metadata)
    till.shelf.change("in_1", parent=msgspec.structs.replace(invoice.parent, subscription_details=billed))
    for event in events:
        await till.tell(*event)
    await till.work()
    assert await till.books() == []
    assert await till.subscriptions(family.viewer) == []
    assert await till.order_state(order) == "open"
    assert set(await till.inbox_states()) == {"done"}


async def test_a_failed_refund_is_taken_back_in_the_books(till: Till, family: Family) -> None:
    order = await family.order(till)
    bought(till.shelf, order)
    LIFE[1](till.shelf, order)
    partly_refunded(till.shelf, order)
    await till.sync.look("refund", "re_1")
    till.shelf.change("re_1", status="failed")
    await till.sync.look("refund", "re_1")
    back = [entry for entry in await till.books() if entry.cause.startswith("refund:re_1")]
    assert [entry.kind for entry in back] == ["refund", "refund_failed"]
    assert all(sum(entry.amount_of(line.account) for entry in back) == 0 for line in back[0].lines)


async def test_a_creators_own_charges_are_none_of_ours_and_their_account_is(till: Till) -> None:
    looked: list[str] = []

    async def look(account_id: str) -> None:
        looked.append(account_id)

    till.sync.also("account.updated", look, connected=True)
    await till.tell("charge.succeeded", "ch_theirs", account="acct_1")
    await till.tell("account.updated", "acct_1", account="acct_1")
    await till.work()
    assert looked == ["acct_1"]
    assert await till.inbox_states() == {"done": 1, "ignored": 1}


async def test_a_failed_refund_is_booked_on_the_day_it_failed_and_an_operator_hears_of_it(
    till: Till, family: Family, capsys: pytest.CaptureFixture[str]
) -> None:
    order = await family.order(till)
    for step in LIFE[:2]:
        step(till.shelf, order)
    partly_refunded(till.shelf, order)
    came_back = BalanceTransaction(
        id="txn_f", amount=333, fee=0, currency="eur", created=at(2.5), type="refund_failure"
    )
    till.shelf.change("re_1", status="failed", failure_balance_transaction=came_back)
    await till.sync.look("refund", "re_1")
    times = {entry.kind: int(entry.at.timestamp()) for entry in await till.books()}
    assert (times["refund"], times["refund_failed"]) == (at(2.1), at(2.5))
    assert "refund.failed" in capsys.readouterr().out


@pytest.mark.parametrize("first", ["invoice.paid", "customer.subscription.created"])
async def test_a_subscription_that_an_operator_made_is_booked_whichever_event_comes_first(
    till: Till, family: Family, first: str
) -> None:
    order = await till.order(family.viewer)
    events = sorted(bought(till.shelf, order), key=lambda event: event[0] != first)
    seen: Any = till.shelf.objects["sub_1"]
    price = msgspec.structs.replace(seen.item.price, lookup_key="premium-monthly")
    items = msgspec.structs.replace(seen.items, data=[msgspec.structs.replace(seen.item, price=price)])
    till.shelf.change("sub_1", metadata={}, items=items)
    invoice: Any = till.shelf.objects["in_1"]
    billed = msgspec.structs.replace(invoice.subscription, metadata={})
    till.shelf.change("in_1", parent=msgspec.structs.replace(invoice.parent, subscription_details=billed))
    async with till.db.connection() as connection:
        await repository.put_customer(connection, family.viewer.user.id, "cus_1", till.clock())
    for event in events:
        await till.tell(*event)
        await till.work()
    [payment] = [entry for entry in await till.books() if entry.kind == "payment"]
    assert (payment.sale.source, payment.sale.payer_id) == ("premium", family.viewer.user.id)
    assert len(await till.subscriptions(family.viewer)) == 1


async def test_a_fee_in_another_currency_is_said_to_an_operator(
    till: Till, family: Family, capsys: pytest.CaptureFixture[str]
) -> None:
    bought(till.shelf, await family.order(till))
    payment: Any = till.shelf.objects["pi_1"]
    change = msgspec.structs.replace(payment.latest_charge.balance_transaction, currency="usd")
    till.shelf.change("pi_1", latest_charge=msgspec.structs.replace(payment.latest_charge, balance_transaction=change))
    await till.sync.look("payment", "pi_1")
    assert {entry.currency for entry in await till.books()} == {"eur", "usd"}
    assert "books.converted" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["prevented", "warning_needs_response"])
async def test_a_dispute_that_took_no_money_is_not_in_the_books(till: Till, family: Family, status: str) -> None:
    bought(till.shelf, await family.order(till))
    till.shelf.put(
        Dispute(
            id="du_1", amount=5, currency="eur", created=at(0.1), status=status, charge="ch_1", payment_intent="pi_1"
        )
    )
    await till.sync.look("payment", "pi_1")
    assert {entry.kind for entry in await till.books()} == {"payment", "fee"}
