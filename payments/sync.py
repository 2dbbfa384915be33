"""Ours becomes what Stripe's is: lock, fetch, decide (`facts.py`), write in one transaction.

The lock comes before the fetch. Whoever holds it fetches what is newest then, and nobody who fetched earlier can still
write afterwards, so what is written never goes back in time. The books are never behind by more than a look: a look at
a payment reads all of its refunds and disputes, whatever event made us look.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from infra.clock import Clock
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import repository
from payments.errors import PlanUnknown
from payments.events import EarningsChanged, OrderChanged, SubscriptionChanged
from payments.facts import (
    PaymentSeen,
    facts_of,
    reference_of,
    right_of,
    subscription_of,
    wholly_returned,
)
from payments.ledger.entries import Sale, Source
from payments.ledger.journal import Journal
from payments.ledger.postings import entries_of
from payments.marks import Marks, marks_in
from payments.model import Order, OrderState, Plan, Right, Subscription
from payments.plans import Plans
from payments.stripe.reads import Reads
from payments.stripe.shapes import Charge, Checkout
from payments.stripe.shapes import Subscription as SubscriptionSeen

# Which kind of object the events of a family are about; the longest beginning that fits counts.
FAMILIES = {
    "checkout.session.": "checkout",
    "customer.subscription.": "subscription",
    "invoice.": "invoice",
    "payment_intent.": "payment",
    "charge.": "charge",
    "charge.dispute.": "dispute",
    "charge.refund.": "refund",
    "refund.": "refund",
}
PAID = "succeeded"

log = get_logger(__name__)


class Rights(Protocol):
    """Who may do what."""

    async def put(self, connection: Connection, right: Right) -> None:
        """Write a right over what its source gave before, and let the user's standing follow."""
        ...


class Effects(Protocol):
    """What a paid gift or message brings about, in the transaction that books it. Both may be called again."""

    async def paid(self, connection: Connection, order: Order) -> None: ...

    async def withdrawn(self, connection: Connection, order: Order) -> None:
        """All of the money went back."""
        ...


Look = Callable[[str], Awaitable[None]]
T = TypeVar("T")


class Sync:
    """Looks at objects."""

    def __init__(
        self,
        db: Postgres,
        reads: Reads,
        rights: Rights,
        journal: Journal,
        plans: Plans,
        *,
        outbox: Outbox,
        clock: Clock,
        effects: Effects | None = None,
    ) -> None:
        self._db = db
        self._reads = reads
        self._rights = rights
        self._journal = journal
        self._plans = plans
        self._outbox = outbox
        self._clock = clock
        self._effects = effects
        self._families = dict(FAMILIES)
        self._looks: dict[str, Look] = {
            "checkout": self.checkout,
            "subscription": self.subscription,
            "invoice": self.invoice,
            "payment": self.payment,
            "charge": self._of_charge,
            "dispute": self._of_dispute,
            "refund": self._of_refund,
        }

    def also(self, family: str, look: Look) -> None:
        """Have objects looked at that others know about: those of events whose type begins with `family`."""
        self._families[family] = family
        self._looks[family] = look

    def kind_of(self, event_type: str) -> str | None:
        """What kind of object events of this type are about; None when we have no use for them."""
        fitting = [family for family in self._families if event_type.startswith(family)]
        return self._families[max(fitting, key=len)] if fitting else None

    async def look(self, kind: str, object_id: str) -> None:
        """Look at an object as it is now, and write what follows. Raises what asking Stripe and PostgreSQL raises."""
        await self._looks[kind](object_id)
        self._outbox.nudge()

    async def checkout(self, checkout_id: str) -> None:
        """What a visit to the payment page led to. Rights come first: who returns from the page finds them."""
        seen = await self._reads.checkout(checkout_id)
        if seen.subscription is not None:
            await self.subscription(seen.subscription)
        if seen.payment_intent is not None:
            await self.payment(seen.payment_intent)
        marks = marks_in(seen.metadata)
        if marks is not None and marks.order_id is not None and seen.status in {"complete", "expired"}:
            await self._close_visited(seen, marks.order_id)

    async def subscription(self, stripe_id: str) -> None:
        async with self._db.transaction() as connection:
            await repository.hold(connection, f"subscription:{stripe_id}")
            seen = await self._reads.subscription(stripe_id)
            marks = await self._marks(connection, seen)
            if marks is None:
                log.info("sync.not_ours", kind="subscription")
                return
            plan = self._plan(seen, marks)
            now = subscription_of(seen, marks, plan, self._clock())
            if now is not None:
                await self._write_subscription(connection, now, plan)

    async def invoice(self, invoice_id: str) -> None:
        for one in await self._reads.payments_of_invoice(invoice_id):
            if one.payment.payment_intent is not None:
                await self.payment(one.payment.payment_intent)

    async def payment(self, payment_id: str) -> None:
        """Book everything about a payment, and let its order follow."""
        async with self._db.transaction() as connection:
            await repository.hold(connection, f"payment:{payment_id}")
            seen = await self._see_payment(payment_id)
            if seen is None:
                return
            marks = await self._marks_of_payment(connection, seen)
            if marks is None:
                log.info("sync.not_ours", kind="payment")
                return
            order = await repository.find_order(connection, marks.order_id) if marks.order_id else None
            await self._book(connection, seen, *self._sale(marks, order))
            if order is not None and seen.invoice is None:
                await self._follow_payment(connection, seen, order)

    # --- subscriptions

    async def _marks(self, connection: Connection, seen: SubscriptionSeen) -> Marks | None:
        """Whose it is: what we wrote on it, or the customer's own when an operator made it at Stripe (premium).

        None for what others sell by the same account.
        """
        if marks := marks_in(seen.metadata):
            return await repository.known(connection, marks)
        user_id = await repository.user_of_customer(connection, seen.customer)
        ours = any(plan.id == seen.item.price.lookup_key and plan.scope == "premium" for plan in self._plans)
        return Marks(user_id=user_id) if user_id and ours else None

    def _plan(self, seen: SubscriptionSeen, marks: Marks) -> Plan:
        """That of the price. Raises `PlanUnknown`, also for a channel's plan without a channel."""
        plan = self._plans.get(seen.item.price.lookup_key or marks.plan_id or "")
        if (plan.scope == "channel") != (marks.creator_id is not None):
            raise PlanUnknown(plan_id=plan.id)
        return plan

    async def _write_subscription(self, connection: Connection, now: Subscription, plan: Plan) -> None:
        before = await repository.subscription_at_stripe(connection, now.stripe_subscription_id)
        if before is not None:
            now = msgspec.structs.replace(now, id=before.id, order_id=before.order_id, created_at=before.created_at)
        await self._rights.put(connection, right_of(now, plan))
        if before is not None and msgspec.structs.replace(now, updated_at=before.updated_at) == before:
            return
        await repository.put_subscription(connection, now)
        if now.order_id is not None:
            await self.close(connection, now.order_id, "paid", subscription_id=now.stripe_subscription_id)
        await self._outbox.add(
            connection,
            SubscriptionChanged(
                at=self._clock(), subscription_id=now.id, user_id=now.user_id, plan_id=now.plan_id,
                creator_id=now.creator_id, status=now.status, current_period_end=now.current_period_end,
                cancel_at_period_end=now.cancel_at_period_end, grace_until=now.grace_until,
            ),
        )  # fmt: skip

    # --- payments

    async def _see_payment(self, payment_id: str) -> PaymentSeen | None:
        """All of it, or None for one that did not succeed: then nothing was taken."""
        payment = await self._reads.payment(payment_id)
        if payment.status != PAID or not isinstance(payment.latest_charge, Charge):
            return None
        lists = self._reads.lists
        invoice_id, refunds, disputes = await asyncio.gather(
            self._reads.invoice_of_payment(payment_id),
            _all(lists.refunds(payment_intent=payment_id)),
            _all(lists.disputes(payment_intent=payment_id)),
        )
        invoice = await self._reads.invoice(invoice_id) if invoice_id else None
        checkout = None
        if invoice is None:
            checkout = next(iter(await _all(lists.checkouts(payment_intent=payment_id))), None)
        return PaymentSeen(
            payment=payment, charge=payment.latest_charge, invoice=invoice, checkout=checkout, refunds=refunds,
            disputes=disputes,
        )  # fmt: skip

    async def _marks_of_payment(self, connection: Connection, seen: PaymentSeen) -> Marks | None:
        """Whose it is, as the order, the invoice's subscription or our own row of that says."""
        if seen.invoice is None:
            marks = marks_in(seen.payment.metadata)
            return await repository.known(connection, marks) if marks else None
        billed = seen.invoice.subscription
        if billed is None:
            return None
        if marks := marks_in(billed.metadata):
            return await repository.known(connection, marks)
        row = await repository.subscription_at_stripe(connection, billed.subscription)
        if row is None:
            return None
        return Marks(user_id=row.user_id, order_id=row.order_id, plan_id=row.plan_id, creator_id=row.creator_id)

    def _sale(self, marks: Marks, order: Order | None) -> tuple[Sale, int]:
        """What was sold, and the creator's part in hundredths."""
        source: Source = "premium" if marks.creator_id is None else "subscription"
        if order is not None and order.kind != "subscription":
            source = order.kind
        sale = Sale(
            source=source, creator_id=marks.creator_id, payer_id=marks.user_id, order_id=marks.order_id,
            stream_id=order.stream_id if order is not None else None,
        )  # fmt: skip
        return sale, self._share_percent(source, marks.plan_id)

    def _share_percent(self, source: Source, plan_id: str | None) -> int:
        if source == "paid_message":
            return self._plans.paid_messages.share_percent
        return self._plans.get(plan_id or "").share_percent

    async def _book(self, connection: Connection, seen: PaymentSeen, sale: Sale, share_percent: int) -> None:
        about = reference_of(seen)
        await self._journal.hold(connection, about)
        booked = await self._journal.about(connection, about)
        new = await self._journal.post(connection, entries_of(facts_of(seen, sale, share_percent), booked))
        if new and sale.creator_id is not None:
            changed = EarningsChanged(at=self._clock(), creator_id=sale.creator_id, currency=seen.payment.currency)
            await self._outbox.add(connection, changed)

    async def _follow_payment(self, connection: Connection, seen: PaymentSeen, order: Order) -> None:
        """A gift or a message was paid, or its money went back."""
        state: OrderState = "refunded" if wholly_returned(seen) else "paid"
        closed = await self.close(connection, order.id, state, payment_id=seen.payment.id)
        if closed is None or self._effects is None:
            return
        if state == "paid":
            await self._effects.paid(connection, closed)
        else:
            await self._effects.withdrawn(connection, closed)

    # --- orders

    async def _close_visited(self, seen: Checkout, order_id: str) -> None:
        if seen.status == "complete" and seen.payment_status == "unpaid":
            return  # a bank takes days; the payment's own event tells how it ended
        async with self._db.transaction() as connection:
            await self.close(connection, order_id, "paid" if seen.status == "complete" else "expired")

    async def close(
        self,
        connection: Connection,
        order_id: str,
        state: OrderState,
        *,
        payment_id: str | None = None,
        subscription_id: str | None = None,
    ) -> Order | None:
        """End an order and tell; None when it ended so already."""
        order = await repository.close_order(
            connection, order_id, state, self._clock(), payment_id=payment_id, subscription_id=subscription_id
        )
        if order is not None:
            changed = OrderChanged(
                at=self._clock(), order_id=order.id, user_id=order.user_id, kind=order.kind, state=order.state
            )
            await self._outbox.add(connection, changed)
        return order

    # --- from what belongs to a payment, to the payment

    async def _of_charge(self, charge_id: str) -> None:
        await self._payment_of((await self._reads.charge(charge_id)).payment_intent)

    async def _of_refund(self, refund_id: str) -> None:
        await self._payment_of((await self._reads.refund(refund_id)).payment_intent)

    async def _of_dispute(self, dispute_id: str) -> None:
        await self._payment_of((await self._reads.dispute(dispute_id)).payment_intent)

    async def _payment_of(self, payment_id: str | None) -> None:
        if payment_id is not None:
            await self.payment(payment_id)


async def _all(found: AsyncIterator[T]) -> list[T]:
    return [one async for one in found]
