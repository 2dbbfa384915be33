"""The shelf with a counter: the writes that buying and changing ask of Stripe, once for each idempotency key."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeVar

import msgspec
from stripe.params.checkout import SessionCreateParams

from infra.clock import system_clock
from payments.errors import StripeRefused
from payments.model import Plan
from payments.stripe import shapes
from payments.stripe.calls import Calls
from tests.payments.life import PRICE
from tests.payments.shelf import Shelf
from tests.payments.till import unix

Made = TypeVar("Made")
MONTH_SECONDS = 30 * 86_400


class Counter(Shelf, Calls):
    """`asked` are the keys as they came; `breaks_after` raises once the thing was done: a reset after success."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.breaks_after: Exception | None = None
        self.previews = 0
        self._answers: dict[str, Any] = {}
        self._numbers = count(1)

    def once(self, key: str, make: Callable[[], Made]) -> Made:
        self.asked.append(key)
        if self.away is not None:
            raise self.away
        if key not in self._answers:
            self._answers[key] = make()
        if self.breaks_after is not None:
            failure, self.breaks_after = self.breaks_after, None
            raise failure
        made: Made = self._answers[key]
        return made

    def named(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"

    def pay(self, checkout_id: str) -> str:
        """Somebody types a good card on the payment page; returns the subscription."""
        seen = self.objects[checkout_id]
        assert isinstance(seen, shapes.Checkout)
        assert seen.status == "open"
        metadata, now = seen.metadata or {}, unix(system_clock())
        price = shapes.Price(
            id=f"price_{metadata['footlight_plan']}", currency="eur", unit_amount=PRICE,
            lookup_key=metadata["footlight_plan"],
        )  # fmt: skip
        item = shapes.SubscriptionItem(
            id=self.named("si"), price=price, current_period_start=now, current_period_end=now + MONTH_SECONDS
        )
        subscription = shapes.Subscription(
            id=self.named("sub"), status="active", customer=seen.customer or "", currency="eur", created=now,
            items=shapes.Page(data=[item]), metadata=metadata,
        )  # fmt: skip
        self.put(subscription)
        self.change(checkout_id, status="complete", payment_status="paid", url=None, subscription=subscription.id)
        return subscription.id

    async def create_customer(self, user_id: str, email: str, name: str, *, key: str) -> shapes.Customer:
        def make() -> shapes.Customer:
            self.put(made := shapes.Customer(id=self.named("cus"), metadata={"footlight_user": user_id}))
            return made

        return self.once(key, make)

    async def price_of(self, plan_id: str) -> shapes.Price | None:
        found = self.objects.get(f"price_{plan_id}")
        return found if isinstance(found, shapes.Price) else None

    async def create_price(self, plan: Plan, *, key: str) -> shapes.Price:
        def make() -> shapes.Price:
            made = shapes.Price(
                id=f"price_{plan.id}", currency=plan.currency, unit_amount=plan.amount_minor, lookup_key=plan.id
            )
            self.put(made)
            return made

        return self.once(key, make)

    async def create_checkout(self, wanted: SessionCreateParams, *, key: str) -> shapes.Checkout:
        def make() -> shapes.Checkout:
            name = self.named("cs")
            made = shapes.Checkout(
                id=name, mode=wanted["mode"], created=unix(system_clock()), expires_at=wanted["expires_at"],
                payment_status="unpaid", status="open", url=f"https://pay.test/{name}", customer=wanted["customer"],
                metadata=wanted["metadata"],  # type: ignore[arg-type]  # '' would take metadata back
            )  # fmt: skip
            self.put(made)
            return made

        return self.once(key, make)

    async def expire_checkout(self, checkout_id: str, *, key: str) -> shapes.Checkout:
        def make() -> shapes.Checkout:
            seen = self.objects[checkout_id]
            assert isinstance(seen, shapes.Checkout)
            if seen.status != "open":
                raise StripeRefused
            self.change(checkout_id, status="expired", url=None)
            return seen

        return self.once(key, make)

    async def open_portal(self, customer_id: str, return_url: str) -> shapes.PortalVisit:
        return shapes.PortalVisit(id="bps_1", url=f"https://portal.test/{customer_id}")

    async def end_with_period(self, subscription_id: str, *, ends: bool, key: str) -> shapes.Subscription:
        self.once(key, lambda: self.change(subscription_id, cancel_at_period_end=ends))
        return await self.subscription(subscription_id)

    async def change_price(
        self,
        subscription_id: str,
        item_id: str,
        price_id: str,
        *,
        proration_at: int,
        metadata: Mapping[str, str],
        key: str,
    ) -> shapes.Subscription:
        def make() -> None:
            before, price = self.objects[subscription_id], self.objects[price_id]
            assert isinstance(before, shapes.Subscription)
            assert before.item.id == item_id
            item = msgspec.structs.replace(before.item, price=price)
            self.change(
                subscription_id, items=shapes.Page(data=[item]), cancel_at_period_end=False,
                metadata={**before.metadata, **metadata},
            )  # fmt: skip

        self.once(key, make)
        return await self.subscription(subscription_id)

    async def preview_change(
        self, subscription_id: str, item_id: str, price_id: str, *, proration_at: int
    ) -> shapes.Invoice:
        self.previews += 1
        return shapes.Invoice(
            currency="eur", total=4491, amount_due=4491, created=proration_at, total_taxes=[shapes.Tax(amount=391)]
        )
