"""An administrator's desk over a till: real accounts, rights and books, and a shelf that gives money back."""

import asyncio
from dataclasses import dataclass, field

import stripe

from accounts.model import Identity, Role, SignIn
from payments.admin import Admin
from payments.errors import StripeRefused
from payments.gate import Fresh, Gate
from payments.plans import load_plans
from payments.refunds import Refunds
from payments.stripe import shapes
from payments.stripe.reads import ASKED_AS
from tests.payments.shelf import Shelf
from tests.payments.till import Till


class Counter(Shelf):
    """A shelf that refunds: once for each key, and refuses as Stripe does. `failure` is raised after the refund."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, shapes.Refund] = {}
        self.failure: Exception | None = None
        self.refuses: str | None = None
        self.ended: list[str] = []

    async def refund_payment(self, payment_id: str, amount_minor: int | None, *, key: str) -> shapes.Refund:
        await asyncio.sleep(0)
        if key not in self.keys:
            if self.refuses:
                raise refused(self.refuses)
            paid = await self.payment(payment_id)
            made = shapes.Refund(
                id=f"re_{len(self.keys) + 1}", amount=amount_minor or paid.amount, currency=paid.currency,
                created=paid.created + 1, status="succeeded", payment_intent=payment_id, metadata={ASKED_AS: key},
            )  # fmt: skip
            self.keys[key] = made
            self.put(made)
        if self.failure is not None:
            raise self.failure
        return self.keys[key]

    async def end_now(self, subscription_id: str, *, key: str) -> shapes.Subscription:
        self.ended.append(key)
        if self.failure is not None:
            raise self.failure
        began = (await self.subscription(subscription_id)).created
        self.change(subscription_id, status="canceled", canceled_at=began + 1, ended_at=began + 1)
        return await self.subscription(subscription_id)


def refused(code: str) -> StripeRefused:
    """As the client raises it."""
    failure = StripeRefused()
    failure.__cause__ = stripe.InvalidRequestError("no", None, code=code, http_status=400)  # type: ignore[no-untyped-call]  # as stripe-python has it
    return failure


@dataclass
class Desk:
    """`fresh` is whose password was asked for just now."""

    till: Till
    counter: Counter
    fresh: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.use(self)

    def use(self, fresh: Fresh) -> None:
        """Ask somebody else whether a sign-in is fresh."""
        till, gate = self.till, Gate(fresh, self.till.clock)
        self.admin = Admin(
            till.db, till.journal, load_plans(), till.rights, gate, outbox=till.world.outbox, clock=till.clock
        )
        self.refunds = Refunds(till.db, till.journal, self.counter, till.sync, gate)

    async def is_fresh(self, identity: Identity) -> bool:
        return identity.user_id in self.fresh

    async def someone(self, email: str, role: Role = "free") -> Identity:
        """Somebody who has just signed in."""
        signed: SignIn = await self.till.world.person(email, email.partition("@")[0].title())
        if role != "free":
            await self.till.world.accounts.grant(email, role)
        self.fresh.add(signed.user.id)
        return await self.till.world.accounts.identify(signed.access_token)
