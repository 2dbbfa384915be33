"""What payments tell the rest of the platform. Every event may come twice; the ids in it make the effect once."""

from datetime import datetime
from typing import ClassVar

import msgspec

from infra.events import Event
from payments.model import PayoutState, SubscriptionStatus


class SubscriptionChanged(Event, frozen=True, kw_only=True):
    """A subscription began, renewed, changed its plan, owes a payment or is over. For the person it belongs to.

    The rights themselves travel as `accounts.events.ProfileChanged`.
    """

    topic: ClassVar[str] = "payment.subscription_changed"
    subscription_id: str
    user_id: str
    plan_id: str
    creator_id: str | None
    status: SubscriptionStatus
    current_period_end: datetime
    cancel_at_period_end: bool
    grace_until: datetime | None = None


class OrderChanged(Event, frozen=True, kw_only=True):
    """An order was paid, expired, was given up or refunded: open payment pages of the buyer follow."""

    topic: ClassVar[str] = "payment.order_changed"
    order_id: str
    user_id: str
    kind: str
    state: str


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who got a gift, with the name of the time."""

    id: str
    name: str


class GiftGiven(Event, frozen=True, kw_only=True):
    """Gifts were paid: `count` of them; `recipients` have one already. The room shows it once, by `order_id`.

    `creator_id` None is premium; `stream_id` None: no room hears of it.
    """

    topic: ClassVar[str] = "payment.gift_given"
    order_id: str
    creator_id: str | None
    stream_id: str | None
    giver_id: str
    giver_name: str
    plan_id: str
    level: int
    months: int
    count: int
    amount_minor: int
    currency: str
    recipients: list[Recipient] = msgspec.field(default_factory=list)


class GiftWithdrawn(Event, frozen=True, kw_only=True):
    """The money of gifts went back: the room that was told of them takes it away."""

    topic: ClassVar[str] = "payment.gift_withdrawn"
    order_id: str
    stream_id: str
    giver_id: str


class MessagePaid(Event, frozen=True, kw_only=True):
    """A paid message may go to its room, as a draft whose id is `order_id`. `amount_minor` is before tax."""

    topic: ClassVar[str] = "payment.message_paid"
    order_id: str
    stream_id: str
    channel_id: str
    user_id: str
    user_name: str
    text: str
    amount_minor: int
    currency: str
    on_top_seconds: int


class MessageWithdrawn(Event, frozen=True, kw_only=True):
    """The money of a paid message went back: the room removes it, if it is there."""

    topic: ClassVar[str] = "payment.message_withdrawn"
    order_id: str
    stream_id: str
    channel_id: str
    user_id: str
    reason: str


class EarningsChanged(Event, frozen=True, kw_only=True):
    """Something was written to a creator's books: an open dashboard asks again."""

    topic: ClassVar[str] = "payment.earnings_changed"
    creator_id: str
    currency: str


class PayoutChanged(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "payment.payout_changed"
    payout_id: str
    creator_id: str
    amount_minor: int
    currency: str
    state: PayoutState
