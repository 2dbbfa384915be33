"""The payments of a fresh installation over a shelf of Stripe's objects: what tests of inbox and sync start from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from accounts.model import SignIn
from infra.clock import Clock, new_id, system_clock
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments import repository
from payments.entitlements import Rights
from payments.inbox import Inbox, Worker
from payments.ledger.entries import Entry
from payments.ledger.journal import Journal
from payments.marks import Marks
from payments.model import Order, OrderState, Right, Subscription
from payments.plans import load_plans
from payments.stripe.webhooks import Told
from payments.sync import Effects, Sync
from tests.accounts.world import World, open_world
from tests.payments.shelf import Shelf


@dataclass
class Till:
    """Everything a worker has; `shelf` is Stripe."""

    world: World
    shelf: Shelf
    sync: Sync
    inbox: Inbox
    worker: Worker
    rights: Rights
    journal: Journal
    db: Postgres
    clock: Clock

    async def tell(
        self, type_: str, object_id: str, event_id: str | None = None, *, account: str | None = None
    ) -> bool:
        """An event comes in; whether it was a new one."""
        told = Told(
            event_id=event_id or new_id(), type=type_, object_id=object_id, created=self.clock(), account=account
        )
        return await self.inbox.store(told, b"{}")

    async def work(self) -> None:
        """Until nothing is due."""
        while await self.worker.work_off():
            pass

    async def order(
        self, who: SignIn, plan_id: str | None = "premium-monthly", creator_id: str | None = None, **more: Any
    ) -> Order:
        plan = load_plans().get(plan_id) if plan_id else None
        now = self.clock()
        fields: dict[str, Any] = {
            "id": new_id(), "user_id": who.user.id, "kind": "subscription", "plan_id": plan_id,
            "creator_id": creator_id, "stream_id": None, "quantity": 1,
            "amount_minor": plan.amount_minor if plan else 500, "currency": "eur", "state": "open", "details": {},
            "created_at": now, "expires_at": now,
        }  # fmt: skip
        order = Order(**{**fields, **more})
        async with self.db.transaction() as connection:
            await repository.insert_order(connection, order)
        return order

    async def order_state(self, order: Order) -> OrderState:
        async with self.db.connection() as connection:
            found = await repository.find_order(connection, order.id)
        assert found is not None
        return found.state

    async def subscriptions(self, who: SignIn) -> list[Subscription]:
        async with self.db.connection() as connection:
            return await repository.subscriptions_of(connection, who.user.id)

    async def rights_of(self, who: SignIn) -> list[Right]:
        async with self.db.connection() as connection:
            return await self.rights.of(connection, who.user.id)

    async def books(self) -> list[Entry]:
        async with self.db.connection() as connection:
            about = await connection.fetch("SELECT DISTINCT about FROM journal ORDER BY about")
            return [entry for row in about for entry in await self.journal.about(connection, row["about"])]

    async def inbox_states(self) -> dict[str, int]:
        async with self.db.connection() as connection:
            rows = await connection.fetch("SELECT state, count(*) AS count FROM webhook_inbox GROUP BY state")
        return {row["state"]: row["count"] for row in rows}

    async def events(self, topic: str) -> list[dict[str, Any]]:
        return [body for told, body in await self.world.told() if told == topic]

    async def clear(self) -> None:
        """Forget everything that was bought."""
        async with self.db.connection() as connection:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(
                "TRUNCATE rights, right_changes, subscriptions, orders, webhook_inbox, journal, journal_lines, outbox "
                "CASCADE"
            )
            await connection.execute("UPDATE users SET paid_tier = 'free', channels = '{}', subscription_tier = 'free'")
            await connection.execute("RESET session_replication_role")
        self.shelf.objects.clear()
        self.shelf.invoice_payments.clear()


@asynccontextmanager
async def open_till(
    keys: Path,
    db: Postgres,
    redis: Redis,
    *,
    clock: Clock = system_clock,
    effects: Effects | None = None,
    shelf: Shelf | None = None,
) -> AsyncIterator[Till]:
    async with open_world(keys, db, redis) as world:
        shelf, rights, journal = shelf or Shelf(), Rights(world.accounts, clock), Journal(clock)
        sync = Sync(db, shelf, rights, journal, load_plans(), outbox=world.outbox, clock=clock, effects=effects)
        yield Till(
            world=world,
            shelf=shelf,
            sync=sync,
            inbox=Inbox(db, clock),
            worker=Worker(db, sync, clock),
            rights=rights,
            journal=journal,
            db=db,
            clock=clock,
        )


def marked(order: Order) -> dict[str, str]:
    """What our objects at Stripe carry."""
    return Marks(
        user_id=order.user_id, order_id=order.id, plan_id=order.plan_id, creator_id=order.creator_id
    ).as_metadata()


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def without_times(one: msgspec.Struct) -> dict[str, Any]:
    """A row or entry without when we wrote it."""
    return {name: value for name, value in msgspec.structs.asdict(one).items() if name != "updated_at"}
