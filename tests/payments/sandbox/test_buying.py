"""Checkout, as our own client of Stripe and a browser see it."""

import asyncio

import httpx
import pytest

from payments.errors import StripeRefused
from tests.payments.sandbox.buying import RETURN, customer, paid_once, payment_page, subscribed, subscription_page
from tests.payments.sandbox.running import Running

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}


async def fill_in(sandbox: Running, url: str, **typed: str) -> httpx.Response:
    return await sandbox.http.post(url, data={**CARD, **typed})


async def test_a_subscription_is_paid_and_runs(sandbox: Running) -> None:
    ada = await customer(sandbox)
    page = await subscription_page(sandbox, ada)
    assert page.status == "open"
    assert page.url is not None
    shown = await sandbox.http.get(page.url)
    assert "This is not Stripe. No money moves." in shown.text
    assert "€4.99" in shown.text
    paid = await fill_in(sandbox, page.url)
    assert (paid.status_code, paid.headers["location"]) == (303, RETURN + "1")
    done = await sandbox.calls.checkout(page.id)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.subscription is not None
    running = await sandbox.calls.subscription(done.subscription)
    assert (running.status, running.item.price.lookup_key) == ("active", "premium-monthly")
    assert running.metadata == {"footlight_order": "1"}
    invoice = await sandbox.calls.invoice(running.latest_invoice or "")
    assert (invoice.status, invoice.amount_paid, invoice.subscription and invoice.subscription.metadata) == (
        "paid", 499, {"footlight_order": "1"},
    )  # fmt: skip


async def test_what_is_paid_once_has_a_payment_with_its_charge_and_fee(sandbox: Running) -> None:
    payment = await sandbox.calls.payment(await paid_once(sandbox, await customer(sandbox)))
    assert (payment.status, payment.amount_received, payment.metadata) == ("succeeded", 2000, {"footlight_order": "2"})
    charge = payment.latest_charge
    assert charge is not None
    assert not isinstance(charge, str)
    change = charge.balance_transaction
    assert change is not None
    assert not isinstance(change, str)
    assert (change.amount, change.fee, change.type) == (2000, 55, "charge")
    assert await sandbox.calls.invoice_of_payment(payment.id) is None
    assert [one.mode async for one in sandbox.calls.lists.checkouts(payment_intent=payment.id)] == ["payment"]


@pytest.mark.parametrize(
    ("number", "said"), [("4000000000000002", "declined"), ("4000000000009995", "insufficient funds")]
)
async def test_a_bad_card_is_told_and_another_one_pays(sandbox: Running, number: str, said: str) -> None:
    page = await payment_page(sandbox, await customer(sandbox))
    assert page.url is not None
    refused = await fill_in(sandbox, page.url, number=number)
    assert refused.status_code == 303
    shown = await sandbox.http.get(refused.headers["location"])
    assert 'role="alert"' in shown.text
    assert said in shown.text
    assert (await sandbox.calls.checkout(page.id)).status == "open"
    assert (await fill_in(sandbox, page.url)).status_code == 303
    assert len([one async for one in sandbox.calls.lists.payments()]) == 1


async def test_what_is_typed_wrong_is_said_at_the_field(sandbox: Running) -> None:
    page = await payment_page(sandbox, await customer(sandbox))
    for field, value in (("number", "4111111111111111"), ("expiry", "12/20"), ("expiry", "soon"), ("cvc", "1")):
        answer = await fill_in(sandbox, page.url or "", **{field: value})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    assert [one async for one in sandbox.calls.lists.payments()] == []


@pytest.mark.parametrize("mode", ["payment", "subscription"])
async def test_a_bank_that_asks_is_answered_yes_or_no(sandbox: Running, mode: str) -> None:
    make = payment_page if mode == "payment" else subscription_page
    page = await make(sandbox, await customer(sandbox))
    for outcome, leads in (("fail", f"/checkout/{page.id}"), ("complete", RETURN)):
        asked = await fill_in(sandbox, page.url or "", number="4000002500003155")
        assert asked.headers["location"].endswith("/bank")
        assert "Your bank asks" in (await sandbox.http.get(asked.headers["location"])).text
        answered = await sandbox.http.post(asked.headers["location"], data={"outcome": outcome})
        assert answered.headers["location"].startswith(leads)
        assert (await sandbox.calls.checkout(page.id)).status == ("open" if outcome == "fail" else "complete")


async def test_a_second_click_and_the_back_button_pay_nothing(sandbox: Running) -> None:
    page = await payment_page(sandbox, await customer(sandbox))
    clicks = [fill_in(sandbox, page.url or "") for _ in range(5)]
    assert {answer.headers["location"] for answer in await asyncio.gather(*clicks)} == {RETURN + "2"}
    assert "This is paid." in (await sandbox.http.get(page.url or "")).text
    assert len([one async for one in sandbox.calls.lists.payments()]) == 1


async def test_a_page_that_was_closed_takes_no_money(sandbox: Running) -> None:
    page = await subscription_page(sandbox, await customer(sandbox))
    assert (await sandbox.calls.expire_checkout(page.id, key="expire:1")).status == "expired"
    assert (await fill_in(sandbox, page.url or "")).status_code == 303
    assert "has closed" in (await sandbox.http.get(page.url or "")).text
    with pytest.raises(StripeRefused):
        await sandbox.calls.expire_checkout(page.id, key="expire:2")
    assert [one async for one in sandbox.calls.lists.subscriptions()] == []


async def test_a_price_is_found_by_the_plan_it_is_of(sandbox: Running) -> None:
    assert await sandbox.calls.price_of("premium-monthly") is None
    await subscribed(sandbox, await customer(sandbox))
    found = await sandbox.calls.price_of("premium-monthly")
    assert found is not None
    assert (found.unit_amount, found.currency) == (499, "eur")


async def test_strangers_are_refused(sandbox: Running) -> None:
    assert (await sandbox.http.get("/livez", headers={"host": "evil.example"})).status_code == 403
    for origin, status in (("http://evil.example", 403), ("null", 403), (sandbox.url, 201)):
        asked = await sandbox.http.post("/_sandbox/balance", json={"amount": 1}, headers={"origin": origin})
        assert asked.status_code == status
    keyless = await sandbox.http.get("/v1/customers", headers={"authorization": "Bearer sk_live_x"})
    assert (keyless.status_code, keyless.json()["error"]["type"]) == (401, "invalid_request_error")


async def test_a_gift_paid_with_another_card_changes_no_subscription(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    page = await payment_page(sandbox, ada)
    await fill_in(sandbox, page.url or "", number="4000000000000002")
    await sandbox.advance(ada, days=32)
    assert (await sandbox.calls.subscription(sub.id)).status == "active"


async def test_a_bank_is_not_asked_about_a_card_that_was_given_up(sandbox: Running) -> None:
    page = await payment_page(sandbox, await customer(sandbox))
    asked = await fill_in(sandbox, page.url or "", number="4000002500003155")
    await fill_in(sandbox, page.url or "", number="4000000000000002")
    await sandbox.http.post(asked.headers["location"], data={"outcome": "complete"})
    assert (await sandbox.calls.checkout(page.id)).status == "open"


async def test_who_is_deleted_has_nothing_that_runs(sandbox: Running) -> None:
    ada = await customer(sandbox)
    sub = await subscribed(sandbox, ada)
    await sandbox.api.v1.customers.delete_async(ada)
    assert (await sandbox.calls.customer(ada)).deleted
    assert (await sandbox.calls.subscription(sub.id)).status == "canceled"
    assert (await sandbox.http.get("/")).status_code == 200
