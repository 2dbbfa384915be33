"""Subscribing: plans, the way to the payment page and back, and what one may do with a subscription.

The rules are in `payments/orders.py` and `payments/subscriptions.py`. Cards are typed on Stripe's pages alone.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from api.uploads import RequestKey
from payments.errors import (
    AlreadySubscribed,
    ChannelNotForSale,
    NoCustomerYet,
    OrderDiffers,
    OrderIsOver,
    OrderNotFound,
    OwnChannel,
    PaymentRefused,
    PlanDoesNotFit,
    PlanUnknown,
    PreviewTooOld,
    SamePlan,
    StripeUnavailable,
    SubscriptionIsOver,
    SubscriptionIsUnpaid,
    SubscriptionNotFound,
    TooManyOrders,
)
from payments.model import Interval, Order, OrderKind, OrderState, Plan, PlanScope, Subscription, SubscriptionStatus
from payments.orders import Orders
from payments.plans import Plans
from payments.subscriptions import Change, ShownInvoice, Subscriptions

PlanId = Annotated[str, Meta(min_length=1, max_length=40)]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
PreviewedPlan = Annotated[str, QueryParameter(min_length=1, max_length=40, description="The plan to change to.")]
SubscriptionId = FromPath[str]
YEARLY = {"plan_id": "premium-yearly", "prorated_at": "2026-11-23T12:00:00Z"}
ONE = (*NEEDS_USER, SubscriptionNotFound, SubscriptionIsOver, StripeUnavailable)
ANOTHER_PLAN = (*ONE, SubscriptionIsUnpaid, PlanUnknown, PlanDoesNotFit, SamePlan)


class ShownPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Something one can subscribe to. `amount_minor` is for one `interval`, before tax."""

    id: str
    name: str
    scope: PlanScope
    level: int
    interval: Interval
    amount_minor: int
    currency: str


class ShownStep(msgspec.Struct, frozen=True):
    """From `amount_minor` on a paid message stays on top so long."""

    amount_minor: int
    on_top_seconds: int


class ShownPlans(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold, and the rules of it: how many gifts an order may hold, and what a paid message may cost.

    The amount of the first of `message_steps` is the smallest one taken; they are in `currency`.
    """

    plans: list[ShownPlan]
    currency: str
    gifts_at_once: int
    message_max_minor: int
    message_steps: list[ShownStep]


class WantedPlan(msgspec.Struct, forbid_unknown_fields=True):
    """`creator_id` names the channel of a channel's plan."""

    plan_id: PlanId
    creator_id: Uuid | None = None


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is buying. `url` is the payment page, while the order is open."""

    id: str
    kind: OrderKind
    state: OrderState
    plan_id: str | None
    creator_id: str | None
    quantity: int
    amount_minor: int
    currency: str
    created_at: datetime
    expires_at: datetime
    url: str | None


class ShownSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """`status`: active renews; canceled runs until `current_period_end`; expired is over.

    While a payment is owed, `grace_until` says how long the rights last.
    """

    id: str
    plan_id: str
    creator_id: str | None
    status: SubscriptionStatus
    amount_minor: int
    currency: str
    current_period_start: datetime
    current_period_end: datetime
    cancel_at_period_end: bool
    trial_end: datetime | None
    grace_until: datetime | None
    ended_at: datetime | None
    created_at: datetime


class ShownSubscriptions(msgspec.Struct, frozen=True):
    subscriptions: list[ShownSubscription]


class MySubscription(msgspec.Struct, frozen=True):
    """Premium, or null."""

    subscription: ShownSubscription | None


class NewPlan(msgspec.Struct, forbid_unknown_fields=True):
    """`prorated_at` is the preview's: what was shown is what is paid."""

    plan_id: PlanId
    prorated_at: datetime


class Portal(msgspec.Struct, frozen=True):
    """Stripe's own page, for cards, addresses and bills; good for some minutes."""

    url: str


class ShownInvoices(msgspec.Struct, frozen=True):
    """Newest first."""

    invoices: list[ShownInvoice]


class PlanController(Controller):
    path = "/plans"
    tags = ("Payments",)

    @get("/", operation_id="listPlans", summary="What one can subscribe to", responses=problems())
    async def plans(self, subscriptions: NamedDependency[Subscriptions]) -> ShownPlans:
        return _plans(subscriptions.plans)


class CheckoutController(Controller):
    path = "/checkout"
    tags = ("Payments",)
    response_headers = NO_STORE

    @post(
        "/",
        status_code=201,
        guards=[signed_in],
        operation_id="beginCheckout",
        summary="Go to the payment page for a plan",
        description="An open order for the same plan is given again, so asking twice makes nothing twice.",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, PlanUnknown, PlanDoesNotFit, OwnChannel, ChannelNotForSale, AlreadySubscribed, OrderDiffers,
            OrderIsOver, TooManyOrders, StripeUnavailable, body=True,
        ),
    )  # fmt: skip
    async def begin(
        self,
        data: Annotated[WantedPlan, Body(examples=[Example(summary="premium", value={"plan_id": "premium-monthly"})])],
        subscriptions: NamedDependency[Subscriptions],
        identity: NamedDependency[Identity],
        request_key: RequestKey = None,
    ) -> ShownOrder:
        order = await subscriptions.begin(identity.user_id, data.plan_id, data.creator_id, request_key=request_key)
        return shown_order(order)

    @get(
        "/{order_id:str}",
        guards=[signed_in],
        operation_id="getOrder",
        summary="How an order stands, for the page one returns to",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, OrderNotFound),
    )
    async def state(
        self, order_id: FromPath[str], orders: NamedDependency[Orders], identity: NamedDependency[Identity]
    ) -> ShownOrder:
        return shown_order(await orders.find(identity.user_id, order_id))


class SubscriptionController(Controller):
    tags = ("Payments",)
    response_headers = NO_STORE

    @get(
        "/subscription",
        guards=[signed_in],
        operation_id="getPremium",
        summary="The own premium subscription",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def premium(
        self, subscriptions: NamedDependency[Subscriptions], identity: NamedDependency[Identity]
    ) -> MySubscription:
        one = await subscriptions.premium_of(identity.user_id)
        return MySubscription(_subscription(one) if one else None)

    @get(
        "/subscriptions",
        guards=[signed_in],
        operation_id="listSubscriptions",
        summary="All of one's subscriptions, also those that are over",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def mine(
        self, subscriptions: NamedDependency[Subscriptions], identity: NamedDependency[Identity]
    ) -> ShownSubscriptions:
        return ShownSubscriptions([_subscription(one) for one in await subscriptions.of(identity.user_id)])

    @post(
        "/subscriptions/{subscription_id:str}/cancel",
        status_code=200,
        guards=[signed_in],
        operation_id="cancelSubscription",
        summary="End with the period that is paid; again changes nothing",
        security=KNOWN_USER,
        responses=problems(*ONE),
    )
    async def cancel(
        self,
        subscription_id: SubscriptionId,
        subscriptions: NamedDependency[Subscriptions],
        identity: NamedDependency[Identity],
    ) -> ShownSubscription:
        return _subscription(await subscriptions.cancel(identity.user_id, subscription_id))

    @post(
        "/subscriptions/{subscription_id:str}/resume",
        status_code=200,
        guards=[signed_in],
        operation_id="resumeSubscription",
        summary="Take a cancellation back; again changes nothing",
        security=KNOWN_USER,
        responses=problems(*ONE),
    )
    async def resume(
        self,
        subscription_id: SubscriptionId,
        subscriptions: NamedDependency[Subscriptions],
        identity: NamedDependency[Identity],
    ) -> ShownSubscription:
        return _subscription(await subscriptions.resume(identity.user_id, subscription_id))

    @get(
        "/subscriptions/{subscription_id:str}/preview",
        guards=[signed_in],
        operation_id="previewPlan",
        summary="What another plan would cost now",
        security=KNOWN_USER,
        responses=problems(*ANOTHER_PLAN),
    )
    async def preview(
        self,
        subscription_id: SubscriptionId,
        plan_id: PreviewedPlan,
        subscriptions: NamedDependency[Subscriptions],
        identity: NamedDependency[Identity],
    ) -> Change:
        return await subscriptions.preview(identity.user_id, subscription_id, plan_id)

    @post(
        "/subscriptions/{subscription_id:str}/plan",
        status_code=200,
        guards=[signed_in],
        operation_id="changePlan",
        summary="Change to another plan for a previewed price",
        description="What is due is paid at once with the card that is known; if that is refused, nothing changes.",
        security=KNOWN_USER,
        responses=problems(*ANOTHER_PLAN, PreviewTooOld, PaymentRefused, body=True),
    )
    async def change(
        self,
        subscription_id: SubscriptionId,
        data: Annotated[NewPlan, Body(examples=[Example(summary="a year", value=YEARLY)])],
        subscriptions: NamedDependency[Subscriptions],
        identity: NamedDependency[Identity],
    ) -> ShownSubscription:
        return _subscription(
            await subscriptions.change(identity.user_id, subscription_id, data.plan_id, data.prorated_at)
        )

    @post(
        "/billing-portal",
        status_code=201,
        guards=[signed_in],
        operation_id="openPortal",
        summary="A link to Stripe's page for cards and bills",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NoCustomerYet, StripeUnavailable),
    )
    async def portal(
        self, subscriptions: NamedDependency[Subscriptions], identity: NamedDependency[Identity]
    ) -> Portal:
        return Portal(await subscriptions.portal(identity.user_id))

    @get(
        "/invoices",
        guards=[signed_in],
        operation_id="listInvoices",
        summary="The newest hundred bills",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StripeUnavailable),
    )
    async def invoices(
        self, subscriptions: NamedDependency[Subscriptions], identity: NamedDependency[Identity]
    ) -> ShownInvoices:
        return ShownInvoices(await subscriptions.invoices(identity.user_id))


def shown_order(order: Order) -> ShownOrder:
    """An order as its owner sees it."""
    shown = {name: getattr(order, name) for name in ShownOrder.__struct_fields__ if name != "url"}
    return ShownOrder(**shown, url=order.checkout_url if order.state == "open" else None)


def _plans(plans: Plans) -> ShownPlans:
    messages = plans.paid_messages
    return ShownPlans(
        plans=[_plan(one) for one in plans],
        currency=plans.currency,
        gifts_at_once=plans.gifts.max_quantity,
        message_max_minor=messages.max_amount_minor,
        message_steps=[ShownStep(one.amount_minor, one.on_top_seconds) for one in messages.steps],
    )


def _plan(plan: Plan) -> ShownPlan:
    return ShownPlan(**{name: getattr(plan, name) for name in ShownPlan.__struct_fields__})


def _subscription(one: Subscription) -> ShownSubscription:
    return ShownSubscription(**{name: getattr(one, name) for name in ShownSubscription.__struct_fields__})
