"""Payments as Stripe would tell of them, for tests of the books: random lives, and what was known of them at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from payments.ledger.entries import Sale
from payments.ledger.postings import Dispute, Facts, Fee, Paid, Refund

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)
CREATOR = "01890000-0000-7000-8000-000000000001"
PAYER = "01890000-0000-7000-8000-000000000002"


def paid(amount_minor: int = 499, tax_minor: int = 0, **changes: Any) -> Paid:
    usual: dict[str, Any] = {
        "reference": "invoice:in_1",
        "amount_minor": amount_minor,
        "tax_minor": tax_minor,
        "currency": "eur",
        "paid_at": BEGAN,
        "share_percent": 70,
        "sale": Sale(source="subscription", creator_id=CREATOR, payer_id=PAYER),
    }
    return Paid(**{**usual, **changes})


def refund(number: int, amount_minor: int, *, after: int | None = None, failed_after: int | None = None) -> Refund:
    """`re_<number>`, so many hours after the payment."""
    hours = number if after is None else after
    return Refund(
        id=f"re_{number}",
        amount_minor=amount_minor,
        created_at=BEGAN + timedelta(hours=hours),
        failed_at=None if failed_after is None else BEGAN + timedelta(hours=failed_after),
    )


def as_of(facts: Facts, moment: datetime) -> Facts:
    """What Stripe would have told of it then."""
    refunds = [
        one if one.failed_at is None or one.failed_at <= moment else msgspec.structs.replace(one, failed_at=None)
        for one in facts.refunds
        if one.created_at <= moment
    ]
    disputes = [
        one
        if one.closed_at is None or one.closed_at <= moment
        else msgspec.structs.replace(one, outcome=None, closed_at=None)
        for one in facts.disputes
        if one.opened_at <= moment
    ]
    fees = tuple(fee for fee in facts.fees if fee.at <= moment)
    return Facts(paid=facts.paid, fees=fees, refunds=tuple(refunds), disputes=tuple(disputes))


def moments(facts: Facts) -> list[datetime]:
    """When something happened to it."""
    found = {facts.paid.paid_at, *(fee.at for fee in facts.fees)}
    found |= {moment for one in facts.refunds for moment in (one.created_at, one.failed_at) if moment}
    found |= {moment for one in facts.disputes for moment in (one.opened_at, one.closed_at) if moment}
    return sorted(found)


@st.composite
def lives(draw: st.DrawFn) -> Facts:
    """A payment with refunds that Stripe would allow, some of which fail, perhaps a dispute, and fees."""
    amount = draw(st.integers(1, 3000))
    tax = draw(st.integers(0, amount // 4))
    creator = draw(st.sampled_from([CREATOR, CREATOR, None]))
    sale = Sale(source="subscription" if creator else "premium", creator_id=creator, payer_id=PAYER)
    payment = paid(amount, tax, share_percent=draw(st.integers(0, 100)), sale=sale)
    refunds, hour, left = [], 0, amount
    for number in range(draw(st.integers(0, 5))):
        hour += draw(st.integers(1, 50))
        if left == 0:
            break
        part = draw(st.one_of(st.integers(1, left), st.just(left)))
        fails = draw(st.sampled_from([False, False, True]))
        refunds.append(refund(number, part, after=hour, failed_after=hour + 1 if fails else None))
        hour += 1
        left -= 0 if fails else part
    disputes = []
    if left and draw(st.booleans()):
        outcome = draw(st.sampled_from([None, "won", "lost"]))
        opened = BEGAN + timedelta(hours=hour + 1)
        closed = opened + timedelta(days=draw(st.integers(1, 60))) if outcome else None
        disputes.append(
            Dispute(id="dp_1", amount_minor=left, opened_at=opened, outcome=outcome, closed_at=closed)  # type: ignore[arg-type]
        )
    fee = Fee(transaction_id="txn_1", amount_minor=draw(st.integers(0, 60)), currency="eur", at=BEGAN)
    return Facts(paid=payment, fees=(fee,), refunds=tuple(refunds), disputes=tuple(disputes))
