"""Disputes: a bank takes a payment back, and gives it to one side in the end."""

from typing import Literal

from payments.sandbox import balance
from payments.sandbox.book import Book, Thing
from payments.sandbox.errors import Refused

FEE = 2000  # what Stripe takes for a dispute, in minor units; given back with one that is won
ANSWER_WITHIN_SECONDS = 7 * 24 * 3600
OPEN = ("needs_response", "under_review")

EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def open_dispute(book: Book, charge: Thing, reason: str = "fraudulent") -> Thing:
    """A bank takes back what is left of a payment. Raises `Refused` for one that is disputed or given back already."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] or not charge["paid"] or left <= 0:
        raise Refused(f"Charge {charge['id']} cannot be disputed.", code="charge_disputed")
    at = book.time(charge["customer"])
    made = book.make(
        "dispute", "du", at, amount=left, balance_transactions=[], charge=charge["id"], currency=charge["currency"],
        enhanced_eligibility_types=[], evidence={**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        evidence_details={
            "due_by": at + ANSWER_WITHIN_SECONDS, "has_evidence": False, "past_due": False, "submission_count": 0,
            "submission_method": "not_submitted",
            "enhanced_eligibility": {},
        },
        is_charge_refundable=False, metadata={}, network_reason_code="10.4", payment_intent=charge["payment_intent"],
        reason=reason, status="needs_response",
    )  # fmt: skip
    taken = balance.move(book, at, -left, charge["currency"], FEE, type="adjustment", source=made["id"])
    book.change(made, balance_transactions=[taken])
    book.change(charge, disputed=True)
    book.tell("charge.dispute.created", made)
    book.tell("charge.dispute.funds_withdrawn", made)
    book.tell("charge.updated", charge)
    return made


def close_dispute(book: Book, dispute: Thing, outcome: Literal["won", "lost"]) -> Thing:
    """Raises `Refused` for one that is closed."""
    if dispute["status"] not in OPEN:
        raise Refused(f"Dispute {dispute['id']} is {dispute['status']} already.", code="dispute_closed")
    charge = book.get("charge", dispute["charge"])
    if outcome == "won":
        back = balance.move(
            book, book.time(charge["customer"]), dispute["amount"], dispute["currency"], -FEE, type="adjustment",
            source=dispute["id"],
        )  # fmt: skip
        dispute["balance_transactions"].append(back)
        book.change(charge, disputed=False)
        book.tell("charge.updated", charge)
    book.change(dispute, status=outcome)
    if outcome == "won":
        book.tell("charge.dispute.funds_reinstated", dispute)
    book.tell("charge.dispute.closed", dispute)
    return dispute
