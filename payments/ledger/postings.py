"""From what Stripe says of a payment, and from our payouts, to the entries that the books lack. Pure.

| cause | lines |
|---|---|
| `invoice:<in>:paid`, `payment:<pi>:paid` | stripe +A, tax -T, creator -S, platform -(A-T-S) |
| `fee:<txn>` | fees +F, stripe -F |
| `refund:<re>` | stripe -R, tax +, creator +, platform + |
| `refund:<re>:failed` | the same lines, turned round |
| `dispute:<dp>:opened` | disputed +D, stripe -D; creator +s, reserve -s |
| `dispute:<dp>:won` | the same lines, turned round |
| `dispute:<dp>:lost` | reserve +s, tax +, platform +, disputed -D |
| `payout:<id>:asked`, `:sent` | creator +P, transit -P; transit +P, stripe -P |
| `payout:<id>:failed`, `:returned` | transit +P, creator -P; stripe +P, creator -P |

Refunds and disputes take turns at one payment. Each takes its part of everything given back so far, less what those
before it took: together they give back exactly the whole, and never more of tax and share than there was. What is in
the books already goes first and as it stands, so a plan whose share was changed changes no old payment, and it does
not matter in which order refunds are learnt. What is given back beyond the payment (a refund and a lost dispute of the
same money) is the platform's loss.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from payments.errors import BooksDisagree
from payments.ledger.entries import (
    DISPUTED,
    FEES,
    PLATFORM,
    STRIPE,
    TAX,
    Entry,
    Kind,
    Line,
    Sale,
    lines_of,
    owed_to,
    reserve_of,
    transit_of,
)
from payments.model import Payout
from payments.money import part

PENDING = timedelta(days=7)
TAKING: tuple[Kind, ...] = ("refund", "dispute_opened")
GIVING: tuple[Kind, ...] = ("refund_failed", "dispute_won")


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """A paid invoice or payment: `invoice:in_…` or `payment:pi_…`. `amount_minor` is what came in, tax included.

    `share_percent` is the creator's part of what is left without tax; it counts only when this is booked first.
    """

    reference: str
    amount_minor: int
    tax_minor: int
    currency: str
    paid_at: datetime
    share_percent: int
    sale: Sale


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What Stripe kept, by the balance transaction that says so; negative when it gave a fee back."""

    transaction_id: str
    amount_minor: int
    currency: str
    at: datetime


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """From its creation on the money is gone; `failed_at` when it came back to us."""

    id: str
    amount_minor: int
    created_at: datetime
    failed_at: datetime | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A bank took the money back (inquiries take none and are not given here). `closed_at` belongs to `outcome`."""

    id: str
    amount_minor: int
    opened_at: datetime
    outcome: Literal["won", "lost"] | None = None
    closed_at: datetime | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything Stripe says of one payment: all of its refunds and disputes, as of one moment."""

    paid: Paid
    fees: tuple[Fee, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()


class Split(NamedTuple):
    """An amount by whom it concerns."""

    tax: int
    creator: int
    platform: int

    @property
    def total(self) -> int:
        return self.tax + self.creator + self.platform

    def minus(self, other: "Split") -> "Split":
        return Split(self.tax - other.tax, self.creator - other.creator, self.platform - other.platform)


NOTHING = Split(0, 0, 0)


class _Step(NamedTuple):
    """Something that happened to a payment after it came in; `of` is the refund or dispute."""

    cause: str
    kind: Kind
    of: str
    amount_minor: int
    at: datetime


def entries_of(facts: Facts, booked: Sequence[Entry] = (), *, pending: timedelta = PENDING) -> list[Entry]:
    """The entries that are missing, in the order they belong. `booked`: all with this `about`, as they were written.

    Raises `BooksDisagree` when what is booked cannot be of these facts.
    """
    paid = facts.paid
    if not paid.amount_minor:
        return []
    known = {entry.cause: entry for entry in booked}
    first = known.get(f"{paid.reference}:paid")
    payment = _payment(paid, first, pending)
    if first is not None and first.lines != payment.lines:
        raise BooksDisagree(cause=first.cause)
    missing = [entry for entry in (payment, *_fees(facts)) if not _is_booked(entry, known)]
    return missing + list(_reversals(facts, payment, known))


def payout_entries(payout: Payout) -> list[Entry]:
    """Every entry that follows from a payout as it is now."""
    creator, transit = owed_to(payout.creator_id), transit_of(payout.creator_id)
    moves: list[tuple[Kind, datetime | None, str, str]] = [
        ("payout_asked", payout.asked_at, creator, transit),
        ("payout_sent", payout.sent_at, transit, STRIPE),
        ("payout_failed", payout.failed_at, transit, creator),
        ("payout_returned", payout.returned_at, STRIPE, creator),
    ]
    about = f"payout:{payout.id}"
    return [
        Entry(
            cause=f"{about}:{kind.removeprefix('payout_')}", kind=kind, about=about, currency=payout.currency, at=at,
            lines=(Line(to, payout.amount_minor), Line(source, -payout.amount_minor)),
            sale=Sale(creator_id=payout.creator_id),
        )
        for kind, at, to, source in moves
        if at is not None
    ]  # fmt: skip


def _payment(paid: Paid, booked: Entry | None, pending: timedelta) -> Entry:
    """The entry of the payment itself; share and time of availability are those that were booked, if it was."""
    creator_id = paid.sale.creator_id
    net_minor = paid.amount_minor - paid.tax_minor
    share_minor, available_at = part(net_minor, paid.share_percent, 100), paid.paid_at + pending
    if booked is not None and creator_id is not None:
        share_minor = -booked.amount_of(owed_to(creator_id))
        available_at = next((line.available_at for line in booked.lines if line.available_at), available_at)
    if creator_id is None:
        share_minor = 0
    return Entry(
        cause=f"{paid.reference}:paid", kind="payment", about=paid.reference, currency=paid.currency, at=paid.paid_at,
        sale=paid.sale,
        lines=lines_of(
            Line(STRIPE, paid.amount_minor),
            Line(TAX, -paid.tax_minor),
            Line(owed_to(creator_id or ""), -share_minor, available_at),
            Line(PLATFORM, share_minor - net_minor),
        ),
    )  # fmt: skip


def _fees(facts: Facts) -> Iterator[Entry]:
    for fee in facts.fees:
        if fee.amount_minor:
            yield Entry(
                cause=f"fee:{fee.transaction_id}", kind="fee", about=facts.paid.reference, currency=fee.currency,
                at=fee.at, lines=(Line(FEES, fee.amount_minor), Line(STRIPE, -fee.amount_minor)), sale=facts.paid.sale,
            )  # fmt: skip


def _is_booked(entry: Entry, known: dict[str, Entry]) -> bool:
    there = known.get(entry.cause)
    if there is not None and there.lines != entry.lines:
        raise BooksDisagree(cause=entry.cause)
    return there is not None


def _reversals(facts: Facts, payment: Entry, known: dict[str, Entry]) -> Iterator[Entry]:
    """Fold what happened since, the booked first, and yield what the books lack."""
    told = sorted(_steps(facts), key=lambda step: (step.at, step.kind not in TAKING, step.cause))
    wanted = [step for step in told if step.cause not in known]
    before = [_step_of(entry) for entry in known.values() if entry.kind in (*TAKING, *GIVING, "dispute_lost")]
    _require_same({step.cause: step for step in told}, before)
    whole = _whole(payment)
    back, taken = NOTHING, dict[str, Split]()
    for step in (*before, *wanted):
        if step.kind in TAKING:
            target = _so_far(whole, back.total + step.amount_minor)
            taken[step.of], back = target.minus(back), target
        elif step.of in taken and step.kind in GIVING:
            back = back.minus(taken[step.of])
        if step.cause not in known:
            yield _reversal(step, taken[step.of], payment)


def _whole(payment: Entry) -> Split:
    tax = -payment.amount_of(TAX)
    creator = -sum(line.amount_minor for line in payment.lines if line.account.startswith("creator:"))
    return Split(tax, creator, payment.amount_of(STRIPE) - tax - creator)


def _so_far(whole: Split, given_back_minor: int) -> Split:
    """The parts of everything that was given back; beyond the whole it is all the platform's."""
    within = min(given_back_minor, whole.total)
    tax, creator = part(whole.tax, within, whole.total), part(whole.creator, within, whole.total)
    return Split(tax, creator, given_back_minor - tax - creator)


def _steps(facts: Facts) -> Iterator[_Step]:
    for refund in facts.refunds:
        of = f"refund:{refund.id}"
        yield _Step(of, "refund", of, refund.amount_minor, refund.created_at)
        if refund.failed_at is not None:
            at = max(refund.failed_at, refund.created_at)
            yield _Step(f"{of}:failed", "refund_failed", of, refund.amount_minor, at)
    for dispute in facts.disputes:
        of = f"dispute:{dispute.id}"
        yield _Step(f"{of}:opened", "dispute_opened", of, dispute.amount_minor, dispute.opened_at)
        if dispute.outcome is not None:
            kind: Kind = "dispute_won" if dispute.outcome == "won" else "dispute_lost"
            at = max(dispute.closed_at or dispute.opened_at, dispute.opened_at)
            yield _Step(f"{of}:{dispute.outcome}", kind, of, dispute.amount_minor, at)


def _step_of(entry: Entry) -> _Step:
    account = DISPUTED if entry.kind.startswith("dispute") else STRIPE
    of = ":".join(entry.cause.split(":")[:2])
    return _Step(entry.cause, entry.kind, of, abs(entry.amount_of(account)), entry.at)


def _require_same(told: dict[str, _Step], before: Sequence[_Step]) -> None:
    for step in before:
        now = told.get(step.cause)
        if now is not None and now.amount_minor != step.amount_minor:
            raise BooksDisagree(cause=step.cause)


def _reversal(step: _Step, parts: Split, payment: Entry) -> Entry:
    creator_id = payment.sale.creator_id or ""
    # The share goes back where it came in: what is pending is taken from what is pending.
    available_at = next((line.available_at for line in payment.lines if line.available_at), None)
    amount, owed = step.amount_minor, Line(owed_to(creator_id), parts.creator, available_at)
    held = Line(reserve_of(creator_id), -parts.creator)
    tax, platform = Line(TAX, parts.tax), Line(PLATFORM, parts.platform)
    if step.kind in ("refund", "refund_failed"):
        lines = lines_of(Line(STRIPE, -amount), tax, owed, platform)
    elif step.kind in ("dispute_opened", "dispute_won"):
        lines = lines_of(Line(DISPUTED, amount), Line(STRIPE, -amount), owed, held)
    else:
        lines = lines_of(Line(DISPUTED, -amount), Line(held.account, parts.creator), tax, platform)
    if step.kind in GIVING:
        lines = tuple(msgspec.structs.replace(line, amount_minor=-line.amount_minor) for line in lines)
    return Entry(
        cause=step.cause, kind=step.kind, about=payment.about, currency=payment.currency, at=step.at, lines=lines,
        sale=payment.sale,
    )  # fmt: skip
