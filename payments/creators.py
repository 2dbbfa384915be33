"""Creators at Stripe Connect: the account their earnings go to, when they are paid, and what they have.

What an account can do is Stripe's to say: like everything else it is looked at, under a lock, whenever an event names
it or the creator comes back from Stripe's pages.
"""

import asyncio
import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from accounts import repository as accounts
from accounts.errors import AccountNotFound
from accounts.model import Identity
from accounts.roles import may_create
from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.postgres import Postgres
from payments import payout_rows as rows
from payments import repository
from payments.errors import CountryNotSupported, NoPayoutAccount, NotACreator, PayoutsFrozen
from payments.ledger.journal import Balance, Journal
from payments.marks import marks_in
from payments.model import PayoutAccount, PayoutSchedule
from payments.schedules import next_payout
from payments.stripe.calls import Calls
from payments.stripe.refusals import final_refusal
from payments.stripe.shapes import Account

RETURN_PATH = "/studio/earnings?account=done"
AGAIN_PATH = "/studio/earnings?account=again"  # the link was used or is too old: the page asks for another

# Each holds a connection of the process's pool while Stripe is asked. A Stripe that hangs must not take them all.
AT_ONCE = 2

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]

log = get_logger(__name__)


class Onboarding(msgspec.Struct, frozen=True):
    """Where a creator tells Stripe who they are. Good once, until `expires_at` (Unix seconds)."""

    url: str
    expires_at: int


class Creators:
    """Accounts at Connect and balances. `public_url` is where people open Footlight."""

    def __init__(self, db: Postgres, journal: Journal, calls: Calls, *, public_url: str, clock: Clock) -> None:
        self._db = db
        self._journal = journal
        self._calls = calls
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)

    async def account(self, creator_id: str) -> PayoutAccount | None:
        """None for who never began to set one up."""
        async with self._db.connection() as connection:
            return await rows.find_account(connection, creator_id)

    async def balances(self, creator_id: str) -> list[Balance]:
        """One for each currency; none for who never earned anything."""
        async with self._db.connection() as connection:
            return await self._journal.balances(connection, creator_id)

    async def onboard(self, who: Identity, country: str) -> Onboarding:
        """A link to Stripe's pages, for the account that is made the first time.

        Raises `NotACreator`, `PayoutsFrozen`, `CountryNotSupported`, and what `Stripe.ask` raises.
        """
        async with self._places:
            account = await self._made(who, country)
        if account.frozen_at is not None or account.stripe_account_id is None:
            raise PayoutsFrozen
        link = await self._calls.link_to_onboarding(
            account.stripe_account_id,
            return_url=self._public_url + RETURN_PATH,
            refresh_url=self._public_url + AGAIN_PATH,
        )
        return Onboarding(link.url, link.expires_at)

    async def refresh(self, creator_id: str) -> PayoutAccount:
        """The account as Stripe says it is now: for who comes back from its pages. Raises `NoPayoutAccount`."""
        account = await self.account(creator_id)
        if account is None or account.stripe_account_id is None:
            raise NoPayoutAccount
        await self.look(account.stripe_account_id)
        return await self.account(creator_id) or account

    async def look(self, account_id: str) -> None:
        """Take over what Stripe says of an account: for `Sync.also("account.updated", ...)`."""
        async with self._places, self._db.transaction() as connection:
            await repository.hold(connection, f"account:{account_id}")
            seen = await self._calls.account(account_id)
            known = await rows.account_at_stripe(connection, account_id)
            marks = marks_in(seen.metadata)
            creator_id = known.creator_id if known else marks.user_id if marks else None
            if creator_id is None or await rows.put_account(connection, creator_id, seen, self._clock()) is None:
                log.info("account.not_ours")

    async def set_schedule(self, creator_id: str, schedule: PayoutSchedule) -> PayoutAccount:
        """When to be paid without asking. Raises `NoPayoutAccount`."""
        now = self._clock()
        async with self._db.transaction() as connection:
            await self._journal.hold(connection, f"creator:{creator_id}")  # a payout of the old one may be beginning
            changed = await rows.set_schedule(connection, creator_id, schedule, next_payout(schedule, now), now)
        if changed is None:
            raise NoPayoutAccount
        return changed

    async def _made(self, who: Identity, country: str) -> PayoutAccount:
        """The account, at Stripe as well. Its key is the creator's: a crash or a second click makes no other."""
        async with self._db.transaction() as connection:
            await repository.hold(connection, f"creator:{who.user_id}")
            there = await rows.find_account(connection, who.user_id)
            if there is not None and (there.stripe_account_id is not None or there.frozen_at is not None):
                return there
            if not may_create(who.role):
                raise NotACreator
            user = await accounts.find(connection, who.user_id)
            if user is None:
                raise AccountNotFound
            row = await rows.begin_account(connection, user.id, country, self._clock())
            made = await self._make(user.id, user.email, country)
            return await rows.put_account(connection, user.id, made, self._clock()) or row

    async def _make(self, user_id: str, email: str, country: str) -> Account:
        # A key is for one body only: after a crash the e-mail may have changed before the next attempt.
        said = hashlib.sha256(email.encode()).hexdigest()[:16]
        try:
            return await self._calls.create_account(
                user_id, email, country, key=f"creator:{user_id}:account:{country}:{said}"
            )
        except FootlightError as failure:
            if final_refusal(failure) is None:
                raise
            raise CountryNotSupported(fields={"country": "is none that Stripe pays to"}) from failure
