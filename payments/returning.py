"""Giving money back for what could not be had: messages that were not shown, gifts that nobody took.

A refund is asked for under a key made of the order's id, and what Stripe has given back already is looked at first, as
it forgets keys after a day. What follows from a refund is written by a look at the payment, as always (`sync.py`).
"""

from collections.abc import Awaitable, Callable

from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from infra.stores.postgres import Postgres
from payments import paid_message_rows, repository
from payments.errors import StripeRefused
from payments.facts import FAILED
from payments.model import Order
from payments.stripe.calls import Calls
from payments.sync import Sync

SWEEP_SECONDS = 5.0
SWEPT = 50

log = get_logger(__name__)


class Returning:
    """Any number of processes may sweep."""

    def __init__(self, db: Postgres, calls: Calls, sync: Sync) -> None:
        self._db = db
        self._calls = calls
        self._sync = sync

    async def sweep(self) -> None:
        """Give back what is to go back. Raises `Unavailable` when Stripe or PostgreSQL does not answer."""
        async with self._db.connection() as connection:
            denied = await paid_message_rows.denied(connection, SWEPT)
            messages = [await repository.find_order(connection, order_id) for order_id in denied]
            gifts = await repository.orders_to_return(connection, SWEPT)
        for order in messages:
            if order is not None:
                await self._each(order, self._return_all)
        for order in gifts:
            await self._each(order, self._return_lapsed)

    async def _each(self, order: Order, work: Callable[[Order, str], Awaitable[None]]) -> None:
        if order.stripe_payment_intent_id is None:
            log.error("returning.without_payment", order=order.id)
            return
        try:
            await work(order, order.stripe_payment_intent_id)
        except Unavailable:
            raise
        except FootlightError as failure:  # of one order: the others go on
            log.error("returning.stuck", order=order.id, code=failure.code)

    async def _return_all(self, order: Order, payment_id: str) -> None:
        """All that is left of a payment."""
        try:
            await self._calls.refund_payment(payment_id, None, key=f"denied:{order.id}")
        except StripeRefused:  # most likely it is back already; the look tells
            log.warning("returning.refused", order=order.id)
        await self._sync.look("payment", payment_id)

    async def _return_lapsed(self, order: Order, payment_id: str) -> None:
        """The part of the gifts that nobody took, with its part of the tax."""
        received = (await self._calls.payment(payment_id)).amount_received
        part = received * order.details["lapsed"] // order.quantity
        before = [one async for one in self._calls.lists.refunds(payment_intent=payment_id)]
        if not any(one.amount == part and one.status not in FAILED for one in before):
            await self._calls.refund_payment(payment_id, part, key=f"lapsed:{order.id}")
        await self._sync.look("payment", payment_id)
        async with self._db.connection() as connection:
            await repository.note_on_order(connection, order.id, {"returned": True})
