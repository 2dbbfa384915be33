"""What administrators do with other people's money: guarded, written down, and done once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from accounts.model import Identity
from infra.clock import new_id
from infra.errors import FootlightError, Invalid
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.errors import (
    AdminsOnly,
    ChannelNotForSale,
    CustomerNotFound,
    FreshSignInNeeded,
    GivenNotFound,
    NameNotUnique,
    OwnChannel,
    PaymentNotFound,
    PlanDoesNotFit,
    PlanUnknown,
    RefundDiffers,
    RefundTooLarge,
    StripeRefused,
    StripeUnavailable,
)
from payments.model import Order
from payments.payouts import ready
from payments.stripe.refusals import final_refusal
from tests.payments.desk import Counter, Desk, refused
from tests.payments.life import PRICE, TAX, bought
from tests.payments.till import open_till

WHOLE = PRICE + TAX


@pytest.fixture
async def desk(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Desk]:
    counter = Counter()
    async with open_till(till_keys, db, redis, shelf=counter) as till:
        yield Desk(till, counter)


@pytest.fixture
async def root(desk: Desk) -> Identity:
    return await desk.someone("root@example.com", "admin")


@pytest.fixture
async def sold(desk: Desk) -> Order:
    """A subscription of Bea's to Ada's channel, paid once: `invoice:in_1`."""
    bea, ada = await desk.till.world.person("bea@example.com", "Bea"), await desk.someone("ada@example.com", "creator")
    order = await desk.till.order(bea, "channel-2", ada.user_id)
    bought(desk.counter, order)
    await desk.till.sync.look("subscription", "sub_1")
    await desk.till.sync.look("payment", "pi_1")
    return order


async def state_of(desk: Desk, order: Order) -> str:
    """Of its subscription, as we know it."""
    async with desk.till.db.connection() as connection:
        found = await connection.fetchval("SELECT stripe_status FROM subscriptions WHERE user_id = $1", order.user_id)
    return str(found)


async def deeds(desk: Desk) -> list[tuple[str, str | None, str]]:
    async with desk.till.db.connection() as connection:
        rows = await connection.fetch("SELECT action, user_id, reason FROM payment_audit ORDER BY at, id")
    return [(row["action"], row["user_id"], row["reason"]) for row in rows]


async def test_without_the_role_or_a_fresh_sign_in_nothing_can_be_done(desk: Desk, root: Identity) -> None:
    creator = await desk.someone("ada@example.com", "creator")
    for who, error in ((creator, AdminsOnly), (root, FreshSignInNeeded)):
        desk.fresh.clear()
        attempts = (
            desk.admin.look_up(who, "ada@example.com"),
            desk.admin.deeds(who, None, None, 10),
            desk.admin.comp(who, creator.user_id, "premium-monthly", None, None, "why"),
            desk.admin.end_comp(who, creator.user_id, "comp:x", "why"),
            desk.admin.freeze(who, creator.user_id, "why"),
            desk.admin.unfreeze(who, creator.user_id, "why"),
            desk.refunds.refund(who, "invoice:in_1", None, "why", "key"),
        )
        for attempt in attempts:
            with pytest.raises(error):
                await attempt
    assert await deeds(desk) == []


async def test_a_refund_leaves_the_subscription_or_ends_it_at_once(desk: Desk, root: Identity, sold: Order) -> None:
    kept = await desk.refunds.refund(root, "invoice:in_1", 94, "kind", "k1")
    assert (kept.ended, desk.counter.ended) == (None, [])
    assert await state_of(desk, sold) == "active"

    with pytest.raises(RefundDiffers):
        await desk.refunds.refund(root, "invoice:in_1", 94, "kind", "k1", ends=True)
    over = await desk.refunds.refund(root, "invoice:in_1", None, "kinder", "k2", ends=True)
    again = await desk.refunds.refund(root, "invoice:in_1", None, "kinder", "k2", ends=True)
    assert over == again
    assert (over.ended, len(desk.counter.ended)) == ("sub_1", 1)
    assert await state_of(desk, sold) == "canceled"


async def test_a_refund_that_could_not_end_the_subscription_does_so_when_asked_again(
    desk: Desk, root: Identity, sold: Order
) -> None:
    failing = desk.counter.end_now

    async def away(subscription_id: str, *, key: str) -> Any:
        raise StripeUnavailable

    desk.counter.end_now = away  # type: ignore[method-assign]
    with pytest.raises(StripeUnavailable):
        await desk.refunds.refund(root, "invoice:in_1", None, "kind", "k", ends=True)
    desk.counter.end_now = failing  # type: ignore[method-assign]
    done = await desk.refunds.refund(root, "invoice:in_1", None, "kind", "k", ends=True)
    assert (done.ended, done.left_minor, len(desk.counter.keys)) == ("sub_1", 0, 1)
    assert await state_of(desk, sold) == "canceled"


async def test_a_payment_is_given_back_in_parts_until_nothing_is_left(desk: Desk, root: Identity, sold: Order) -> None:
    part = await desk.refunds.refund(root, "invoice:in_1", 94, "kind", "k1")
    assert (part.amount_minor, part.left_minor) == (94, WHOLE - 94)
    rest = await desk.refunds.refund(root, "invoice:in_1", None, "kinder", "k2")
    assert (rest.amount_minor, rest.left_minor) == (WHOLE - 94, 0)
    with pytest.raises(RefundTooLarge) as error:
        await desk.refunds.refund(root, "invoice:in_1", 1, "too kind", "k3")
    assert error.value.details == {"left": 0}
    for wrong in (0, -5):
        with pytest.raises(RefundTooLarge):
            await desk.refunds.refund(root, "invoice:in_1", wrong, "odd", new_id())
    assert sorted(entry.kind for entry in await desk.till.books()) == ["fee", "payment", "refund", "refund"]
    assert [(action, reason) for action, _, reason in await deeds(desk)] == [
        ("refund_asked", "kind"), ("refund", "kind"), ("refund_asked", "kinder"), ("refund", "kinder"),
    ]  # fmt: skip
    assert {user_id for _, user_id, _ in await deeds(desk)} == {sold.user_id}


async def test_the_same_request_gives_back_once_also_all_at_once_and_after_a_lost_answer(
    desk: Desk, root: Identity, sold: Order
) -> None:
    desk.counter.failure = StripeUnavailable()
    with pytest.raises(StripeUnavailable):
        await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key")
    assert [action for action, _, _ in await deeds(desk)] == ["refund_asked"]
    desk.counter.failure = None
    again = [desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key") for _ in range(5)]
    assert {one.refund_id for one in await asyncio.gather(*again)} == {"re_1"}
    assert [action for action, _, _ in await deeds(desk)] == ["refund_asked", "refund"]
    for reference, amount in (("invoice:in_1", 101), ("payment:pi_9", 100)):
        with pytest.raises((RefundDiffers, PaymentNotFound)):
            await desk.refunds.refund(root, reference, amount, "kind", "key")
    assert len(desk.counter.keys) == 1


@pytest.mark.parametrize("lost", [None, StripeUnavailable()])
async def test_the_same_request_is_the_same_refund_also_when_stripe_has_forgotten_the_key(
    desk: Desk, root: Identity, sold: Order, lost: Exception | None
) -> None:
    desk.counter.failure = lost
    with contextlib.suppress(StripeUnavailable):
        await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key")
    desk.counter.failure = None
    desk.counter.keys.clear()  # a day went by
    again = await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key")
    assert (again.refund_id, again.amount_minor, again.left_minor) == ("re_1", 100, WHOLE - 100)
    assert desk.counter.keys == {}
    assert [action for action, _, _ in await deeds(desk)] == ["refund_asked", "refund"]


async def test_what_was_turned_down_stays_so_under_its_key(desk: Desk, root: Identity, sold: Order) -> None:
    for code, error in (("charge_disputed", RefundTooLarge), ("odd", StripeRefused)):
        desk.counter.refuses = code
        with pytest.raises(error):
            await desk.refunds.refund(root, "invoice:in_1", 100, "kind", code)
        desk.counter.refuses = None
        with pytest.raises(error):
            await desk.refunds.refund(root, "invoice:in_1", 100, "kind", code)
    assert desk.counter.keys == {}
    assert (await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "another")).amount_minor == 100


async def test_of_an_invoice_s_attempts_the_one_that_was_paid_is_given_back(
    desk: Desk, root: Identity, sold: Order
) -> None:
    [paid] = desk.counter.invoice_payments
    tried = msgspec.structs.replace(
        paid, id="inpay_0", status="canceled", payment=msgspec.structs.replace(paid.payment, payment_intent="pi_0")
    )
    desk.counter.invoice_payments.insert(0, tried)
    assert (await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key")).refund_id == "re_1"


@pytest.mark.parametrize(("code", "error"), [("charge_already_refunded", RefundTooLarge), ("odd", StripeRefused)])
async def test_what_stripe_turns_down_is_written_down_and_said(
    desk: Desk, root: Identity, sold: Order, code: str, error: type[FootlightError]
) -> None:
    desk.counter.refuses = code
    with pytest.raises(error):
        await desk.refunds.refund(root, "invoice:in_1", 100, "kind", "key")
    assert [action for action, _, _ in await deeds(desk)] == ["refund_asked", "refund_refused"]


async def test_an_unknown_payment_cannot_be_given_back(desk: Desk, root: Identity) -> None:
    for reference in ("invoice:in_none", "payment:pi_none", "payout:1", ""):
        with pytest.raises(PaymentNotFound):
            await desk.refunds.refund(root, reference, None, "why", "key")


async def test_a_right_given_away_counts_until_it_is_taken_back(desk: Desk, root: Identity) -> None:
    bea, ada = await desk.someone("bea@example.com"), await desk.someone("ada@example.com", "creator")
    given = await desk.admin.comp(root, bea.user_id, "channel-2", ada.user_id, None, "sorry")
    accounts = desk.till.world.accounts
    assert (await accounts.me(bea)).channels == {ada.user_id: 2}
    ended = await desk.admin.end_comp(root, bea.user_id, given.source, "enough")
    assert ended.until is not None
    assert (await accounts.me(bea)).channels == {}
    with pytest.raises(GivenNotFound):
        await desk.admin.end_comp(root, bea.user_id, given.source, "again")
    (newest, first), _ = await desk.admin.deeds(root, bea.user_id, None, 10)
    assert (first.action, first.about, first.before) == ("comp", given.source, [])
    assert (newest.before["until"], newest.after["until"] is not None) == (None, True)
    await desk.admin.comp(root, bea.user_id, "premium-monthly", None, desk.till.clock() + timedelta(days=30), "x")
    assert (await accounts.me(bea)).subscription_tier == "premium"


async def test_what_cannot_be_given_away_is_refused_and_leaves_no_trace(desk: Desk, root: Identity) -> None:
    bea, ada = await desk.someone("bea@example.com"), await desk.someone("ada@example.com", "creator")
    cases: list[tuple[tuple[Any, ...], type[FootlightError]]] = [
        ((new_id(), "premium-monthly", None, None, "why"), CustomerNotFound),
        ((bea.user_id, "gold", None, None, "why"), PlanUnknown),
        ((bea.user_id, "premium-monthly", ada.user_id, None, "why"), PlanDoesNotFit),
        ((bea.user_id, "channel-1", None, None, "why"), PlanDoesNotFit),
        ((ada.user_id, "channel-1", bea.user_id, None, "why"), ChannelNotForSale),
        ((ada.user_id, "channel-1", ada.user_id, None, "why"), OwnChannel),
        ((bea.user_id, "premium-monthly", None, desk.till.clock(), "why"), Invalid),
    ]
    for arguments, error in cases:
        with pytest.raises(error):
            await desk.admin.comp(root, *arguments)
    with pytest.raises(GivenNotFound):
        await desk.admin.end_comp(root, bea.user_id, f"subscription:{new_id()}", "why")
    assert await deeds(desk) == []


async def test_payouts_are_stopped_and_let_go_with_what_was_before(desk: Desk, root: Identity) -> None:
    ada = await desk.someone("ada@example.com", "creator")
    stopped = await desk.admin.freeze(root, ada.user_id, "stolen cards")
    assert (stopped.frozen_reason, stopped.frozen_at is not None) == ("stolen cards", True)
    with pytest.raises(FootlightError, match="stopped"):
        ready(stopped)
    freed = await desk.admin.unfreeze(root, ada.user_id, "a mistake")
    assert (freed.frozen_at, freed.frozen_reason) == (None, None)
    (newest, first), _ = await desk.admin.deeds(root, ada.user_id, None, 10)
    assert (first.after["frozen_reason"], newest.before["frozen_reason"]) == ("stolen cards", "stolen cards")
    with pytest.raises(CustomerNotFound):
        await desk.admin.freeze(root, new_id(), "why")


async def test_a_customer_is_found_by_whatever_support_was_told(desk: Desk, root: Identity, sold: Order) -> None:
    await desk.refunds.refund(root, "invoice:in_1", 94, "kind", "k")
    async with desk.till.db.connection() as connection:
        await connection.execute(
            "INSERT INTO stripe_customers (user_id, stripe_customer_id, created_at) VALUES ($1, 'cus_9', now())",
            sold.user_id,
        )
    names = (
        "bea@example.com",
        " BEA@example.com ",
        " bea",
        sold.user_id,
        sold.id,
        "cus_9",
        "sub_1",
        "in_1",
        "re_1",
        "invoice:in_1",
    )
    for text in names:
        found = await desk.admin.look_up(root, text)
        assert found.user.id == sold.user_id, text
    assert [one.id for one in found.orders] == [sold.id]
    assert [one.stripe_subscription_id for one in found.subscriptions] == ["sub_1"]
    (payment,) = found.payments
    assert (payment.reference, payment.paid_minor, payment.left_minor) == ("invoice:in_1", WHOLE, WHOLE - 94)
    assert [one.source for one in found.rights] == [f"subscription:{sold.id}"]
    assert found.stripe_customer_id == "cus_9"
    assert len([one for one in await deeds(desk) if one[0] == "look_up"]) == len(names)
    creator = await desk.admin.look_up(root, "ada@example.com")
    assert [one.currency for one in creator.balances] == ["eur"]
    for text in ("nobody@example.com", new_id(), "cus_none", "", "@", "x" * 200):
        with pytest.raises(CustomerNotFound):
            await desk.admin.look_up(root, text)
    await desk.till.world.person("bea@example.org", "BEA")
    with pytest.raises(NameNotUnique):
        await desk.admin.look_up(root, "Bea")


async def test_the_audit_comes_in_pages_and_cannot_be_rewritten(desk: Desk, root: Identity) -> None:
    for number in range(3):
        await desk.admin.freeze(root, root.user_id, f"why {number}")
    first, cursor = await desk.admin.deeds(root, None, None, 2)
    second, end = await desk.admin.deeds(root, None, cursor, 2)
    assert ([one.reason for one in [*first, *second]], end) == (["why 2", "why 1", "why 0"], None)
    async with desk.till.db.connection() as connection:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("UPDATE payment_audit SET reason = 'none of it'")


def test_a_refusal_for_good_is_told_from_the_rest() -> None:

    assert final_refusal(refused("x")) == "x"
    assert final_refusal(StripeRefused()) is None
    assert final_refusal(StripeUnavailable()) is None
