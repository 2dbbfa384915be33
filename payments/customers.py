"""Who our users are at Stripe, and which of its prices are our plans: found, or made once."""

import hashlib

from accounts import repository as accounts
from accounts.errors import AccountNotFound
from infra.clock import Clock
from infra.logs import get_logger
from infra.stores.postgres import Postgres
from payments import repository
from payments.errors import NoCustomerYet, StripeRefused
from payments.model import Plan
from payments.stripe.calls import Calls
from payments.stripe.shapes import Price

log = get_logger(__name__)


class Customers:
    """A customer for each user who ever wanted to buy."""

    def __init__(self, db: Postgres, calls: Calls, clock: Clock) -> None:
        self._db = db
        self._calls = calls
        self._clock = clock

    async def of(self, user_id: str) -> str:
        """The customer's id; makes one for who has none. Raises `AccountNotFound`."""
        async with self._db.connection() as connection:
            known = await repository.customer_of(connection, user_id)
            if known and not known.is_deleted:
                return known.id
            user = await accounts.find(connection, user_id)
        if user is None:
            raise AccountNotFound
        # A key is for one body only: after a crash the name may have changed before the next attempt. And with the key
        # of a customer who was deleted since, Stripe would answer with that one for a day.
        former = known.id if known else ""
        said = hashlib.sha256(f"{user.email}\n{user.display_name}\n{former}".encode()).hexdigest()[:16]
        made = await self._calls.create_customer(
            user.id, user.email, user.display_name, key=f"customer:{user.id}:{said}"
        )
        async with self._db.connection() as connection:
            return await repository.put_customer(connection, user.id, made.id, self._clock())

    async def existing(self, user_id: str) -> str:
        """Raises `NoCustomerYet`."""
        async with self._db.connection() as connection:
            found = await repository.customer_of(connection, user_id)
        if found is None or found.is_deleted:
            raise NoCustomerYet
        return found.id

    async def look(self, customer_id: str) -> None:
        """Take over that a customer was deleted at Stripe: for `Sync.also("customer.deleted", ...)`."""
        if not (await self._calls.customer(customer_id)).deleted:
            return
        async with self._db.connection() as connection:
            if await repository.customer_deleted(connection, customer_id, self._clock()):
                log.info("customer.deleted_at_stripe", customer=customer_id)


class Prices:
    """Prices at Stripe by our plans; they do not change, so each is asked for once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[str, str] = {}

    async def of(self, plan: Plan) -> str:
        """The price's id. Raises `StripeRefused` when Stripe has another amount under the plan's name."""
        if plan.id not in self._known:
            price = await self._calls.price_of(plan.id) or await self._calls.create_price(
                plan, key=f"price:{plan.id}:{plan.amount_minor}:{plan.currency}"
            )
            self._require_same(plan, price)
            self._known[plan.id] = price.id
        return self._known[plan.id]

    def _require_same(self, plan: Plan, price: Price) -> None:
        if (price.unit_amount, price.currency) != (plan.amount_minor, plan.currency):
            log.error("prices.differ", plan=plan.id, stripe=price.unit_amount, ours=plan.amount_minor)
            raise StripeRefused
