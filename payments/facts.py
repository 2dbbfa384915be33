"""What Stripe's objects mean to us: rows, rights, facts of the books. Pure: the same objects always mean the same.

Everything here follows from the objects as they are, and from nothing that happened to be seen before; so it does not
matter which events came, how often, and in which order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec

from payments.ledger import postings
from payments.ledger.entries import Sale
from payments.marks import Marks
from payments.model import Plan, Right, Subscription, SubscriptionStatus, scope_of
from payments.money import part
from payments.stripe import shapes

GRACE = timedelta(days=7)  # how long the rights stand while a card fails
LATE = timedelta(hours=6)  # a renewal that nobody has told us of yet; the right must not flicker every month

RUNS = ("active", "trialing", "past_due")
NOT_BEGUN = ("incomplete", "incomplete_expired")
OVER = ("canceled", "incomplete_expired")  # of a subscription: there is nothing left to end
FAILED = ("failed", "canceled")  # of a refund
UNTAKEN = ("warning_", "prevented")  # a question of the bank, and what was given back in time: it takes no money


# --- subscriptions


def subscription_of(seen: shapes.Subscription, marks: Marks, plan: Plan, now: datetime) -> Subscription | None:
    """Our row for it; None for one whose first payment never came.

    Its id is the order's: an order makes one subscription.
    """
    if seen.status in NOT_BEGUN:
        return None
    item, owes = seen.item, seen.status in {"past_due", "unpaid"}
    unpaid_since = _time(item.current_period_start) if owes else None
    return Subscription(
        id=marks.order_id or str(uuid5(NAMESPACE_URL, f"stripe:{seen.id}")),
        user_id=marks.user_id,
        plan_id=plan.id,
        creator_id=marks.creator_id,
        status=_status(seen),
        stripe_status=seen.status,
        stripe_subscription_id=seen.id,
        stripe_item_id=item.id,
        order_id=marks.order_id,
        amount_minor=item.price.unit_amount if item.price.unit_amount is not None else plan.amount_minor,
        currency=seen.currency,
        current_period_start=_time(item.current_period_start),
        current_period_end=_time(item.current_period_end),
        cancel_at_period_end=_ends(seen),
        trial_end=_maybe(seen.trial_end),
        unpaid_since=unpaid_since,
        grace_until=unpaid_since + GRACE if unpaid_since else None,
        canceled_at=_maybe(seen.canceled_at),
        ended_at=_maybe(seen.ended_at),
        created_at=_time(seen.created),
        updated_at=now,
    )


def right_of(one: Subscription, plan: Plan) -> Right:
    """What it entitles to. One that is over still has its row, which ends when it did."""
    return Right(
        user_id=one.user_id,
        scope=scope_of(one.creator_id),
        source=f"subscription:{one.id}",
        level=plan.level,
        starts_at=one.created_at,
        until=max(_until(one), one.created_at),
        in_grace=one.stripe_status == "past_due",
    )


def _until(one: Subscription) -> datetime:
    if one.stripe_status not in RUNS:
        # Ended by Stripe or by a person; or what is owed was given up (`unpaid`), or a trial found no card (`paused`).
        return one.ended_at or one.current_period_start
    if one.unpaid_since is not None and one.grace_until is not None:
        return one.grace_until
    return one.current_period_end if one.cancel_at_period_end else one.current_period_end + LATE


def _status(seen: shapes.Subscription) -> SubscriptionStatus:
    if seen.status not in RUNS:
        return "expired"
    return "canceled" if _ends(seen) else "active"


def _ends(seen: shapes.Subscription) -> bool:
    return seen.cancel_at_period_end or seen.cancel_at is not None


# --- the books


class PaymentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A payment and everything that belongs to it, as of one moment. `invoice` or `checkout` says how much is tax."""

    payment: shapes.PaymentIntent
    charge: shapes.Charge
    invoice: shapes.Invoice | None
    checkout: shapes.Checkout | None
    refunds: Sequence[shapes.Refund]
    disputes: Sequence[shapes.Dispute]


def reference_of(seen: PaymentSeen) -> str:
    """What the books call it."""
    return f"invoice:{seen.invoice.id}" if seen.invoice else f"payment:{seen.payment.id}"


def facts_of(seen: PaymentSeen, sale: Sale, share_percent: int) -> postings.Facts:
    """What the books must say about it."""
    fees = [_fee(one) for one in (seen.charge.balance_transaction,) if isinstance(one, shapes.BalanceTransaction)]
    real = [one for one in seen.disputes if not one.status.startswith(UNTAKEN)]
    fees += [_fee(change) for one in real for change in one.balance_transactions]
    return postings.Facts(
        paid=postings.Paid(
            reference=reference_of(seen),
            amount_minor=seen.payment.amount_received,
            tax_minor=_tax(seen),
            currency=seen.payment.currency,
            paid_at=_time(seen.charge.created),
            share_percent=share_percent,
            sale=sale,
        ),
        fees=tuple(fees),
        refunds=tuple(_refund(one) for one in sorted(seen.refunds, key=lambda one: (one.created, one.id))),
        disputes=tuple(_dispute(one) for one in sorted(real, key=lambda one: (one.created, one.id))),
    )


def wholly_returned(seen: PaymentSeen) -> bool:
    """Nothing of the money is left with us: given back, or taken by a bank."""
    back = sum(one.amount for one in seen.refunds if one.status not in FAILED)
    lost = sum(one.amount for one in seen.disputes if one.status == "lost")
    return back + lost >= seen.payment.amount_received > 0


def is_disputed(seen: PaymentSeen) -> bool:
    """A bank has the money at this moment, or for good."""
    return any(one.status != "won" and not one.status.startswith(UNTAKEN) for one in seen.disputes)


def _tax(seen: PaymentSeen) -> int:
    """Of an invoice that credit paid a part of, the same part of its tax."""
    received = seen.payment.amount_received
    if seen.invoice is not None:
        return part(seen.invoice.tax, min(received, seen.invoice.total), seen.invoice.total or 1)
    details = seen.checkout.total_details if seen.checkout else None
    return details.amount_tax if details else 0


def _fee(change: shapes.BalanceTransaction) -> postings.Fee:
    return postings.Fee(
        transaction_id=change.id, amount_minor=change.fee, currency=change.currency, at=_time(change.created)
    )


def _refund(one: shapes.Refund) -> postings.Refund:
    created_at, came_back = _time(one.created), one.failure_balance_transaction
    failed_at = created_at if one.status in FAILED else None
    if failed_at is not None and isinstance(came_back, shapes.BalanceTransaction):  # none when nothing had left us yet
        failed_at = _time(came_back.created)
    return postings.Refund(id=one.id, amount_minor=one.amount, created_at=created_at, failed_at=failed_at)


def _dispute(one: shapes.Dispute) -> postings.Dispute:
    outcomes: dict[str, Literal["won", "lost"]] = {"won": "won", "lost": "lost"}
    given_back = [_time(change.created) for change in one.balance_transactions if change.amount > 0]
    return postings.Dispute(
        id=one.id,
        amount_minor=one.amount,
        opened_at=_time(one.created),
        outcome=outcomes.get(one.status),
        closed_at=max(given_back, default=None),
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: int | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
