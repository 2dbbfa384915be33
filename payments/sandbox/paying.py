"""Payments: an intent, its charges, and what they do to our balance at Stripe."""

from dataclasses import asdict
from typing import Literal

from payments.sandbox import balance, cards, disputes
from payments.sandbox.book import Book, Thing
from payments.sandbox.cards import Decline
from payments.sandbox.people import billing

FEE_PER_MILLE, FEE_FIXED = 15, 25  # 1.5 % and 0.25: a card of the European Economic Area

Outcome = Literal["succeeded", "failed", "asks"]


def new_payment(
    book: Book, customer: Thing, amount: int, currency: str, *, metadata: dict[str, str], description: str | None
) -> Thing:
    at = book.time(customer["id"])
    made = book.make(
        "payment_intent", "pi", at, amount=amount, amount_capturable=0, amount_details={"tip": {}}, amount_received=0,
        application=None, application_fee_amount=None, automatic_payment_methods=None, canceled_at=None,
        cancellation_reason=None, capture_method="automatic", confirmation_method="automatic", currency=currency,
        customer=customer["id"], description=description, last_payment_error=None, latest_charge=None,
        metadata=metadata, next_action=None, on_behalf_of=None, payment_method=None, payment_method_options={},
        payment_method_types=["card"], payment_record=None, processing=None, receipt_email=None, review=None,
        setup_future_usage=None, shipping=None, source=None, statement_descriptor=None,
        statement_descriptor_suffix=None, status="requires_payment_method", transfer_data=None, transfer_group=None,
    )  # fmt: skip
    book.change(made, client_secret=f"{made['id']}_secret_{book.new_id()}")
    book.tell("payment_intent.created", made)
    return made


def attempt(
    book: Book, payment: Thing, method: Thing, *, off_session: bool = False, confirmed: bool = False
) -> Outcome:
    """Try to take the money. `confirmed`: whoever pays has shown their bank that it is them."""
    behaviour = book.note(method, "behaviour")
    payment["payment_method"] = method["id"]
    if behaviour == "asks" and not (confirmed or off_session):  # shown once, a bank does not ask at renewals
        book.change(payment, status="requires_action", next_action=_ask(book))
        book.tell("payment_intent.requires_action", payment)
        return "asks"
    if decline := cards.decline_of(behaviour, off_session=off_session):
        return fail(book, payment, method, decline)
    charge = _charge(book, payment, method)
    book.change(payment, status="succeeded", amount_received=payment["amount"], latest_charge=charge["id"],
                next_action=None, last_payment_error=None)  # fmt: skip
    book.tell("charge.succeeded", charge)
    book.tell("payment_intent.succeeded", payment)
    if behaviour == "disputed":
        disputes.open_dispute(book, charge)
    return "succeeded"


def fail(book: Book, payment: Thing, method: Thing, why: Decline) -> Outcome:
    """The bank said no, or whoever pays did."""
    charge = _charge(book, payment, method, why)
    error = {**asdict(why), "type": "card_error", "charge": charge["id"]}
    book.change(
        payment, status="requires_payment_method", last_payment_error=error, latest_charge=charge["id"],
        next_action=None, payment_method=None,
    )  # fmt: skip
    book.tell("charge.failed", charge)
    book.tell("payment_intent.payment_failed", payment)
    return "failed"


def cancel(book: Book, payment: Thing) -> None:
    if payment["status"] not in {"succeeded", "canceled"}:
        book.change(payment, status="canceled", canceled_at=book.time(payment["customer"]), next_action=None)
        book.tell("payment_intent.canceled", payment)


def _charge(book: Book, payment: Thing, method: Thing, why: Decline | None = None) -> Thing:
    at, amount, paid = book.time(payment["customer"]), payment["amount"], why is None
    customer = book.get("customer", payment["customer"])
    charge = book.make(
        "charge", "ch", at, amount=amount, amount_captured=amount if paid else 0, amount_refunded=0, application=None,
        application_fee=None, application_fee_amount=None, balance_transaction=None,
        billing_details=billing(customer), calculated_statement_descriptor="FOOTLIGHT", captured=paid,
        currency=payment["currency"], customer=customer["id"], description=payment["description"], disputed=False,
        failure_balance_transaction=None, failure_code=why.code if why else None,
        failure_message=why.message if why else None, fraud_details={}, metadata=payment["metadata"],
        on_behalf_of=None, outcome=_outcome(why), paid=paid, payment_intent=payment["id"],
        payment_method=method["id"], payment_method_details=_details(method, amount), radar_options={},
        receipt_email=None, receipt_number=None, receipt_url=None, refunded=False, review=None, shipping=None,
        source=None, source_transfer=None, statement_descriptor=None, statement_descriptor_suffix=None,
        status="succeeded" if paid else "failed", transfer=None, transfer_data=None, transfer_group=None,
    )  # fmt: skip
    if paid:
        fee = min((amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED, amount)
        change = balance.move(book, at, amount, payment["currency"], fee, type="charge", source=charge["id"],
                      description=payment["description"])  # fmt: skip
        book.change(charge, balance_transaction=change["id"])
    return charge


def _outcome(why: Decline | None) -> Thing:
    good = why is None
    return {
        "advice_code": None, "network_advice_code": None, "network_decline_code": None,
        "network_status": "approved_by_network" if good else "declined_by_network",
        "reason": why.decline_code if why else None, "risk_level": "normal",
        "seller_message": "Payment complete." if good else "The bank did not return any further details.",
        "type": "authorized" if good else "issuer_declined",
    }  # fmt: skip


def _details(method: Thing, amount: int) -> Thing:
    card = method["card"]
    kept = {
        name: card[name] for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    }
    return {
        "type": "card",
        "card": {**kept, "amount_authorized": amount, "authorization_code": None, "checks": card["checks"],
                 "extended_authorization": {"status": "disabled"},
                 "incremental_authorization": {"status": "unavailable"},
                 "installments": None, "mandate": None, "multicapture": {"status": "unavailable"},
                 "network": card["brand"], "network_token": {"used": False}, "network_transaction_id": None,
                 "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
                 "regulated_status": "unregulated", "three_d_secure": None, "wallet": None},
    }  # fmt: skip


def _ask(book: Book) -> Thing:
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": f"{book.url}/"}}
