"""Stripe's objects as far as we read them (API 2026-10-28). What is not named here is not looked at.

Times are Unix seconds and amounts minor units, as Stripe writes them. A reference is the id of another object: we ask
for objects unexpanded, but for `PaymentIntent.latest_charge` and its balance transaction.
"""

from typing import Generic, TypeVar

import msgspec
from msgspec import field

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, newest first."""

    data: list[T]
    has_more: bool = False


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    deleted: bool = False
    metadata: dict[str, str] = {}


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """`lookup_key` is the id of our plan."""

    id: str
    currency: str
    unit_amount: int | None = None
    lookup_key: str | None = None


class TotalDetails(msgspec.Struct, frozen=True, kw_only=True):
    amount_tax: int = 0


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A visit to the payment page. `status` is open, complete or expired; `url` only while it is open."""

    id: str
    mode: str
    created: int
    expires_at: int
    payment_status: str
    status: str | None = None
    url: str | None = None
    customer: str | None = None
    subscription: str | None = None
    payment_intent: str | None = None
    client_reference_id: str | None = None
    total_details: TotalDetails | None = None
    metadata: dict[str, str] | None = None


class PortalVisit(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    url: str


class SubscriptionItem(msgspec.Struct, frozen=True, kw_only=True):
    """The period is the item's since API 2025-03-31."""

    id: str
    price: Price
    current_period_start: int
    current_period_end: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """`cancel_at` is set instead of `cancel_at_period_end` when the portal cancels (flexible billing)."""

    id: str
    status: str
    customer: str
    currency: str
    created: int
    items: Page[SubscriptionItem]
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    canceled_at: int | None = None
    ended_at: int | None = None
    trial_end: int | None = None
    latest_invoice: str | None = None
    metadata: dict[str, str] = {}

    @property
    def item(self) -> SubscriptionItem:
        """We sell one thing with each subscription."""
        return self.items.data[0]


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    amount: int


class SubscriptionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`metadata` is the subscription's at the time of the invoice."""

    subscription: str
    metadata: dict[str, str] | None = None


class InvoiceParent(msgspec.Struct, frozen=True, kw_only=True):
    subscription_details: SubscriptionDetails | None = None


class StatusTransitions(msgspec.Struct, frozen=True, kw_only=True):
    paid_at: int | None = None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    start: int
    end: int


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    amount: int
    period: Period
    description: str | None = None


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """A preview has no id that can be asked for."""

    currency: str
    total: int
    amount_due: int
    created: int
    amount_paid: int = 0
    id: str = ""
    status: str | None = None
    customer: str | None = None
    number: str | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    total_taxes: list[Tax] | None = None
    parent: InvoiceParent | None = None
    status_transitions: StatusTransitions = field(default_factory=StatusTransitions)
    lines: Page[InvoiceLine] = Page(data=[])
    next_payment_attempt: int | None = None

    @property
    def tax(self) -> int:
        return sum(one.amount for one in self.total_taxes or [])

    @property
    def subscription(self) -> SubscriptionDetails | None:
        return self.parent.subscription_details if self.parent else None


class PaidBy(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    payment_intent: str | None = None


class InvoicePayment(msgspec.Struct, frozen=True, kw_only=True):
    """Which payment went to which invoice."""

    id: str
    invoice: str
    status: str
    payment: PaidBy
    amount_paid: int | None = None


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A change of our balance at Stripe: `amount` less `fee`."""

    id: str
    amount: int
    fee: int
    currency: str
    created: int
    type: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    created: int
    status: str
    amount_refunded: int = 0
    disputed: bool = False
    payment_intent: str | None = None
    balance_transaction: BalanceTransaction | str | None = None


class PaymentIntent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    amount: int
    currency: str
    created: int
    amount_received: int = 0
    customer: str | None = None
    latest_charge: Charge | str | None = None
    metadata: dict[str, str] = {}


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is pending, requires_action, succeeded, failed or canceled; then money came back, by a transaction."""

    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    charge: str | None = None
    payment_intent: str | None = None
    failure_balance_transaction: BalanceTransaction | str | None = None
    metadata: dict[str, str] | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """`balance_transactions` say what was taken and given back, with the bank's fee."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    charge: str
    payment_intent: str | None = None
    balance_transactions: list[BalanceTransaction] = []


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    currently_due: list[str] | None = None
    disabled_reason: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's account, which Stripe keeps for them."""

    id: str
    charges_enabled: bool = False
    payouts_enabled: bool = False
    details_submitted: bool = False
    country: str | None = None
    default_currency: str | None = None
    requirements: Requirements | None = None
    metadata: dict[str, str] | None = None


class AccountLink(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    expires_at: int


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    created: int
    destination: str | None = None
    reversed: bool = False
    amount_reversed: int = 0
    metadata: dict[str, str] = {}


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    object: msgspec.Raw


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`pending_webhooks` counts the endpoints that have not taken it."""

    id: str
    type: str
    created: int
    data: EventData
    account: str | None = None
    pending_webhooks: int = 0

    @property
    def object_id(self) -> str:
        """'' for the few objects that have none (`balance.available`)."""
        return msgspec.json.decode(self.data.object, type=_Named).id


class _Named(msgspec.Struct):
    id: str = ""
