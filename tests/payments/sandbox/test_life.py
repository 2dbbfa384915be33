"""A subscription from its first payment to its end, by a test clock; and what goes wrong on the way."""

import time

import pytest

from payments.errors import PaymentRefused
from payments.stripe.errors import NoSuchObject
from payments.stripe.shapes import Invoice, Subscription
from tests.payments.sandbox.buying import customer, paid_once, price, subscribed, subscription_page
from tests.payments.sandbox.running import Running

DAY = 24 * 3600


async def invoices_of(sandbox: Running, sub: Subscription) -> list[Invoice]:
    return [one async for one in sandbox.calls.lists.invoices(subscription=sub.id)]


async def again(sandbox: Running, sub: Subscription) -> Subscription:
    return await sandbox.calls.subscription(sub.id)


async def test_each_period_is_paid_when_it_begins(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    await sandbox.advance(ada, days=100)
    now = await again(sandbox, sub)
    invoices = await invoices_of(sandbox, sub)
    assert [(one.status, one.total) for one in invoices] == [("paid", 499)] * 4
    assert now.status == "active"
    assert now.latest_invoice == invoices[0].id
    assert now.item.current_period_start > sub.item.current_period_end
    assert [one.number for one in invoices] == sorted({one.number for one in invoices if one.number}, reverse=True)
    assert len([one async for one in sandbox.calls.lists.payments()]) == 4


async def test_a_failing_card_is_tried_four_times_in_two_weeks_and_then_it_is_over(sandbox: Running) -> None:
    eve = await customer(sandbox, "eve")
    sub = await subscribed(sandbox, eve, number="4000000000000341")
    await sandbox.advance(eve, seconds=sub.item.current_period_end - int(time.time()) + 60)
    seen = []
    for days in (0, 3, 4, 7):
        await sandbox.advance(eve, days=days)
        now, invoice = await again(sandbox, sub), (await invoices_of(sandbox, sub))[0]
        seen.append((now.status, invoice.status, invoice.next_payment_attempt is not None))
    assert seen == [("past_due", "open", True)] * 3 + [("canceled", "open", False)]
    assert (await again(sandbox, sub)).ended_at is not None
    failed = [one async for one in sandbox.calls.lists.undelivered() if one.type == "invoice.payment_failed"]
    assert failed == []  # nobody listens in this test
    listed = await sandbox.api.v1.events.list_async({"type": "invoice.payment_failed"})
    assert len(listed.data) == 4


async def test_another_card_in_the_portal_pays_what_is_owed(sandbox: Running) -> None:
    eve = await customer(sandbox, "eve")
    sub = await subscribed(sandbox, eve, number="4000000000000341")
    await sandbox.advance(eve, days=33)
    assert (await again(sandbox, sub)).status == "past_due"
    visit = await sandbox.calls.open_portal(eve, "http://localhost:1/settings")
    assert "is not paid" in (await sandbox.http.get(visit.url)).text
    form = {"number": "5555555555554444", "expiry": "01/30", "cvc": "999", "action": "card"}
    kept = await sandbox.http.post(visit.url, data=form)
    assert kept.status_code == 303
    page = (await sandbox.http.get(kept.headers["location"])).text
    assert "Mastercard ending in 4444" in page
    now = await again(sandbox, sub)
    assert (now.status, (await invoices_of(sandbox, sub))[0].status) == ("active", "paid")


async def test_one_that_is_canceled_ends_with_its_period(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    ends = await sandbox.calls.end_with_period(sub.id, ends=True, key="1")
    assert (ends.cancel_at_period_end, ends.cancel_at, ends.status) == (True, sub.item.current_period_end, "active")
    back = await sandbox.calls.end_with_period(sub.id, ends=False, key="2")
    assert (back.cancel_at_period_end, back.cancel_at, back.canceled_at) == (False, None, None)
    await sandbox.calls.end_with_period(sub.id, ends=True, key="3")
    await sandbox.advance(ada, days=40)
    over = await again(sandbox, sub)
    assert (over.status, over.ended_at) == ("canceled", sub.item.current_period_end)
    assert len(await invoices_of(sandbox, sub)) == 1
    with pytest.raises(NoSuchObject):
        await sandbox.calls.end_with_period(sub.id, ends=False, key="4")


async def test_one_can_be_over_at_once(sandbox: Running) -> None:
    sub = await subscribed(sandbox, await customer(sandbox))
    assert (await sandbox.calls.end_now(sub.id, key="1")).status == "canceled"


async def test_a_trial_costs_nothing_until_it_ends(sandbox: Running) -> None:
    ada = await customer(sandbox)
    page = await subscription_page(sandbox, ada, trial_days=14)
    paid = await sandbox.pay(page.id)
    assert paid["payment_status"] == "no_payment_required"
    sub = await sandbox.calls.subscription(paid["subscription"])
    assert (sub.status, sub.trial_end) == ("trialing", sub.item.current_period_end)
    assert [one.total for one in await invoices_of(sandbox, sub)] == [0]
    await sandbox.advance(ada, days=15)
    assert (await again(sandbox, sub)).status == "active"
    assert [one.total for one in await invoices_of(sandbox, sub)] == [499, 0]


async def test_a_dearer_plan_costs_what_was_previewed(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada, "channel-1")
    await sandbox.advance(ada, days=10)
    dearer, at = await price(sandbox, "channel-3"), int(time.time()) + 10 * DAY
    preview = await sandbox.calls.preview_change(sub.id, sub.item.id, dearer, proration_at=at)
    changed = await sandbox.calls.change_price(
        sub.id, sub.item.id, dearer, proration_at=at, metadata={"footlight_plan": "channel-3"}, key="1"
    )
    assert (changed.item.price.lookup_key, changed.metadata["footlight_plan"]) == ("channel-3", "channel-3")
    invoice = await sandbox.calls.invoice(changed.latest_invoice or "")
    assert (invoice.total, invoice.amount_paid, invoice.status) == (preview.total, preview.amount_due, "paid")
    assert 1200 < invoice.total < 1500  # two thirds of what a month of it costs more
    assert changed.item.current_period_end == sub.item.current_period_end


async def test_a_cheaper_plan_is_credit_for_the_next_invoice(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada, "channel-3")
    cheaper = await price(sandbox, "channel-1")
    changed = await sandbox.calls.change_price(
        sub.id, sub.item.id, cheaper, proration_at=int(time.time()), metadata={}, key="1"
    )
    credit = await sandbox.calls.invoice(changed.latest_invoice or "")
    assert credit.total < -1900
    assert (credit.amount_due, credit.status) == (0, "paid")
    await sandbox.advance(ada, days=32)
    next_one = (await invoices_of(sandbox, sub))[0]
    assert (next_one.total, next_one.amount_due, next_one.status) == (499, 0, "paid")


async def test_a_yearly_plan_begins_a_period_of_its_own(sandbox: Running) -> None:
    sub = await subscribed(sandbox, await customer(sandbox))
    yearly = await price(sandbox, "premium-yearly")
    changed = await sandbox.calls.change_price(
        sub.id, sub.item.id, yearly, proration_at=int(time.time()), metadata={}, key="1"
    )
    assert changed.item.current_period_end - changed.item.current_period_start in {365 * DAY, 366 * DAY}
    assert 4400 < (await sandbox.calls.invoice(changed.latest_invoice or "")).total < 4600


async def test_a_change_whose_payment_fails_does_not_happen(sandbox: Running) -> None:
    eve = await customer(sandbox, "eve")
    sub = await subscribed(sandbox, eve, "channel-1", number="4000000000000341")
    dearer = await price(sandbox, "channel-2")
    for _ in range(2):  # and is the same when it is asked for again
        with pytest.raises(PaymentRefused):
            await sandbox.calls.change_price(
                sub.id, sub.item.id, dearer, proration_at=int(time.time()) // 100 * 100 + 100, metadata={}, key="1"
            )
    assert await again(sandbox, sub) == sub
    assert len(await invoices_of(sandbox, sub)) == 1


async def test_taxes_are_added_when_they_are_asked_for(sandbox: Running) -> None:
    ada = await customer(sandbox)
    page = await sandbox.calls.create_checkout(
        {
            "customer": ada, "mode": "subscription", "success_url": "http://localhost:1/",
            "line_items": [{"price": await price(sandbox), "quantity": 1}], "automatic_tax": {"enabled": True},
            "customer_update": {"address": "auto"},
        },
        key="1",
    )  # fmt: skip
    assert page.total_details is not None
    assert page.total_details.amount_tax == 99
    paid = await sandbox.pay(page.id)
    invoice = await sandbox.calls.invoice(paid["invoice"])
    assert (invoice.total, invoice.tax, invoice.amount_paid) == (598, 99, 598)


async def test_money_goes_back_in_parts_and_not_twice(sandbox: Running) -> None:
    paid = await paid_once(sandbox, await customer(sandbox))
    part = await sandbox.calls.refund_payment(paid, 500, key="1")
    assert (part.amount, part.status, part.payment_intent) == (500, "succeeded", paid)
    rest = await sandbox.calls.refund_payment(paid, None, key="2")
    assert rest.amount == 1500
    assert [one.id async for one in sandbox.calls.lists.refunds(payment_intent=paid)] == [rest.id, part.id]
    charge = await sandbox.calls.charge(rest.charge or "")
    assert charge.amount_refunded == 2000
    refused = await sandbox.http.post(
        "/v1/refunds", data={"payment_intent": paid}, headers={"authorization": "Bearer sk_test_of_the_tests"}
    )
    assert refused.json()["error"]["code"] == "charge_already_refunded"
    assert (await sandbox.do(f"refunds/{part.id}/fail"))["status"] == "failed"
    assert (await sandbox.calls.charge(rest.charge or "")).amount_refunded == 1500


@pytest.mark.parametrize(("outcome", "changes"), [("won", [-2000, 2000]), ("lost", [-2000])])
async def test_a_dispute_takes_the_money_and_is_decided(sandbox: Running, outcome: str, changes: list[int]) -> None:
    paid = await paid_once(sandbox, await customer(sandbox), "4000000000000259")
    (opened,) = [one async for one in sandbox.calls.lists.disputes(payment_intent=paid)]
    assert (opened.status, opened.amount) == ("needs_response", 2000)
    await sandbox.do(f"disputes/{opened.id}", outcome=outcome)
    closed = await sandbox.calls.dispute(opened.id)
    assert closed.status == outcome
    assert [one.amount for one in closed.balance_transactions] == changes
    assert (await sandbox.calls.charge(opened.charge)).disputed == (outcome == "lost")


async def test_any_payment_can_be_disputed_from_outside(sandbox: Running) -> None:
    paid = await paid_once(sandbox, await customer(sandbox))
    assert (await sandbox.do("disputes", payment_intent=paid))["status"] == "needs_response"


async def test_stripes_own_test_clocks_move_who_was_bound_to_them(sandbox: Running) -> None:
    start = int(time.time())
    clock = await sandbox.api.v1.test_helpers.test_clocks.create_async({"frozen_time": start})
    made = await sandbox.api.v1.customers.create_async({"email": "c@example.com", "test_clock": clock.id})
    sub, other = await subscribed(sandbox, made.id), await subscribed(sandbox, await customer(sandbox))
    moved = await sandbox.api.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": start + 62 * DAY})
    assert moved.status == "advancing"
    ready = await sandbox.api.v1.test_helpers.test_clocks.retrieve_async(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", start + 62 * DAY)
    assert len(await invoices_of(sandbox, sub)) == 3
    assert len(await invoices_of(sandbox, other)) == 1
