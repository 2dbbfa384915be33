"""Giving money back for what could not be had: messages that were not shown, gifts that nobody took.

A refund is asked for under a key made of the order's id, and Stripe is first asked for one made under it, as it forgets
keys after a day. What follows from a refund is written by a look at the payment, as always (`sync.py`).
"""

from collections.abc import Awaitable, Callable

from infra.clock import Clock, system_clock
from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from infra.stores.postgres import Postgres
from payments import paid_message_rows, repository
from payments.errors import StripeRefused
from payments.facts import FAILED
from payments.model import Order
from payments.stripe.calls import Calls
from payments.stuck import Stuck
from payments.sync import Sync

SWEEP_SECONDS = 5.0
SWEPT = 50

log = get_logger(__name__)


class Returning:
    """Any number of processes may sweep."""

    def __init__(self, db: Postgres, calls: Calls, sync: Sync, clock: Clock = system_clock) -> None:
        self._db = db
        self._calls = calls
        self._sync = sync
        self._stuck = Stuck(clock)

    async def sweep(self) -> None:
        """Give back what is to go back. Raises `Unavailable` when Stripe or PostgreSQL does not answer."""
        stuck = self._stuck.now()
        async with self._db.connection() as connection:
            denied = await paid_message_rows.denied(connection, SWEPT, without=stuck)
            messages = [await repository.find_order(connection, order_id) for order_id in denied]
            gifts = await repository.orders_to_return(connection, SWEPT, without=stuck)
        for order in messages:
            if order is not None:
                await self._each(order, self._return_all)
        for order in gifts:
            await self._each(order, self._return_lapsed)

    async def _each(self, order: Order, work: Callable[[Order, str], Awaitable[bool]]) -> None:
        """`work` says whether that was all there was to do."""
        try:
            if order.stripe_payment_intent_id is not None and await work(order, order.stripe_payment_intent_id):
                self._stuck.done(order.id)
                return
            log.error("returning.stuck", order=order.id)
        except Unavailable:
            raise
        except FootlightError as failure:  # of one order: the others go on
            log.error("returning.stuck", order=order.id, code=failure.code)
        self._stuck.failed(order.id)

    async def _return_all(self, order: Order, payment_id: str) -> bool:
        """All that is left of a payment."""
        key = f"denied:{order.id}"
        if await self._calls.refund_asked_as(payment_id, key) is None:
            try:
                await self._calls.refund_payment(payment_id, None, key=key)
            except StripeRefused:  # most likely it is back already; the look tells
                log.warning("returning.refused", order=order.id)
        await self._sync.look("payment", payment_id)
        async with self._db.connection() as connection:
            found = await paid_message_rows.find(connection, order.id)
        return found is None or found.state != "denied"

    async def _return_lapsed(self, order: Order, payment_id: str) -> bool:
        """The part of the gifts that nobody took, with its part of the tax, as far as it is still with us."""
        key = f"lapsed:{order.id}"
        if await self._calls.refund_asked_as(payment_id, key) is None:
            received = (await self._calls.payment(payment_id)).amount_received
            part = received * order.details["lapsed"] // order.quantity
            if amount := min(part, await self._left(payment_id, received)):
                await self._calls.refund_payment(payment_id, amount, key=key)
        await self._sync.look("payment", payment_id)
        async with self._db.connection() as connection:
            await repository.note_on_order(connection, order.id, {"returned": True})
        return True

    async def _left(self, payment_id: str, received_minor: int) -> int:
        """What was neither given back nor lost to a bank."""
        lists = self._calls.lists
        back = [one.amount async for one in lists.refunds(payment_intent=payment_id) if one.status not in FAILED]
        lost = [one.amount async for one in lists.disputes(payment_intent=payment_id) if one.status == "lost"]
        return max(received_minor - sum(back) - sum(lost), 0)
