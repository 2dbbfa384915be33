"""Every object that the sandbox answers is what stripe-python's typed class of it declares."""

from typing import Any

import pytest
import stripe
from stripe.params import InvoiceCreatePreviewParamsSubscriptionDetails

from tests.payments.sandbox.buying import RETURN, customer, paid_once, payment_page, subscribed, subscription_page
from tests.payments.sandbox.declared import fields_of, undeclared
from tests.payments.sandbox.running import KEY, Running


async def everything(sandbox: Running) -> None:
    """Have one of each kind made."""
    ada, bob, eve = [await customer(sandbox, name) for name in ("ada", "bob", "eve")]
    running = await subscribed(sandbox, ada)
    yearly = await subscription_page(sandbox, bob, "premium-yearly", trial_days=7)
    assert (await sandbox.pay(yearly.id))["payment_status"] == "no_payment_required"
    await sandbox.advance(ada, days=40)
    await payment_page(sandbox, ada, key="open")
    asked = await payment_page(sandbox, ada, key="asked")
    form = {"number": "4000002500003155", "expiry": "12/34", "cvc": "123"}
    assert (await sandbox.http.post(asked.url or "", data=form)).status_code == 303
    declined = await payment_page(sandbox, ada, key="declined")
    form["number"] = "4000000000000002"
    assert (await sandbox.http.post(declined.url or "", data=form)).status_code == 303
    await sandbox.calls.refund_payment(await paid_once(sandbox, eve), 500, key="r")
    disputed = await paid_once(sandbox, bob, "4000000000000259")
    (dispute,) = [one async for one in sandbox.calls.lists.disputes(payment_intent=disputed)]
    await sandbox.do(f"disputes/{dispute.id}", outcome="won")
    await sandbox.calls.end_with_period(running.id, ends=True, key="e")
    failing = await subscribed(sandbox, eve, number="4000000000000341")
    await sandbox.advance(eve, days=32)
    assert (await sandbox.calls.subscription(failing.id)).status == "past_due"
    account = await sandbox.calls.create_account("cleo", "cleo@example.com", "DE", key="a")
    link = await sandbox.calls.link_to_onboarding(account.id, return_url=RETURN, refresh_url=RETURN)
    await sandbox.http.get(link.url)
    await sandbox.http.post(link.url, data={"outcome": "done"})
    await sandbox.calls.create_transfer(account.id, 100, "eur", {"x": "y"}, key="t")


LISTED = (
    "customers", "products", "prices", "checkout/sessions", "payment_intents", "charges", "balance_transactions",
    "invoices", "invoice_payments", "subscriptions?status=all", "refunds", "disputes", "accounts", "transfers",
    "events?limit=100", "test_helpers/test_clocks",
)  # fmt: skip


async def test_every_object_has_the_shape_that_stripe_declares(sandbox: Running) -> None:
    await everything(sandbox)
    headers = {"authorization": f"Bearer {KEY}"}
    found: set[str] = set()
    for path in LISTED:
        page = (await sandbox.http.get(f"/v1/{path}", headers=headers)).json()
        assert page["data"], f"nothing to look at in {path}"
        for one in page["data"]:
            found |= set(undeclared(one, one["object"]))
            if one["object"] == "event":
                found |= set(undeclared(one["data"]["object"], f"event.{one['data']['object']['object']}"))
    assert "\n".join(sorted(found)) == ""


async def test_what_is_in_no_list_has_its_shape_too(sandbox: Running) -> None:
    await everything(sandbox)
    api = sandbox.api.v1
    ada = (await api.customers.list_async({"limit": 3})).data[-1].id
    sub = (await api.subscriptions.list_async({"customer": ada, "status": "all"})).data[0]
    page = (await api.checkout.sessions.list_async()).data[0]
    yearly = await sandbox.calls.price_of("premium-yearly")
    assert yearly is not None
    kept = (await api.customers.retrieve_async(ada)).invoice_settings
    assert kept is not None
    change: InvoiceCreatePreviewParamsSubscriptionDetails = {
        "items": [{"id": sub["items"].data[0].id, "price": yearly.id}]
    }
    shown: list[stripe.StripeObject] = [
        await api.invoices.create_preview_async({"subscription": sub.id, "subscription_details": change}),
        await api.billing_portal.sessions.create_async({"customer": ada, "return_url": RETURN}),
        await api.balance.retrieve_async(),
        await api.payment_methods.retrieve_async(str(kept.default_payment_method)),
        (await api.checkout.sessions.line_items.list_async(page.id)).data[0],
        await api.transfers.reversals.create_async((await api.transfers.list_async()).data[0].id),
    ]
    bodies = [one.to_dict() for one in shown]
    assert "\n".join(said for one in bodies for said in undeclared(one, one["object"])) == ""
    account = await sandbox.calls.create_account("eve", "eve@example.com", "FR", key="b")
    link = await api.account_links.create_async(
        {"account": account.id, "type": "account_onboarding", "return_url": RETURN, "refresh_url": RETURN}
    )
    assert undeclared(link.to_dict(), "account_link") == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"colour": "red"}, "is not declared"),
        ({"amount": "12"}, "is no"),
        ({"amount": None}, "is no"),
        ({"status": 5}, "is no"),
    ],
)
async def test_what_does_not_fit_is_found(sandbox: Running, change: dict[str, Any], problem: str) -> None:
    paid = await paid_once(sandbox, await customer(sandbox))
    refund = (await sandbox.api.v1.refunds.create_async({"payment_intent": paid})).to_dict()
    assert undeclared(refund, "refund") == []
    assert any(problem in said for said in undeclared({**refund, **change}, "refund"))
    without = {name: one for name, one in refund.items() if name != "charge"}
    assert undeclared(without, "refund") == ["refund.charge is missing"]


def test_the_declarations_are_there_to_be_read() -> None:
    assert {"amount", "charge", "status"} <= fields_of(stripe.Refund).keys()
