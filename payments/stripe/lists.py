"""Stripe's lists, as far as anybody reads them: page after page, newest first."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from stripe import StripeObject

from payments.stripe.client import Stripe
from payments.stripe.shapes import (
    Checkout,
    Dispute,
    Event,
    Invoice,
    Page,
    PaymentIntent,
    Refund,
    Subscription,
    Transfer,
)

PAGE = 100  # the most that Stripe gives at once

One = TypeVar("One", Checkout, Dispute, Event, Invoice, PaymentIntent, Refund, Subscription, Transfer)
Listing = Callable[..., Awaitable[StripeObject]]


class Lists:
    """`since` bounds when objects were made; None is all of them. Raises what `Stripe.ask` raises."""

    def __init__(self, stripe: Stripe) -> None:
        self._ask = stripe.ask
        self._v1 = stripe.api.v1

    def subscriptions(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Subscription]:
        """Also those that are over. `customer=` narrows it to one."""
        wanted = {"status": "all", **_made(since), **more}
        return self._every(self._v1.subscriptions.list_async, wanted, Page[Subscription])

    def invoices(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Invoice]:
        """`customer=`, `subscription=` and `status=` narrow it."""
        return self._every(self._v1.invoices.list_async, {**_made(since), **more}, Page[Invoice])

    def checkouts(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Checkout]:
        """`subscription=`, `payment_intent=` and `status=` narrow it."""
        return self._every(self._v1.checkout.sessions.list_async, {**_made(since), **more}, Page[Checkout])

    def payments(self, since: datetime | None = None) -> AsyncIterator[PaymentIntent]:
        return self._every(self._v1.payment_intents.list_async, _made(since), Page[PaymentIntent])

    def refunds(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Refund]:
        """`payment_intent=` narrows it to one payment."""
        return self._every(self._v1.refunds.list_async, {**_made(since), **more}, Page[Refund])

    def disputes(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Dispute]:
        """`payment_intent=` narrows it to one payment."""
        return self._every(self._v1.disputes.list_async, {**_made(since), **more}, Page[Dispute])

    def transfers(self, since: datetime | None = None, **more: Any) -> AsyncIterator[Transfer]:
        """`destination=` and `transfer_group=` narrow it."""
        return self._every(self._v1.transfers.list_async, {**_made(since), **more}, Page[Transfer])

    def undelivered(self, since: datetime | None = None) -> AsyncIterator[Event]:
        """Events that some endpoint of ours has not taken. Stripe keeps events for 30 days."""
        return self._every(self._v1.events.list_async, {"delivery_success": False, **_made(since)}, Page[Event])

    async def _every(self, listing: Listing, wanted: dict[str, Any], shape: type[Page[One]]) -> AsyncIterator[One]:
        after: dict[str, str] = {}
        while True:
            asked = {"limit": PAGE, **wanted, **after}
            page = await self._ask(partial(listing, asked), shape)
            for one in page.data:
                yield one
            if not page.has_more or not page.data:
                return
            after = {"starting_after": page.data[-1].id}


def _made(since: datetime | None) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}} if since else {}
