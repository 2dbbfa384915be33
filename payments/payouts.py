"""Paying creators: asked for by them or by their schedule, sent by the worker, and booked with every step.

asked -> sent | failed, sent -> returned. The row and its entry in the books are one transaction under a lock of the
creator, so two clicks, two schedulers or a click and a schedule find the money gone the second time. What is on its
way (`transit:<creator>`) is sent by one transfer at Stripe, whose idempotency key is the payout's: a process that died
between asking Stripe and writing it down leaves a payout that is asked again and is the same transfer.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec

from infra import cursors
from infra.clock import Clock, NewId, new_id
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import payout_rows as rows
from payments.errors import (
    NoPayoutAccount,
    PayoutAccountNotReady,
    PayoutDiffers,
    PayoutsFrozen,
    PayoutTooSmall,
    PayoutUnderWay,
)
from payments.events import EarningsChanged, PayoutChanged
from payments.ledger.journal import Journal
from payments.ledger.postings import payout_entries
from payments.model import Payout, PayoutAccount
from payments.plans import PayoutRules
from payments.schedules import next_payout
from payments.stripe.shapes import Transfer

AskedBy = Literal["creator", "schedule", "admin"]
DUE_AT_ONCE = 20
SCHEDULE_SECONDS = 30.0

log = get_logger(__name__)


class Payouts:
    """The state machine and its books. Sending is in `sending.py`."""

    def __init__(
        self,
        db: Postgres,
        journal: Journal,
        rules: PayoutRules,
        *,
        outbox: Outbox,
        clock: Clock,
        make_id: NewId = new_id,
    ) -> None:
        self._db = db
        self._journal = journal
        self._rules = rules
        self._outbox = outbox
        self._clock = clock
        self._make_id = make_id

    async def ask(self, creator_id: str, currency: str, *, request_key: str | None = None) -> Payout:
        """Pay out all that is available in this currency; the same `request_key` gives the same payout again.

        Raises `NoPayoutAccount`, `PayoutAccountNotReady`, `PayoutsFrozen`, `PayoutUnderWay`, `PayoutTooSmall`,
        `PayoutDiffers`.
        """
        async with self._db.transaction() as connection:
            await self._journal.hold(connection, _creator(creator_id))
            if request_key and (again := await rows.payout_of_request(connection, creator_id, request_key)):
                if again.currency != currency:
                    raise PayoutDiffers
                return again
            account_id = ready(await rows.find_account(connection, creator_id))
            if under_way := await rows.payout_under_way(connection, creator_id, currency):
                raise PayoutUnderWay(payout_id=under_way.id)
            payout = await self._begin(connection, creator_id, currency, account_id, "creator", request_key)
        self._outbox.nudge()
        return payout

    async def pay_due(self) -> int:
        """Ask for everybody whose schedule says so; returns for how many accounts. Any number of workers may."""
        async with self._db.connection() as connection:
            due = await rows.due_accounts(connection, self._clock(), DUE_AT_ONCE)
        for creator_id in due:
            try:
                await self._pay_scheduled(creator_id)
            except Unavailable:
                raise
            except Exception:  # whatever is wrong with this one, the others are paid
                log.exception("payouts.stuck", creator_id=creator_id)
        return len(due)

    async def page(self, creator_id: str, cursor: str | None, limit: int) -> tuple[list[Payout], str | None]:
        """Newest first. Raises `Invalid` for a cursor that is not ours."""
        before = cursors.decode(cursor, tuple[datetime, str])
        async with self._db.connection() as connection:
            found = await rows.payouts_of(connection, creator_id, before, limit + 1)
        return cursors.cut(found, limit, lambda one: (one.asked_at, one.id))

    # --- what became of it; each is called with the row locked

    async def sent(self, connection: Connection, payout: Payout, transfer: Transfer) -> None:
        """Stripe has made the transfer."""
        at = datetime.fromtimestamp(transfer.created, UTC)
        await self._become(connection, payout, state="sent", stripe_transfer_id=transfer.id, sent_at=at)

    async def failed(self, connection: Connection, payout: Payout, why: str) -> None:
        """Stripe never will: the money is the creator's again."""
        log.error("payout.failed", payout_id=payout.id, code=why)
        await self._become(connection, payout, state="failed", failure=why, failed_at=self._clock())

    async def returned(self, connection: Connection, payout: Payout) -> None:
        """The transfer was taken back: the money is with us again, and owed again."""
        log.error("payout.returned", payout_id=payout.id)
        await self._become(connection, payout, state="returned", returned_at=self._clock())

    async def _become(self, connection: Connection, payout: Payout, **changes: object) -> None:
        now = msgspec.structs.replace(payout, **changes)
        await rows.set_payout(connection, now)
        await self._tell(connection, now)

    # --- beginning

    async def _pay_scheduled(self, creator_id: str) -> None:
        async with self._db.transaction() as connection:
            await self._journal.hold(connection, _creator(creator_id))
            account, now = await rows.find_account(connection, creator_id), self._clock()
            if account is None or account.next_payout_at is None or account.next_payout_at > now:
                return  # another worker was quicker, or the creator changed their mind
            await rows.set_schedule(connection, creator_id, account.schedule, next_payout(account.schedule, now), now)
            if account.stripe_account_id is None or account.frozen_at is not None or not account.payouts_enabled:
                return
            for balance in await self._journal.balances(connection, creator_id):
                busy = await rows.payout_under_way(connection, creator_id, balance.currency)
                if busy is None and balance.available_minor >= self._rules.minimum_minor:
                    await self._begin(connection, creator_id, balance.currency, account.stripe_account_id, "schedule")
        self._outbox.nudge()

    async def _begin(
        self,
        connection: Connection,
        creator_id: str,
        currency: str,
        account_id: str,
        asked_by: AskedBy,
        request_key: str | None = None,
    ) -> Payout:
        available = (await self._journal.balance(connection, creator_id, currency)).available_minor
        if available < self._rules.minimum_minor:
            raise PayoutTooSmall(minimum=self._rules.minimum_minor, available=available, currency=currency)
        payout = Payout(
            id=self._make_id(), creator_id=creator_id, amount_minor=available, currency=currency, state="asked",
            asked_by=asked_by, stripe_account_id=account_id, asked_at=self._clock(),
        )  # fmt: skip
        await rows.insert_payout(connection, payout, request_key)
        await self._tell(connection, payout)
        return payout

    async def _tell(self, connection: Connection, payout: Payout) -> None:
        """Book what the state says, and let the platform hear of it."""
        await self._journal.post(connection, payout_entries(payout))
        now, creator_id, currency = self._clock(), payout.creator_id, payout.currency
        changed = PayoutChanged(
            at=now, payout_id=payout.id, creator_id=creator_id, amount_minor=payout.amount_minor, currency=currency,
            state=payout.state,
        )  # fmt: skip
        await self._outbox.add(connection, changed)
        await self._outbox.add(connection, EarningsChanged(at=now, creator_id=creator_id, currency=currency))


def ready(account: PayoutAccount | None) -> str:
    """The account at Stripe to pay to. Raises `NoPayoutAccount`, `PayoutsFrozen`, `PayoutAccountNotReady`."""
    if account is not None and account.frozen_at is not None:
        raise PayoutsFrozen
    if account is None or account.stripe_account_id is None:
        raise NoPayoutAccount
    if not account.payouts_enabled:
        raise PayoutAccountNotReady(requirements=account.requirements)
    return account.stripe_account_id


def _creator(creator_id: str) -> str:
    return f"creator:{creator_id}"
