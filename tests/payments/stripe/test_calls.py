"""What goes over the wire for each thing we ask, and that we read only what Stripe's library knows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
import stripe as library

from infra.clock import new_id
from infra.metrics import Metrics
from infra.stripe_settings import StripeSettings
from payments.model import Order
from payments.pages import payment_page, subscription_page
from payments.plans import load_plans
from payments.stripe import shapes
from payments.stripe.calls import Calls
from payments.stripe.client import open_stripe
from tests.payments.stripe.scripted import Says, Scripted, scripted

ADA, CLEO = new_id(), new_id()
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORDER = Order(
    id=new_id(), user_id=ADA, kind="subscription", plan_id="channel-1", creator_id=CLEO, stream_id=None, quantity=1,
    amount_minor=499, currency="eur", state="open", details={}, created_at=AT, expires_at=AT,
)  # fmt: skip
BACK = "https://footlight.test/checkout/"

SUBSCRIPTION = {
    "id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1", "currency": "eur", "created": 1,
    "items": {"object": "list", "data": []},
}  # fmt: skip
INVOICE = {"object": "invoice", "currency": "eur", "total": 1, "amount_due": 1, "created": 1}
CHECKOUT = {
    "id": "cs_1", "object": "checkout.session", "mode": "subscription", "created": 1, "expires_at": 2,
    "payment_status": "unpaid",
}  # fmt: skip
REFUND = {"id": "re_1", "object": "refund", "amount": 1, "currency": "eur", "created": 1}
TRANSFER = {"id": "tr_1", "object": "transfer", "amount": 1, "currency": "eur", "created": 1}
PRICE = {"id": "price_1", "object": "price", "currency": "eur"}

Call = Callable[[Calls], Awaitable[object]]


@pytest.fixture
async def stripe() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def sent(server: Scripted, answer: dict[str, Any], call: Call) -> tuple[str, str | None, dict[str, str]]:
    """`METHOD path`, the idempotency key and the form of what was asked."""
    server.script = [Says(body=answer)]
    settings = StripeSettings(secret_key="sk_test_1", api_base=server.url)
    async with open_stripe(settings, Metrics()) as opened:
        await call(Calls(opened))
    [asked] = server.asked
    return f"{asked.method} {asked.path}", asked.key, dict(parse_qsl(asked.body))


METADATA = {
    "footlight_user": ADA,
    "footlight_order": ORDER.id,
    "footlight_plan": "channel-1",
    "footlight_creator": CLEO,
}


@pytest.mark.parametrize(
    ("answer", "call", "where", "key", "fields"),
    [
        (
            {"id": "cus_1", "object": "customer"},
            lambda calls: calls.create_customer(ADA, "ada@example.com", "Ada", key="k"),
            "POST /v1/customers", "k",
            {"email": "ada@example.com", "name": "Ada", "metadata[footlight_user]": ADA},
        ),
        (
            PRICE,
            lambda calls: calls.create_price(load_plans().get("premium-yearly"), key="k"),
            "POST /v1/prices", "k",
            {
                "currency": "eur", "unit_amount": "4990", "recurring[interval]": "year",
                "lookup_key": "premium-yearly", "product_data[name]": "Premium, a year",
                "product_data[metadata][footlight_plan]": "premium-yearly", "tax_behavior": "exclusive",
            },
        ),
        (
            CHECKOUT,
            lambda calls: calls.create_checkout(subscription_page(ORDER, "cus_1", "price_1", BACK), key="k"),
            "POST /v1/checkout/sessions", "k",
            {
                "mode": "subscription", "customer": "cus_1", "line_items[0][price]": "price_1",
                "line_items[0][quantity]": "1", "client_reference_id": ORDER.id, "success_url": BACK + ORDER.id,
                "cancel_url": f"{BACK}{ORDER.id}?left=1", "expires_at": str(int(AT.timestamp())),
                **{f"metadata[{name}]": value for name, value in METADATA.items()},
                **{f"subscription_data[metadata][{name}]": value for name, value in METADATA.items()},
            },
        ),
        (
            CHECKOUT,
            lambda calls: calls.create_checkout(payment_page(ORDER, "cus_1", "Five gifts", BACK), key="k"),
            "POST /v1/checkout/sessions", "k",
            {
                "mode": "payment", "customer": "cus_1", "line_items[0][quantity]": "1",
                "line_items[0][price_data][currency]": "eur", "line_items[0][price_data][unit_amount]": "499",
                "line_items[0][price_data][product_data][name]": "Five gifts",
                "line_items[0][price_data][tax_behavior]": "exclusive", "client_reference_id": ORDER.id,
                "success_url": BACK + ORDER.id, "cancel_url": f"{BACK}{ORDER.id}?left=1",
                "expires_at": str(int(AT.timestamp())),
                **{f"metadata[{name}]": value for name, value in METADATA.items()},
                **{f"payment_intent_data[metadata][{name}]": value for name, value in METADATA.items()},
            },
        ),
        (
            CHECKOUT, lambda calls: calls.expire_checkout("cs_1", key="k"),
            "POST /v1/checkout/sessions/cs_1/expire", "k", {},
        ),
        (
            SUBSCRIPTION, lambda calls: calls.end_with_period("sub_1", ends=True, key="k"),
            "POST /v1/subscriptions/sub_1", "k", {"cancel_at_period_end": "true"},
        ),
        (
            SUBSCRIPTION, lambda calls: calls.end_now("sub_1", key="k"),
            "DELETE /v1/subscriptions/sub_1?prorate=false", "k", {},
        ),
        (
            SUBSCRIPTION,
            lambda calls: calls.change_price(
                "sub_1", "si_1", "price_2", proration_at=5, metadata={"footlight_plan": "channel-2"}, key="k"
            ),
            "POST /v1/subscriptions/sub_1", "k",
            {
                "items[0][id]": "si_1", "items[0][price]": "price_2", "proration_behavior": "always_invoice",
                "proration_date": "5", "payment_behavior": "error_if_incomplete", "cancel_at_period_end": "false",
                "metadata[footlight_plan]": "channel-2",
            },
        ),
        (
            REFUND, lambda calls: calls.refund_payment("pi_1", 250, key="k"),
            "POST /v1/refunds", "k", {"payment_intent": "pi_1", "amount": "250", "metadata[footlight_key]": "k"},
        ),
        (
            REFUND, lambda calls: calls.refund_payment("pi_1", None, key="k"),
            "POST /v1/refunds", "k", {"payment_intent": "pi_1", "metadata[footlight_key]": "k"},
        ),
        (
            {"id": "acct_1", "object": "account"},
            lambda calls: calls.create_account(CLEO, "cleo@example.com", "AT", key="k"),
            "POST /v1/accounts", "k",
            {
                "type": "express", "country": "AT", "email": "cleo@example.com",
                "capabilities[transfers][requested]": "true", "metadata[footlight_user]": CLEO,
            },
        ),
        (
            TRANSFER, lambda calls: calls.create_transfer("acct_1", 700, "eur", {"a": "b"}, key="k"),
            "POST /v1/transfers", "k",
            {"destination": "acct_1", "amount": "700", "currency": "eur", "metadata[a]": "b"},
        ),
    ],
)  # fmt: skip
async def test_a_write_says_exactly_this_and_carries_its_key(
    stripe: Scripted, answer: dict[str, Any], call: Call, where: str, key: str, fields: dict[str, str]
) -> None:
    assert await sent(stripe, answer, call) == (where, key, fields)


async def test_with_taxes_the_page_asks_for_an_address(stripe: Scripted) -> None:
    stripe.script = [Says(body=CHECKOUT)]
    async with open_stripe(StripeSettings(secret_key="sk_1", api_base=stripe.url), Metrics()) as opened:
        page = subscription_page(ORDER, "cus_1", "price_1", BACK)
        await Calls(opened, collect_tax=True).create_checkout(page, key="k")
    fields = dict(parse_qsl(stripe.asked[0].body))
    assert (fields["automatic_tax[enabled]"], fields["customer_update[address]"]) == ("true", "auto")


async def test_a_preview_asks_for_what_a_change_would_do(stripe: Scripted) -> None:
    where, _, fields = await sent(
        stripe, INVOICE, lambda calls: calls.preview_change("sub_1", "si_1", "price_2", proration_at=5)
    )
    assert where == "POST /v1/invoices/create_preview"
    assert fields == {
        "subscription": "sub_1", "subscription_details[items][0][id]": "si_1",
        "subscription_details[items][0][price]": "price_2",
        "subscription_details[proration_behavior]": "always_invoice", "subscription_details[proration_date]": "5",
    }  # fmt: skip


async def test_a_payment_is_read_with_what_it_cost_us(stripe: Scripted) -> None:
    charge = {"id": "ch_1", "object": "charge", "amount": 5, "currency": "eur", "created": 1, "status": "succeeded"}
    change = {
        "id": "txn_1", "object": "balance_transaction", "amount": 5, "fee": 1, "currency": "eur", "created": 1,
        "type": "charge",
    }  # fmt: skip
    stripe.script = [
        Says(
            body={
                "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 5, "currency": "eur",
                "created": 1, "latest_charge": {**charge, "balance_transaction": change},
            }
        )
    ]  # fmt: skip
    async with open_stripe(StripeSettings(secret_key="sk_1", api_base=stripe.url), Metrics()) as opened:
        seen = await Calls(opened).payment("pi_1")
    assert stripe.asked[0].path == "/v1/payment_intents/pi_1?expand[0]=latest_charge.balance_transaction"
    assert isinstance(seen.latest_charge, shapes.Charge)
    assert isinstance(seen.latest_charge.balance_transaction, shapes.BalanceTransaction)
    assert seen.latest_charge.balance_transaction.fee == 1


KNOWN: dict[type[msgspec.Struct], Any] = {
    shapes.Customer: library.Customer,
    shapes.Price: library.Price,
    shapes.TotalDetails: library.checkout.Session.TotalDetails,
    shapes.Checkout: library.checkout.Session,
    shapes.PortalVisit: library.billing_portal.Session,
    shapes.SubscriptionItem: library.SubscriptionItem,
    shapes.Subscription: library.Subscription,
    shapes.Tax: library.Invoice.TotalTax,
    shapes.SubscriptionDetails: library.Invoice.Parent.SubscriptionDetails,
    shapes.InvoiceParent: library.Invoice.Parent,
    shapes.StatusTransitions: library.Invoice.StatusTransitions,
    shapes.InvoiceLine: library.InvoiceLineItem,
    shapes.Period: library.InvoiceLineItem.Period,
    shapes.Invoice: library.Invoice,
    shapes.PaidBy: library.InvoicePayment.Payment,
    shapes.InvoicePayment: library.InvoicePayment,
    shapes.BalanceTransaction: library.BalanceTransaction,
    shapes.Charge: library.Charge,
    shapes.PaymentIntent: library.PaymentIntent,
    shapes.Refund: library.Refund,
    shapes.Dispute: library.Dispute,
    shapes.Requirements: library.Account.Requirements,
    shapes.Account: library.Account,
    shapes.AccountLink: library.AccountLink,
    shapes.Transfer: library.Transfer,
    shapes.Event: library.Event,
    shapes.EventData: library.Event.Data,
    shapes.Page: library.ListObject,
}


def test_every_field_we_read_is_one_that_stripes_own_types_declare() -> None:
    ours = {kind for kind in vars(shapes).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
    assert {kind for kind in ours if kind.__module__ == shapes.__name__} - set(KNOWN) == {shapes._Named}
    for kind, theirs in KNOWN.items():
        declared = {name for base in theirs.__mro__ for name in vars(base).get("__annotations__", {})}
        assert set(kind.__struct_fields__) <= declared, kind.__name__
