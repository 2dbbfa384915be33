"""Ours becomes what Stripe's is: lock, fetch, decide (`facts.py`), write in one transaction.

The lock comes before the fetch. Whoever holds it fetches what is newest then, and nobody who fetched earlier can still
write afterwards, so what is written never goes back in time. The books are never behind by more than a look: a look at
a payment reads all of its refunds and disputes, whatever event made us look.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from infra.clock import Clock
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import repository
from payments.entitlements import Rights
from payments.errors import PlanUnknown
from payments.events import EarningsChanged, OrderChanged, SubscriptionChanged
from payments.facts import (
    PaymentSeen,
    facts_of,
    is_disputed,
    right_of,
    subscription_of,
    wholly_returned,
)
from payments.ledger.entries import Entry, Sale, Source
from payments.ledger.journal import Journal
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
FAILED_AT = ["data.failure_balance_transaction"]  # it says when a refund failed
# Each holds a connection of the process's pool (10) while Stripe is asked. A Stripe that hangs must not take them all.
LOOKS_AT_ONCE = 4

log = get_logger(__name__)


class Effects(Protocol):
    """What a paid gift or message brings about, in the transaction that books it. Both may be called again."""

    async def paid(self, connection: Connection, order: Order) -> None: ...

    async def withdrawn(self, connection: Connection, order: Order) -> None:
        """All of the money went back."""
        ...

    async def disputed(self, connection: Connection, order: Order) -> None:
        """A bank took the money back, until that is decided. Called at every look while it is so."""
        ...


@dataclass(frozen=True, slots=True)
class SubscriptionDue:
    """How it must stand; `before` is our row as it was."""

    row: Subscription
    right: Right
    before: Subscription | None

    @property
    def is_news(self) -> bool:
        return (
            self.before is None or msgspec.structs.replace(self.row, updated_at=self.before.updated_at) != self.before
        )


@dataclass(frozen=True, slots=True)
class PaymentDue:
    """What was seen of a payment, and the entries that are missing. `order`: of something that is paid once."""

    seen: PaymentSeen
    order: Order | None
    sale: Sale
    missing: list[Entry]


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
        self._places = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._families = dict(FAMILIES)
        self._connected: set[str] = set()
        self._looks: dict[str, Look] = {
            "checkout": self.checkout,
            "subscription": self.subscription,
            "invoice": self.invoice,
            "payment": self.payment,
            "charge": self._of_charge,
            "dispute": self._of_dispute,
            "refund": self._of_refund,
        }

    def also(self, family: str, look: Look, *, connected: bool = False) -> None:
        """Have objects looked at that others know about: those of events whose type begins with `family`.

        `connected`: events of creators' accounts too, when their object is to be found at our own.
        """
        self._families[family] = family
        self._looks[family] = look
        if connected:
            self._connected.add(family)

    def kind_of(self, event_type: str, account: str | None = None) -> str | None:
        """What kind of object events of this type are about; None when we have no use for them.

        Charges and the like of a creator's own account are none of ours, and not to be found at our account.
        """
        fitting = [family for family in self._families if event_type.startswith(family)]
        if not fitting or (account is not None and max(fitting, key=len) not in self._connected):
            return None
        return self._families[max(fitting, key=len)]

    async def look(self, kind: str, object_id: str) -> None:
        """Look at an object as it is now, and write what follows. Raises what asking Stripe and PostgreSQL raises."""
        async with self._places:
            await self._looks[kind](object_id)
        self._outbox.nudge()

    async def checkout(self, checkout_id: str) -> None:
        """What a visit to the payment page led to. Rights come first: who returns from the page finds them."""
        seen = await self._reads.checkout(checkout_id)
        if seen.subscription is not None:
            await self.subscription(seen.subscription)
        if seen.payment_intent is not None:
            await self.payment(seen.payment_intent)
        order_id, state = order_state_of(seen)
        if seen.mode == "payment" and state == "paid":
            return  # only the payment itself brings about what was paid for
        if order_id is not None and state is not None:
            async with self._db.transaction() as connection:
                await self.close(connection, order_id, state)

    async def subscription(self, stripe_id: str) -> None:
        async with self._db.transaction() as connection:
            if due := await self.subscription_due(connection, stripe_id):
                await self._write_subscription(connection, due)

    async def subscription_due(self, connection: Connection, stripe_id: str) -> SubscriptionDue | None:
        """What our row and right must be now; None for what is not ours, or never began. Nobody else writes them until
        the transaction ends.
        """
        await repository.hold(connection, f"subscription:{stripe_id}")
        seen = await self._reads.subscription(stripe_id)
        marks = await self._marks(connection, seen)
        if marks is None:
            log.info("sync.not_ours", kind="subscription")
            return None
        plan = self._plan(seen, marks)
        row = subscription_of(seen, marks, plan, self._clock())
        if row is None:
            return None
        before = await repository.subscription_at_stripe(connection, stripe_id)
        if before is not None:
            row = msgspec.structs.replace(row, id=before.id, order_id=before.order_id, created_at=before.created_at)
        return SubscriptionDue(row, right_of(row, plan), before)

    async def invoice(self, invoice_id: str) -> None:
        for one in await self._reads.payments_of_invoice(invoice_id):
            if one.payment.payment_intent is not None:
                await self.payment(one.payment.payment_intent)

    async def payment(self, payment_id: str) -> None:
        """Book everything about a payment, and let its order follow."""
        async with self._db.transaction() as connection:
            if due := await self.payment_due(connection, payment_id):
                await self._write_payment(connection, due)

    async def payment_due(self, connection: Connection, payment_id: str) -> PaymentDue | None:
        """What the books lack of a payment; None for one that is not ours, or did not succeed. Nobody else books about
        it until the transaction ends.
        """
        await repository.hold(connection, f"payment:{payment_id}")
        seen = await self._see_payment(payment_id)
        if seen is None:
            return None
        marks = await self._marks_of_payment(connection, seen)
        if marks is None:
            log.info("sync.not_ours", kind="payment")
            return None
        order = await repository.find_order(connection, marks.order_id) if marks.order_id else None
        sale, share_percent = self._sale(marks, order)
        missing = await self._journal.missing(connection, facts_of(seen, sale, share_percent))
        return PaymentDue(seen, order if seen.invoice is None else None, sale, missing)

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

    async def _write_subscription(self, connection: Connection, due: SubscriptionDue) -> None:
        row = due.row
        if due.is_news:
            await repository.put_subscription(connection, row)
            await self._outbox.add(
                connection,
                SubscriptionChanged(
                    at=self._clock(), subscription_id=row.id, user_id=row.user_id, plan_id=row.plan_id,
                    creator_id=row.creator_id, status=row.status, current_period_end=row.current_period_end,
                    cancel_at_period_end=row.cancel_at_period_end, grace_until=row.grace_until,
                ),
            )  # fmt: skip
        if row.order_id is not None:
            await self.close(connection, row.order_id, "paid", subscription_id=row.stripe_subscription_id)
        await self._rights.put(connection, due.right)  # last: sessions hear of it before the commit

    # --- payments

    async def _see_payment(self, payment_id: str) -> PaymentSeen | None:
        """All of it, or None for one that did not succeed: then nothing was taken."""
        payment = await self._reads.payment(payment_id)
        if payment.status != PAID or not isinstance(payment.latest_charge, Charge):
            return None
        lists = self._reads.lists
        invoice_id, refunds, disputes = await asyncio.gather(
            self._reads.invoice_of_payment(payment_id),
            _all(lists.refunds(payment_intent=payment_id, expand=FAILED_AT)),
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
        if row is not None:
            return Marks(user_id=row.user_id, order_id=row.order_id, plan_id=row.plan_id, creator_id=row.creator_id)
        return await self._marks_of_unseen(connection, billed.subscription)

    async def _marks_of_unseen(self, connection: Connection, stripe_id: str) -> Marks | None:
        """The invoice came before the subscription that an operator made: whose it is, that says."""
        seen = await self._reads.subscription(stripe_id)
        marks = await self._marks(connection, seen)
        return msgspec.structs.replace(marks, plan_id=self._plan(seen, marks).id) if marks else None

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

    async def _write_payment(self, connection: Connection, due: PaymentDue) -> None:
        new = await self._journal.post(connection, due.missing)
        _warn_of(new, due)
        if new and due.sale.creator_id is not None:
            changed = EarningsChanged(
                at=self._clock(), creator_id=due.sale.creator_id, currency=due.seen.payment.currency
            )
            await self._outbox.add(connection, changed)
        if due.order is not None:
            await self._follow_payment(connection, due.seen, due.order)

    async def _follow_payment(self, connection: Connection, seen: PaymentSeen, order: Order) -> None:
        """A gift or a message was paid, or its money went back."""
        state: OrderState = "refunded" if wholly_returned(seen) else "paid"
        closed = await self.close(connection, order.id, state, payment_id=seen.payment.id)
        if self._effects is None:
            return
        if state == "paid" and is_disputed(seen):
            await self._effects.disputed(connection, order)
        if closed is None:
            return
        if state == "paid":
            await self._effects.paid(connection, closed)
        else:
            await self._effects.withdrawn(connection, closed)

    # --- orders

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


def order_state_of(seen: Checkout) -> tuple[str | None, OrderState | None]:
    """Whose visit to the payment page it was, and how that ended; None while it has not."""
    marks = marks_in(seen.metadata)
    if marks is None or seen.status not in {"complete", "expired"}:
        return None, None
    if seen.status == "expired":
        return marks.order_id, "expired"
    # Some banks take days; the payment's own event tells how that ended.
    return marks.order_id, None if seen.payment_status == "unpaid" else "paid"


def _warn_of(new: Sequence[Entry], due: PaymentDue) -> None:
    """What the books cannot mend and a person has to."""
    for entry in new:
        if entry.kind == "refund_failed":
            log.error("refund.failed", cause=entry.cause, about=entry.about)
        if entry.currency != due.seen.payment.currency:  # the account at Stripe settles in another one
            log.error("books.converted", cause=entry.cause, currency=entry.currency)


async def _all(found: AsyncIterator[T]) -> list[T]:
    return [one async for one in found]
