"""Stripe's objects on a shelf: what a look finds is what the test put there last.

The inbox and sync are tested on it, because thousands of lives of a subscription are too many for HTTP. That the real
client reads real answers into these shapes is shown with the sandbox (`test_with_the_sandbox.py`).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec

from payments.stripe import shapes
from payments.stripe.errors import NoSuchObject
from payments.stripe.lists import Lists
from payments.stripe.reads import Reads

Shape = TypeVar("Shape", bound=msgspec.Struct)
FEE = 25


class Shelf(Reads):
    """`Reads` without a network. `away`, when set, is raised by every look; `slowly` lets others in between."""

    def __init__(self) -> None:
        self.objects: dict[str, msgspec.Struct] = {}
        self.invoice_payments: list[shapes.InvoicePayment] = []
        self.looks = 0
        self.away: Exception | None = None
        self.seconds = 0.0
        self.lists = ShelvedLists(self)

    def put(self, *objects: Any) -> None:
        for one in objects:
            self.objects[one.id] = one

    def change(self, object_id: str, **fields: Any) -> None:
        self.objects[object_id] = msgspec.structs.replace(self.objects[object_id], **fields)

    def all(self, kind: type[Shape]) -> list[Shape]:
        return [one for one in self.objects.values() if isinstance(one, kind)]

    async def seen(self, object_id: str, kind: type[Shape]) -> Shape:
        self.looks += 1
        if self.away is not None:
            raise self.away
        found = self.objects.get(object_id)
        await asyncio.sleep(self.seconds)
        if not isinstance(found, kind):
            raise NoSuchObject
        return found

    async def checkout(self, checkout_id: str) -> shapes.Checkout:
        return await self.seen(checkout_id, shapes.Checkout)

    async def subscription(self, subscription_id: str) -> shapes.Subscription:
        return await self.seen(subscription_id, shapes.Subscription)

    async def invoice(self, invoice_id: str) -> shapes.Invoice:
        return await self.seen(invoice_id, shapes.Invoice)

    async def payment(self, payment_id: str) -> shapes.PaymentIntent:
        return await self.seen(payment_id, shapes.PaymentIntent)

    async def charge(self, charge_id: str) -> shapes.Charge:
        return await self.seen(charge_id, shapes.Charge)

    async def refund(self, refund_id: str) -> shapes.Refund:
        return await self.seen(refund_id, shapes.Refund)

    async def dispute(self, dispute_id: str) -> shapes.Dispute:
        return await self.seen(dispute_id, shapes.Dispute)

    async def payments_of_invoice(self, invoice_id: str) -> list[shapes.InvoicePayment]:
        return [one for one in self.invoice_payments if one.invoice == invoice_id]

    async def invoice_of_payment(self, payment_id: str) -> str | None:
        return next((one.invoice for one in self.invoice_payments if one.payment.payment_intent == payment_id), None)


class ShelvedLists(Lists):
    """Everything on the shelf, newest first."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def _every(self, listing: Any, wanted: dict[str, Any], shape: Any) -> AsyncIterator[Any]:
        raise AssertionError("the shelf asks nobody")
        yield

    def subscriptions(self, since: object = None, **more: Any) -> AsyncIterator[shapes.Subscription]:
        return self._those(shapes.Subscription, more)

    def checkouts(self, since: object = None, **more: Any) -> AsyncIterator[shapes.Checkout]:
        return self._those(shapes.Checkout, more)

    def payments(self, since: object = None) -> AsyncIterator[shapes.PaymentIntent]:
        return self._those(shapes.PaymentIntent, {})

    def refunds(self, since: object = None, **more: Any) -> AsyncIterator[shapes.Refund]:
        return self._those(shapes.Refund, {name: more[name] for name in more if name != "expand"})

    def disputes(self, since: object = None, **more: Any) -> AsyncIterator[shapes.Dispute]:
        return self._those(shapes.Dispute, more)

    def undelivered(self, since: object = None) -> AsyncIterator[shapes.Event]:
        return self._those(shapes.Event, {})

    async def _those(self, kind: type[Shape], wanted: dict[str, Any]) -> AsyncIterator[Shape]:
        fits = [one for one in self._shelf.all(kind) if all(getattr(one, name) == wanted[name] for name in wanted)]
        for one in sorted(fits, key=lambda one: getattr(one, "created", 0), reverse=True):
            yield one
