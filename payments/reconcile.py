"""Is everything here as it is at Stripe? The same looks as the inbox's, fed from lists instead of events.

Without `mend` nothing is written: each look computes what it would write, and that is the difference. What events
could not tell (they were lost, or came while we were away for longer than Stripe tries) is found here.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from infra.errors import FootlightError, Unavailable
from infra.stores.postgres import Connection, Postgres
from payments import repository
from payments.entitlements import Rights
from payments.inbox import Waiting, dead_events, revive
from payments.stripe.reads import Reads
from payments.stripe.shapes import Checkout, Event
from payments.sync import Sync, order_state_of

TWICE = "more than one runs for the same"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as Stripe says. `problem`: why it could not be mended or compared."""

    kind: str
    object_id: str
    what: str
    mended: bool = False
    problem: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `undelivered`: events that no endpoint of ours took; `dead`: those we gave up."""

    looked_at: int
    differences: list[Difference]
    undelivered: list[Event]
    dead: list[Waiting]

    @property
    def is_clean(self) -> bool:
        return not self.dead and all(one.mended for one in self.differences)


class Reconciliation:
    """Compares objects that were made since then, and whatever still runs here."""

    def __init__(self, db: Postgres, reads: Reads, sync: Sync, rights: Rights) -> None:
        self._db = db
        self._reads = reads
        self._sync = sync
        self._rights = rights

    async def run(self, since: datetime | None, *, mend: bool) -> Report:
        """Look at everything, mend what differs if asked to, and revive what was given up. Raises `Unavailable`."""
        differences: list[Difference] = []
        looked_at = 0
        async for kind, object_id in self._objects(since):
            looked_at += 1
            differences += await self._compare(kind, object_id, mend=mend)
        differences += await self._bought_twice()
        dead = await dead_events(self._db)
        if mend and dead:
            await revive(self._db)
        undelivered = [one async for one in self._reads.lists.undelivered(since)]
        return Report(looked_at=looked_at, differences=differences, undelivered=undelivered, dead=dead)

    async def _objects(self, since: datetime | None) -> AsyncIterator[tuple[str, str]]:
        """Each once. Payments come after the subscriptions whose rows say whose they are."""
        lists, seen = self._reads.lists, set[str]()
        async for subscription in lists.subscriptions(since):
            seen.add(subscription.id)
            yield "subscription", subscription.id
        async with self._db.connection() as connection:
            running = await repository.running_at_stripe(connection)
        for stripe_id in running:
            if stripe_id not in seen:
                yield "subscription", stripe_id
        payments = {one.id async for one in lists.payments(since)}
        payments |= {one.payment_intent async for one in lists.refunds(since) if one.payment_intent}
        payments |= {one.payment_intent async for one in lists.disputes(since) if one.payment_intent}
        for payment_id in sorted(payments):
            yield "payment", payment_id
        async for checkout in lists.checkouts(since):
            yield "checkout", checkout.id

    async def _compare(self, kind: str, object_id: str, *, mend: bool) -> list[Difference]:
        try:
            found = await self._found(kind, object_id)
            if found and mend:
                await self._sync.look(kind, object_id)
        except Unavailable:
            raise
        except FootlightError as failure:  # one odd object must not hide the others
            return [Difference(kind=kind, object_id=object_id, what="cannot be compared", problem=failure.code)]
        return [Difference(kind=kind, object_id=object_id, what=what, mended=mend) for what in found]

    async def _found(self, kind: str, object_id: str) -> list[str]:
        if kind == "checkout":
            return await self._of_checkout(await self._reads.checkout(object_id))
        async with self._db.transaction() as connection:
            if kind == "subscription":
                return await self._of_subscription(connection, object_id)
            due = await self._sync.payment_due(connection, object_id)
            return [f"{entry.cause} is not in the books" for entry in due.missing] if due else []

    async def _of_subscription(self, connection: Connection, stripe_id: str) -> list[str]:
        due = await self._sync.subscription_due(connection, stripe_id)
        if due is None:
            return []
        found = []
        if due.before is None:
            found.append(f"it is {due.row.status}, and we have no row of it")
        elif due.is_news:
            found.append("; ".join(_changes(due.before, due.row)))
        if due.right not in await self._rights.of(connection, due.row.user_id):
            found.append(f"the right to {due.right.scope} is another one or missing")
        return found

    async def _of_checkout(self, seen: Checkout) -> list[str]:
        order_id, state = order_state_of(seen)
        if order_id is None or state is None:
            return []
        async with self._db.connection() as connection:
            order = await repository.find_order(connection, order_id)
        if order is None or order.state in {state, "refunded"} or (state == "expired" and order.state != "open"):
            return []
        return [f"the order {order.id} is {order.state} and should be {state}"]

    async def _bought_twice(self) -> list[Difference]:
        """A person has to choose which one is given back."""
        async with self._db.connection() as connection:
            found = await repository.running_twice(connection)
        return [Difference(kind="subscription", object_id=one, what=TWICE, problem=TWICE) for one in found]


def _changes(before: msgspec.Struct, now: msgspec.Struct) -> list[str]:
    then, today = msgspec.structs.asdict(before), msgspec.structs.asdict(now)
    return [
        f"{name} is {then[name]} and should be {today[name]}"
        for name in today
        if name != "updated_at" and then[name] != today[name]
    ]
