"""The whole domain over the sandbox: real accounts, books and rights, and the real client. Any process may open it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from infra.clock import system_clock
from infra.errors import NotFound
from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.customers import Customers
from payments.effects import PaidOnce
from payments.entitlements import Rights
from payments.gifts import Gifts, WantedGift
from payments.giving import Giving
from payments.inbox import Inbox, Worker
from payments.ledger.audit import Audit
from payments.ledger.entries import Entry
from payments.ledger.journal import Journal
from payments.model import Order
from payments.orders import Orders
from payments.paid_messages import Saying
from payments.plans import load_plans
from payments.reconcile import Reconciliation
from payments.stripe.calls import Calls
from payments.stripe.shapes import Event, Page
from payments.stripe.webhooks import Told
from payments.subscriptions import Subscriptions
from payments.sync import Sync
from tests.accounts.world import World, open_world
from tests.payments.sandbox.running import Running

PREMIUM = "premium-monthly"
SITE = "https://footlight.test"


class NoRooms:
    """`payments.giving.Rooms` where nobody is live."""

    async def channel_of(self, stream_id: str) -> str:
        raise NotFound

    async def present(self, stream_id: str) -> list[str]:
        return []


@dataclass
class SandboxTill:
    """Everything a node and a worker have."""

    world: World
    sandbox: Running
    db: Postgres
    rights: Rights
    journal: Journal
    sync: Sync
    orders: Orders
    subscriptions: Subscriptions
    gifts: Gifts
    giving: Giving
    inbox: Inbox
    worker: Worker

    @property
    def calls(self) -> Calls:
        return self.sandbox.calls

    async def buy(self, user_id: str) -> Order:
        return await self.subscriptions.begin(user_id, PREMIUM, None)

    async def give(self, user_id: str, recipient_id: str) -> Order:
        wanted = WantedGift(plan_id=PREMIUM, recipient_id=recipient_id, months=2)
        return await self.gifts.begin(user_id, wanted, request_key="click")

    async def hear(self) -> None:
        """Every event of the sandbox so far comes in."""
        listing = partial(self.sandbox.api.v1.events.list_async, {"limit": 100})
        page = await self.calls._ask(listing, Page[Event])
        for one in reversed(page.data):
            told = Told(event_id=one.id, type=one.type, object_id=one.object_id, created=system_clock())
            await self.inbox.store(told, b"{}")

    async def work(self) -> None:
        """Until nothing waits, as if the time of every look had passed."""
        async with self.db.connection() as connection:
            await connection.execute("UPDATE webhook_inbox SET next_at = received_at WHERE state = 'waiting'")
        while await self.worker.work_off():
            pass

    async def books(self) -> list[Entry]:
        async with self.db.connection() as connection:
            about = await connection.fetch("SELECT DISTINCT about FROM journal ORDER BY about")
            return [entry for row in about for entry in await self.journal.about(connection, row["about"])]

    async def rows(self, query: str, *values: Any) -> Sequence[Any]:
        async with self.db.connection() as connection:
            found: Sequence[Any] = await connection.fetch(query, *values)
        return found

    async def require_all_is_well(self) -> None:
        """Nothing differs from Stripe, the books add up, and their `stripe` is what Stripe says our balance is."""
        found = await Reconciliation(self.db, self.calls, self.sync, self.rights).run(None, mend=False)
        assert found.differences == []
        checked = await Audit(self.db, Metrics()).check()
        assert checked.findings == []
        balance = (await self.sandbox.http.get("/v1/balance", headers=self._key)).json()
        ours = checked.balances.get("stripe", {}).get("eur", 0)
        theirs = sum(one["amount"] for kind in ("available", "pending") for one in balance[kind])
        assert ours == theirs

    @property
    def _key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.sandbox.settings.secret_key}"}


@asynccontextmanager
async def open_sandbox_till(keys: Path, db: Postgres, redis: Redis, sandbox: Running) -> AsyncIterator[SandboxTill]:
    calls, plans, clock = sandbox.calls, load_plans(), system_clock
    async with open_world(keys, db, redis) as world:
        rights, journal = Rights(world.accounts, clock), Journal(clock)
        giving = Giving(db, rights, plans, NoRooms(), outbox=world.outbox, clock=clock)
        effects = PaidOnce(giving, Saying(plans, outbox=world.outbox, clock=clock))
        sync = Sync(db, calls, rights, journal, plans, outbox=world.outbox, clock=clock, effects=effects)
        orders, customers = Orders(db, calls, sync, clock), Customers(db, calls, clock)
        yield SandboxTill(
            world=world, sandbox=sandbox, db=db, rights=rights, journal=journal, sync=sync, orders=orders,
            subscriptions=Subscriptions(db, calls, sync, orders, plans, public_url=SITE, clock=clock),
            gifts=Gifts(db, orders, customers, plans, rights, NoRooms(), public_url=SITE), giving=giving,
            inbox=Inbox(db, clock), worker=Worker(db, sync, clock),
        )  # fmt: skip
