"""Disputes that are lost: who took the money back for good is subscribed no more.

While the bank decides, the right stands and the money is set aside (`ledger/postings.py`). Gifts and paid messages
follow their payment (`sync.py`).
"""

from typing import Protocol

from infra.logs import get_logger
from infra.stores.postgres import Postgres
from payments import repository
from payments.facts import OVER
from payments.stripe.shapes import Dispute, Invoice, Subscription

LOST = "lost"

log = get_logger(__name__)


class Syncing(Protocol):
    """Who makes ours what Stripe's is."""

    async def payment(self, payment_id: str) -> None: ...

    async def subscription(self, stripe_id: str) -> None: ...


class Asking(Protocol):
    """What is asked of Stripe; raises what `Stripe.ask` raises."""

    async def dispute(self, dispute_id: str) -> Dispute: ...

    async def invoice_of_payment(self, payment_id: str) -> str | None: ...

    async def invoice(self, invoice_id: str) -> Invoice: ...

    async def subscription(self, subscription_id: str) -> Subscription: ...

    async def end_now(self, subscription_id: str, *, key: str) -> Subscription: ...


class Disputes:
    """`look` may be repeated, and come in any order: it acts on what the dispute is by now."""

    def __init__(self, db: Postgres, calls: Asking, sync: Syncing) -> None:
        self._db = db
        self._calls = calls
        self._sync = sync

    async def look(self, dispute_id: str) -> None:
        """Book what a dispute did, and end the subscription of one that is lost: for `Sync.also`."""
        seen = await self._calls.dispute(dispute_id)
        if seen.payment_intent is None:
            return
        await self._sync.payment(seen.payment_intent)
        if seen.status == LOST and (subscription_id := await self._paid(seen.payment_intent)):
            await self._end(subscription_id, key=f"lost:{seen.id}")

    async def _paid(self, payment_id: str) -> str | None:
        """The subscription of ours that it paid for; the account may sell other things too."""
        invoice_id = await self._calls.invoice_of_payment(payment_id)
        billed = (await self._calls.invoice(invoice_id)).subscription if invoice_id else None
        if billed is None:
            return None
        async with self._db.connection() as connection:
            ours = await repository.subscription_at_stripe(connection, billed.subscription)
        return billed.subscription if ours else None

    async def _end(self, subscription_id: str, *, key: str) -> None:
        if (await self._calls.subscription(subscription_id)).status not in OVER:
            await self._calls.end_now(subscription_id, key=key)
            log.info("subscription.ended_by_dispute", stripe_id=subscription_id)
        await self._sync.subscription(subscription_id)
