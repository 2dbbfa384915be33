"""Subscriptions after they were bought: what one has, cancelling, resuming, another plan, the portal, invoices.

Each change is made at Stripe, and then looked at like one that an event told of: our row is never written by guessing
what Stripe would make of it.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from stripe.params.checkout import SessionCreateParams

from infra.clock import Clock, new_id
from infra.stores.postgres import Postgres
from payments import repository
from payments.customers import Customers, Prices
from payments.errors import (
    PlanDoesNotFit,
    PreviewTooOld,
    SamePlan,
    SubscriptionIsOver,
    SubscriptionIsUnpaid,
    SubscriptionNotFound,
)
from payments.model import Order, Plan, Subscription
from payments.orders import Orders, Wanted
from payments.pages import subscription_page
from payments.plans import Plans
from payments.stripe import shapes
from payments.stripe.calls import Calls
from payments.sync import Sync

PREVIEW_FOR = timedelta(minutes=15)  # how long a previewed price holds
MOST_INVOICES = 100


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What another plan would cost now. `due_minor` below 0 is credited to later payments.

    `prorated_at` makes the price: whoever gives it back within 15 minutes pays exactly this.
    """

    plan_id: str
    due_minor: int
    tax_minor: int
    currency: str
    prorated_at: datetime


class ShownInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """A bill. `page_url` is Stripe's page of it, `pdf_url` the file."""

    id: str
    number: str | None
    status: str | None
    total_minor: int
    tax_minor: int
    currency: str
    created_at: datetime
    page_url: str | None
    pdf_url: str | None


class Subscriptions:
    """What somebody subscribes to. `public_url` is where the portal and the payment page lead back to."""

    def __init__(
        self,
        db: Postgres,
        calls: Calls,
        sync: Sync,
        orders: Orders,
        plans: Plans,
        *,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._db = db
        self._calls = calls
        self._sync = sync
        self._orders = orders
        self._customers = Customers(db, calls, clock)
        self._prices = Prices(calls)
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self.plans = plans

    async def begin(
        self, user_id: str, plan_id: str, creator_id: str | None, *, request_key: str | None = None
    ) -> Order:
        """The order for a plan, with its payment page. Raises `PlanUnknown`, `PlanDoesNotFit` and what
        `Orders.begin` raises.
        """
        plan = self.plans.get(plan_id)
        if (plan.scope == "channel") != (creator_id is not None):
            raise PlanDoesNotFit(plan_id=plan_id)
        wanted = Wanted(
            kind="subscription", plan_id=plan.id, creator_id=creator_id, amount_minor=plan.amount_minor,
            currency=plan.currency,
        )  # fmt: skip

        async def page(order: Order) -> SessionCreateParams:
            customer, price = await self._customers.of(user_id), await self._prices.of(plan)
            return subscription_page(order, customer, price, f"{self._public_url}/checkout/")

        return await self._orders.begin(user_id, wanted, page, request_key=request_key)

    async def of(self, user_id: str) -> list[Subscription]:
        """Newest first, also those that are over."""
        async with self._db.connection() as connection:
            return await repository.subscriptions_of(connection, user_id)

    async def premium_of(self, user_id: str) -> Subscription | None:
        async with self._db.connection() as connection:
            return await repository.running_subscription(connection, user_id, None)

    async def cancel(self, user_id: str, subscription_id: str) -> Subscription:
        """At the end of what is paid. Raises `SubscriptionNotFound`, `SubscriptionIsOver`."""
        return await self._renew(user_id, subscription_id, ends=True)

    async def resume(self, user_id: str, subscription_id: str) -> Subscription:
        """Take a cancellation back while the period lasts. Raises as `cancel` does."""
        return await self._renew(user_id, subscription_id, ends=False)

    async def preview(self, user_id: str, subscription_id: str, plan_id: str) -> Change:
        """Raises `SubscriptionNotFound`, `SubscriptionIsOver`, `SubscriptionIsUnpaid`, `PlanUnknown`, `SamePlan`,
        `PlanDoesNotFit`.
        """
        one, plan = await self._changeable(user_id, subscription_id, plan_id)
        at = self._clock().replace(microsecond=0)
        seen = await self._calls.preview_change(
            one.stripe_subscription_id, one.stripe_item_id or "", await self._prices.of(plan),
            proration_at=int(at.timestamp()),
        )  # fmt: skip
        return Change(plan_id=plan.id, due_minor=seen.total, tax_minor=seen.tax, currency=seen.currency, prorated_at=at)

    async def change(self, user_id: str, subscription_id: str, plan_id: str, prorated_at: datetime) -> Subscription:
        """Move to another plan for the price of a preview; to one that it has already, nothing is done.

        Raises as `preview` does, `PreviewTooOld`, and `PaymentRefused`: then nothing has changed.
        """
        try:
            one, plan = await self._changeable(user_id, subscription_id, plan_id)
        except SamePlan:  # a second click
            return await self._own(user_id, subscription_id)
        if not -PREVIEW_FOR <= prorated_at - self._clock() <= timedelta(seconds=1):
            raise PreviewTooOld
        at = int(prorated_at.timestamp())
        await self._calls.change_price(
            one.stripe_subscription_id, one.stripe_item_id or "", await self._prices.of(plan),
            proration_at=at, metadata={"footlight_plan": plan.id}, key=f"change:{one.id}:{plan.id}:{at}",
        )  # fmt: skip
        return await self._looked_at(one)

    async def portal(self, user_id: str) -> str:
        """The address of Stripe's own page, for cards and addresses; good for some minutes. Raises `NoCustomerYet`."""
        visit = await self._calls.open_portal(
            await self._customers.existing(user_id), f"{self._public_url}/subscriptions"
        )
        return visit.url

    async def invoices(self, user_id: str) -> list[ShownInvoice]:
        """The newest bills; drafts are none yet."""
        async with self._db.connection() as connection:
            customer = await repository.customer_of(connection, user_id)
        found: list[ShownInvoice] = []
        if customer is None:
            return found
        async for one in self._calls.lists.invoices(customer=customer.id):
            if one.status != "draft":
                found.append(_shown(one))
            if len(found) == MOST_INVOICES:
                break
        return found

    async def _renew(self, user_id: str, subscription_id: str, *, ends: bool) -> Subscription:
        one = await self._running(user_id, subscription_id)
        # Saying the same twice changes nothing, and later it may be meant again: no key of ours fits.
        await self._calls.end_with_period(one.stripe_subscription_id, ends=ends, key=new_id())
        return await self._looked_at(one)

    async def _looked_at(self, one: Subscription) -> Subscription:
        await self._sync.look("subscription", one.stripe_subscription_id)
        return await self._own(one.user_id, one.id)

    async def _changeable(self, user_id: str, subscription_id: str, plan_id: str) -> tuple[Subscription, Plan]:
        one, plan = await self._running(user_id, subscription_id), self.plans.get(plan_id)
        if one.unpaid_since is not None:
            raise SubscriptionIsUnpaid
        if plan.id == one.plan_id:
            raise SamePlan
        if (plan.scope == "channel") != (one.creator_id is not None):
            raise PlanDoesNotFit(plan_id=plan_id)
        return one, plan

    async def _running(self, user_id: str, subscription_id: str) -> Subscription:
        one = await self._own(user_id, subscription_id)
        if one.status == "expired":
            raise SubscriptionIsOver
        return one

    async def _own(self, user_id: str, subscription_id: str) -> Subscription:
        async with self._db.connection() as connection:
            one = await repository.find_subscription(connection, subscription_id)
        if one is None or one.user_id != user_id:
            raise SubscriptionNotFound
        return one


def _shown(one: shapes.Invoice) -> ShownInvoice:
    return ShownInvoice(
        id=one.id, number=one.number, status=one.status, total_minor=one.total, tax_minor=one.tax,
        currency=one.currency, created_at=datetime.fromtimestamp(one.created, UTC), page_url=one.hosted_invoice_url,
        pdf_url=one.invoice_pdf,
    )  # fmt: skip
