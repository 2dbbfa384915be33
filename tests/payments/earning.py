"""What tests of earnings start from: creators with books, an account to pay to, and a clock that can be moved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from accounts.model import Identity, Role
from infra.breaker import Rules
from infra.clock import new_id
from infra.metrics import Metrics
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from infra.stripe_settings import StripeSettings
from payments.creators import Creators
from payments.ledger.entries import Sale, Source
from payments.ledger.journal import Journal
from payments.ledger.postings import Dispute, Facts, Paid, Refund, entries_of
from payments.model import Payout
from payments.payouts import Payouts
from payments.plans import PayoutRules
from payments.sending import Sender
from payments.stripe.calls import Calls
from payments.stripe.client import Patience, open_stripe

BEGAN = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
RULES = PayoutRules(minimum_minor=2000, pending_days=7)
ONCE = Patience(tries=1, first_seconds=0.01, seconds=0.1)
NEVER = Rules(consecutive=10_000, least=10_000)

numbers = count(1)


@dataclass
class Clock:
    now: datetime = BEGAN

    def __call__(self) -> datetime:
        return self.now


def identity(user_id: str, role: Role = "creator", name: str = "Ada") -> Identity:
    return Identity(
        user_id=user_id, display_name=name, role=role, subscription_tier="free", session_id=new_id(),
        expires_at=BEGAN + timedelta(days=1),
    )  # fmt: skip


@dataclass
class Earning:
    """The domain over real PostgreSQL and a stand-in for Stripe."""

    db: Postgres
    calls: Calls
    clock: Clock = field(default_factory=Clock)
    outbox: Outbox = field(default_factory=Outbox)

    def __post_init__(self) -> None:
        self.journal = Journal(self.clock)
        self.payouts = Payouts(self.db, self.journal, RULES, outbox=self.outbox, clock=self.clock)
        self.sender = Sender(self.db, self.payouts, self.calls, outbox=self.outbox, clock=self.clock)
        self.creators = Creators(
            self.db, self.journal, self.calls, public_url="https://footlight.test/", clock=self.clock
        )

    async def person(self, name: str = "Ada", role: Role = "creator") -> str:
        user_id = new_id()
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO users (id, email, display_name, password_hash, role, created_at, updated_at) "
                "VALUES ($1, $2, $3, 'x', $4, $5, $5)",
                user_id, f"{user_id}@example.com", name, role, self.clock(),
            )  # fmt: skip
        return user_id

    async def creator(self, account_id: str | None = None, **changes: Any) -> str:
        """Somebody who can be paid."""
        user_id = await self.person()
        columns = {"stripe_account_id": account_id or f"acct_of_{user_id}", "payouts_enabled": True, **changes}
        names = "".join(f", {name}" for name in columns)
        places = "".join(f", ${number}" for number in range(3, 3 + len(columns)))
        async with self.db.connection() as connection:
            await connection.execute(
                f"INSERT INTO payout_accounts (creator_id, created_at, updated_at{names}) VALUES ($1, $2, $2{places})",  # noqa: S608
                user_id, self.clock(), *columns.values(),
            )  # fmt: skip
        return user_id

    async def earn(
        self,
        creator_id: str,
        amount_minor: int,
        *,
        currency: str = "eur",
        source: Source = "subscription",
        payer_id: str | None = None,
        stream_id: str | None = None,
        refunded_minor: int = 0,
        disputed: bool = False,
    ) -> Paid:
        """A payment now that is wholly the creator's, and what was given back of it."""
        paid = Paid(
            reference=f"payment:pi_{next(numbers)}", amount_minor=amount_minor, tax_minor=0, currency=currency,
            paid_at=self.clock(), share_percent=100,
            sale=Sale(source=source, creator_id=creator_id, payer_id=payer_id, stream_id=stream_id),
        )  # fmt: skip
        await self.learn(paid, refunded_minor, disputed=disputed)
        return paid

    async def learn(self, paid: Paid, refunded_minor: int = 0, *, disputed: bool = False) -> None:
        """Book a payment, with a refund or a dispute of now."""
        refunds = [Refund(id=f"re_{next(numbers)}", amount_minor=refunded_minor, created_at=self.clock())]
        disputes = [Dispute(id=f"dp_{next(numbers)}", amount_minor=paid.amount_minor, opened_at=self.clock())]
        facts = Facts(
            paid=paid, refunds=tuple(refunds if refunded_minor else ()), disputes=tuple(disputes if disputed else ())
        )
        async with self.db.transaction() as connection:
            await self.journal.hold(connection, paid.reference)
            booked = await self.journal.about(connection, paid.reference)
            await self.journal.post(connection, entries_of(facts, booked))

    async def payout(self, payout_id: str) -> Payout:
        async with self.db.connection() as connection:
            found = await connection.fetchrow("SELECT creator_id FROM payouts WHERE id = $1", payout_id)
            assert found is not None
        listed, _ = await self.payouts.page(str(found["creator_id"]), None, 100)
        return next(one for one in listed if one.id == payout_id)

    async def booked(self, payout_id: str) -> list[str]:
        async with self.db.connection() as connection:
            return [one.kind for one in await self.journal.about(connection, f"payout:{payout_id}")]

    async def account_balances(self, creator_id: str) -> dict[str, int]:
        """What stands on each of a creator's accounts, as the books sign it."""
        async with self.db.connection() as connection:
            rows = await connection.fetch(
                "SELECT split_part(account, ':', 1) AS kind, sum(amount_minor)::bigint AS total FROM journal_lines "
                "WHERE account LIKE '%' || $1 GROUP BY 1",
                creator_id,
            )
        return {row["kind"]: row["total"] for row in rows}


@asynccontextmanager
async def earning(db: Postgres, url: str) -> AsyncIterator[Earning]:
    settings = StripeSettings(secret_key="sk_test_x", api_base=url, timeout_seconds=2.0)
    async with open_stripe(settings, Metrics(), patience=ONCE, rules=NEVER) as stripe:
        yield Earning(db, Calls(stripe))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another task or process does."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - the state is in the database
            await asyncio.sleep(0.01)
