"""The nouns of money: what is sold, what was bought, who may do what, and what creators are paid.

Rows of PostgreSQL as the rest of the code sees them (`infra/migrations/V11__payments.sql`). Ids are UUIDs as text,
amounts whole minor units, currencies ISO 4217 in lower case. The books have nouns of their own (`payments/ledger/`).
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from accounts.model import Tier

OrderKind = Literal["subscription", "gift", "paid_message"]
OrderState = Literal["open", "paid", "expired", "canceled", "refunded"]
SubscriptionStatus = Literal["active", "canceled", "expired"]
GiftState = Literal["waiting", "taken", "withdrawn"]
PaidMessageState = Literal["draft", "paid", "held", "shown", "denied", "withdrawn"]
PayoutState = Literal["asked", "sent", "failed", "returned"]
PayoutSchedule = Literal["manual", "weekly", "monthly"]
PlanScope = Literal["premium", "channel"]
Interval = Literal["month", "year"]

PREMIUM = "premium"
CHANNEL = "channel:"


def channel_scope(creator_id: str) -> str:
    """The scope of rights on one channel."""
    return CHANNEL + creator_id


def scope_of(creator_id: str | None) -> str:
    """The scope of what was bought for this channel, or for the platform."""
    return PREMIUM if creator_id is None else channel_scope(creator_id)


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something one can subscribe to. `amount_minor` is for one `interval`, before tax; `id` is Stripe's lookup key.

    A higher `level` includes the lower ones; of premium there is one. `share_percent` is the creator's part.
    """

    id: str
    name: str
    scope: PlanScope
    level: int
    interval: Interval
    amount_minor: int
    currency: str
    share_percent: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to buy, or bought. Its id is the idempotency key of everything asked of Stripe for it.

    `amount_minor` is for one of `quantity`, before tax; `details` is what is particular to the kind.
    """

    id: str
    user_id: str
    kind: OrderKind
    plan_id: str | None
    creator_id: str | None
    stream_id: str | None
    quantity: int
    amount_minor: int
    currency: str
    state: OrderState
    details: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None
    request_key: str | None = None
    stripe_session_id: str | None = None
    checkout_url: str | None = None
    stripe_payment_intent_id: str | None = None
    stripe_subscription_id: str | None = None


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of Stripe's subscription; active runs and renews, canceled runs until the period's end, expired is over.

    `creator_id` None is premium. While a payment is owed (`unpaid_since`) the rights last until `grace_until`.
    """

    id: str
    user_id: str
    plan_id: str
    creator_id: str | None
    status: SubscriptionStatus
    stripe_status: str
    stripe_subscription_id: str
    stripe_item_id: str | None
    order_id: str | None
    amount_minor: int
    currency: str
    current_period_start: datetime
    current_period_end: datetime
    cancel_at_period_end: bool
    created_at: datetime
    updated_at: datetime
    trial_end: datetime | None = None
    unpaid_since: datetime | None = None
    grace_until: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody may do something for a time. `source`: `subscription:<id>`, `gift:<id>` or `comp:<id>`.

    `until` None: until it is taken back. `in_grace`: a payment failed, and it stands for some days more.
    """

    user_id: str
    scope: str
    source: str
    level: int
    starts_at: datetime
    until: datetime | None
    in_grace: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the rights of one user come to now: the tier that payments give, and creator -> level."""

    tier: Tier
    channels: dict[str, int]


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """One gifted subscription; `recipient_id` None while nobody of the room has it. `number`: which of its order."""

    id: str
    order_id: str
    number: int
    plan_id: str
    creator_id: str | None
    giver_id: str
    recipient_id: str | None
    months: int
    state: GiftState
    starts_at: datetime | None
    until: datetime | None
    created_at: datetime
    withdrawn_at: datetime | None = None


class PaidMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message with money; `order_id` is also its id in the room."""

    order_id: str
    stream_id: str
    channel_id: str
    user_id: str
    text: str
    amount_minor: int
    currency: str
    on_top_seconds: int
    state: PaidMessageState
    created_at: datetime
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    room_offset: int | None = None


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """A text that may be paid for, as it will be shown."""

    channel_id: str
    text: str


class PayoutAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's account at Stripe Connect; `stripe_account_id` None until Stripe answered."""

    creator_id: str
    stripe_account_id: str | None
    country: str | None
    details_submitted: bool
    payouts_enabled: bool
    requirements: list[str]
    schedule: PayoutSchedule
    next_payout_at: datetime | None
    frozen_at: datetime | None
    frozen_reason: str | None
    created_at: datetime
    updated_at: datetime


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way to a creator: asked -> sent | failed, sent -> returned."""

    id: str
    creator_id: str
    amount_minor: int
    currency: str
    state: PayoutState
    asked_by: Literal["creator", "schedule", "admin"]
    stripe_account_id: str
    asked_at: datetime
    stripe_transfer_id: str | None = None
    failure: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    returned_at: datetime | None = None
