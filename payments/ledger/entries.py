"""Entries of the books: balanced, of one currency, each with a cause that is written once. Pure.

Debit is positive, credit negative, in minor units. Assets (`stripe`, `disputed`) and expenses (`fees`) grow by debit,
what is owed (`tax`, `creator:…`, `reserve:…`, `transit:…`) and revenue (`platform`) by credit.
"""

from datetime import datetime
from typing import Literal

import msgspec

STRIPE = "stripe"
DISPUTED = "disputed"
FEES = "fees"
TAX = "tax"
PLATFORM = "platform"

Source = Literal["premium", "subscription", "gift", "paid_message"]
Kind = Literal[
    "payment",
    "fee",
    "refund",
    "refund_failed",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
    "payout_asked",
    "payout_sent",
    "payout_failed",
    "payout_returned",
]


def owed_to(creator_id: str) -> str:
    """What a creator has earned and was not paid yet."""
    return f"creator:{creator_id}"


def reserve_of(creator_id: str) -> str:
    """What a creator has earned, but a bank may take back."""
    return f"reserve:{creator_id}"


def transit_of(creator_id: str) -> str:
    """What is on its way to a creator."""
    return f"transit:{creator_id}"


class Unbalanced(ValueError):
    """Such an entry must not be made: our mistake."""


class Line(msgspec.Struct, frozen=True):
    """So much to one account. `available_at`: from when on a creator may be paid it."""

    account: str
    amount_minor: int
    available_at: datetime | None = None


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold, to whom, on whose channel; nothing of it for fees of our own and payouts."""

    source: Source | None = None
    creator_id: str | None = None
    payer_id: str | None = None
    order_id: str | None = None
    stream_id: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction of the books. `about` is the payment or payout it belongs to. Raises `Unbalanced`."""

    cause: str
    kind: Kind
    about: str
    currency: str
    at: datetime
    lines: tuple[Line, ...]
    sale: Sale = Sale()

    def __post_init__(self) -> None:
        total = sum(line.amount_minor for line in self.lines)
        if len(self.lines) < 2 or total or not all(line.amount_minor for line in self.lines):
            raise Unbalanced(f"{self.cause}: {len(self.lines)} lines, {total} left over")

    def amount_of(self, account: str) -> int:
        return sum(line.amount_minor for line in self.lines if line.account == account)


def lines_of(*lines: Line) -> tuple[Line, ...]:
    """Those that move something."""
    return tuple(line for line in lines if line.amount_minor)
