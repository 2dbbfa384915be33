"""Refunds: all of a payment, or a part."""

from payments.sandbox import balance
from payments.sandbox.asking import Ask
from payments.sandbox.book import Book, Thing
from payments.sandbox.errors import Refused, missing


def create_refund(book: Book, ask: Ask) -> Thing:
    """Without an amount: what is left."""
    charge = _charge(book, ask)
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        raise Refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if charge["disputed"]:
        raise Refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    amount = ask.number("amount", 1) or left
    if amount > left:
        raise Refused(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            code="amount_too_large", param="amount",
        )  # fmt: skip
    return _refund(book, charge, amount, ask)


def fail_refund(book: Book, refund: Thing) -> Thing:
    """The bank did not take it: the money is ours again. Raises `Refused` for one that failed already."""
    if refund["status"] != "succeeded":
        raise Refused(f"Refund {refund['id']} is {refund['status']}.")
    charge = book.get("charge", refund["charge"])
    at = book.time(charge["customer"])
    back = balance.move(book, at, refund["amount"], refund["currency"], 0, type="refund_failure", source=refund["id"])
    book.change(
        refund, status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=back["id"]
    )
    book.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    book.tell("refund.updated", refund)
    book.tell("refund.failed", refund)
    return refund


def _charge(book: Book, ask: Ask) -> Thing:
    if charge_id := ask.text("charge"):
        return book.get("charge", charge_id, "charge")
    payment_id = ask.text("payment_intent")
    if payment_id is None:
        raise missing("payment_intent")
    payment = book.get("payment_intent", payment_id, "payment_intent")
    if payment["status"] != "succeeded":
        raise Refused(
            f"This PaymentIntent ({payment_id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
        )
    return book.get("charge", payment["latest_charge"])


def _refund(book: Book, charge: Thing, amount: int, ask: Ask) -> Thing:
    at, currency = book.time(charge["customer"]), charge["currency"]
    made = book.make(
        "refund", "re", at, amount=amount, balance_transaction=None, charge=charge["id"], currency=currency,
        customer=charge["customer"], destination_details={"type": "card"}, failure_balance_transaction=None,
        metadata=ask.metadata(), payment_intent=charge["payment_intent"], payment_method=charge["payment_method"],
        pending_reason=None, reason=ask.text("reason"), receipt_number=None, source_transfer_reversal=None,
        status="succeeded", transfer_reversal=None,
    )  # fmt: skip
    taken = balance.move(book, at, -amount, currency, 0, type="refund", source=made["id"])
    book.change(made, balance_transaction=taken["id"])
    refunded = charge["amount_refunded"] + amount
    book.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
    book.tell("refund.created", made)
    book.tell("charge.refunded", charge)
    return made
