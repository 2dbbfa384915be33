"""Everything that sells, over a counter at Stripe: a viewer, a creator, and a clock that can be moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from accounts.model import SignIn
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.model import Order
from payments.orders import Orders
from payments.plans import load_plans
from payments.subscriptions import Subscriptions
from tests.accounts.world import MovedClock
from tests.payments.counter import Counter
from tests.payments.till import Till, open_till

PREMIUM = "premium-monthly"


@dataclass
class Selling:
    """`ada` buys, `cleo` has a channel."""

    till: Till
    stripe: Counter
    orders: Orders
    subscriptions: Subscriptions
    clock: MovedClock
    ada: SignIn
    cleo: SignIn

    async def buy(
        self, plan: str = PREMIUM, creator_id: str | None = None, *, key: str | None = None, who: SignIn | None = None
    ) -> Order:
        return await self.subscriptions.begin((who or self.ada).user.id, plan, creator_id, request_key=key)

    async def paid(self, plan: str = PREMIUM, creator_id: str | None = None) -> Order:
        order = await self.buy(plan, creator_id)
        assert order.stripe_session_id is not None
        self.stripe.pay(order.stripe_session_id)
        return await self.orders.find(self.ada.user.id, order.id)

    async def count(self, table: str) -> int:
        async with self.till.db.connection() as connection:
            found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
        return found


@asynccontextmanager
async def open_shop(keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Selling]:
    clock, stripe = MovedClock(), Counter()
    async with open_till(keys, db, redis, clock=clock, shelf=stripe) as till:
        orders = Orders(db, stripe, till.sync, clock)
        subscriptions = Subscriptions(
            db, stripe, till.sync, orders, load_plans(), public_url="https://footlight.test", clock=clock
        )
        ada, cleo = await till.world.person(), await till.world.person("cleo@example.com", "Cleo")
        await till.world.accounts.grant("cleo@example.com", "creator")
        yield Selling(till, stripe, orders, subscriptions, clock, ada, cleo)
