"""Sending payouts: the worker's part, and what Stripe tells of transfers afterwards.

Taking a payout (`attempts`, `next_at`) is a transaction of its own, so that a process which dies while Stripe is asked
leaves a trace: whoever comes next first looks whether the transfer is there. Stripe remembers idempotency keys for at
least 24 hours only, and a payout is tried for as long as Stripe does not answer.
"""

import asyncio
from datetime import timedelta

from infra.clock import Clock
from infra.errors import FootlightError, Unavailable
from infra.logs import correlated, get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from payments import payout_rows as rows
from payments.inbox import pause_after
from payments.model import Payout
from payments.payouts import Payouts
from payments.stripe.calls import Calls
from payments.stripe.refusals import final_refusal
from payments.stripe.shapes import Transfer

POLL_SECONDS = 1.0
PAUSE_SECONDS = 5.0  # after a failure of our own
# Nobody else takes it meanwhile: far above what looking and asking take, each four tries of 5 s.
LEASE = timedelta(seconds=120)
SKEW = timedelta(hours=1)  # between Stripe's clock and ours
MARK = "footlight_payout"  # on the transfer: which payout it is

log = get_logger(__name__)


class Sender:
    """Sends what is asked, until cancelled. Any number of processes may run one."""

    def __init__(self, db: Postgres, payouts: Payouts, calls: Calls, *, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._payouts = payouts
        self._calls = calls
        self._outbox = outbox
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                while await self.send_next():
                    pass
                await asyncio.sleep(POLL_SECONDS)
            except FootlightError as failure:
                log.error("payouts.delayed", code=failure.code)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                # Whatever it was, without this loop nobody would be paid any more.
                log.exception("payouts.broken")
                await asyncio.sleep(PAUSE_SECONDS)

    async def send_next(self) -> bool:
        """Try to send one payout; False when none is due."""
        now = self._clock()
        async with self._db.connection() as connection:
            payout = await rows.take_payout(connection, now, now + LEASE)
        if payout is None:
            return False
        with correlated(f"payout:{payout.id}"):
            try:
                await self._send(payout)
            except Exception as failure:  # noqa: BLE001 - one that cannot be sent must not stop the others; it is logged
                await self._postpone(payout, failure)
        self._outbox.nudge()
        return True

    async def look(self, transfer_id: str) -> None:
        """Take over what Stripe says of a transfer: for `Sync.also("transfer.", ...)`."""
        transfer = await self._calls.transfer(transfer_id)
        if (payout_id := transfer.metadata.get(MARK)) is None:
            return  # made by somebody else with the same account
        async with self._db.transaction() as connection:
            payout = await rows.lock_payout(connection, payout_id)
            if payout is None:
                log.error("payout.unknown", transfer_id=transfer_id)
                return
            transfer = await self._calls.transfer(transfer_id)
            if payout.state == "asked":
                await self._payouts.sent(connection, payout, transfer)
                payout = await rows.lock_payout(connection, payout_id) or payout
            if payout.state == "sent" and transfer.reversed:
                await self._payouts.returned(connection, payout)
            elif transfer.amount_reversed and not transfer.reversed:
                log.error("payout.partly_reversed", payout_id=payout.id, amount_minor=transfer.amount_reversed)
            elif payout.state == "failed" and not transfer.reversed:
                log.error("payout.sent_though_failed", payout_id=payout.id, transfer_id=transfer_id)

    async def _send(self, taken: Payout) -> None:
        """Ask Stripe while nobody can stop the account or change the payout, and write down what it says."""
        async with self._db.transaction() as connection:
            await rows.share_sending(connection, taken.creator_id)
            account = await rows.find_account(connection, taken.creator_id)
            payout = await rows.lock_payout(connection, taken.id)
            if payout is None or payout.state != "asked" or account is None or account.frozen_at is not None:
                return
            transfer = await self._made_before(payout) if payout.attempts > 1 else None
            try:
                transfer = transfer or await self._transfer(payout)
            except FootlightError as failure:
                if (code := final_refusal(failure)) is None:
                    raise
                await self._payouts.failed(connection, payout, code)
            else:
                await self._payouts.sent(connection, payout, transfer)

    async def _transfer(self, payout: Payout) -> Transfer:
        return await self._calls.create_transfer(
            payout.stripe_account_id,
            payout.amount_minor,
            payout.currency,
            {MARK: payout.id, "footlight_user": payout.creator_id},
            key=f"payout:{payout.id}:transfer",
        )

    async def _made_before(self, payout: Payout) -> Transfer | None:
        since = payout.asked_at - SKEW
        async for one in self._calls.lists.transfers(since, destination=payout.stripe_account_id):
            if one.metadata.get(MARK) == payout.id:
                return one
        return None

    async def _postpone(self, payout: Payout, failure: Exception) -> None:
        """Try again later, with pauses that grow to an hour, for ever: the money is nobody else's meanwhile."""
        pause = pause_after(payout.attempts)
        if isinstance(failure, Unavailable):
            pause = max(pause, timedelta(milliseconds=failure.retry_after_ms or 0))
            log.info("payout.postponed", payout_id=payout.id, code=failure.code, attempts=payout.attempts)
        else:
            log.error("payout.not_sent", payout_id=payout.id, attempts=payout.attempts, exc_info=failure)
        async with self._db.connection() as connection:
            await rows.postpone(connection, payout.id, self._clock() + pause)
