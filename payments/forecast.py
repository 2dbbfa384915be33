"""The next payout, as far as the books know it, and how that was reckoned."""

from datetime import datetime

import msgspec

from infra.clock import Clock
from infra.stores.postgres import Postgres
from payments import payout_rows as rows
from payments.ledger.entries import owed_to
from payments.ledger.journal import Journal
from payments.model import PayoutAccount
from payments.money import Money
from payments.plans import PayoutRules
from payments.schedules import WORDS, in_words


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_minor` at `at`; None waits to be asked for. 0 when it would be below the minimum. `how` says why."""

    currency: str
    at: datetime | None
    amount_minor: int
    how: str


class Forecasts:
    """Reckons."""

    def __init__(self, db: Postgres, journal: Journal, rules: PayoutRules, clock: Clock) -> None:
        self._db = db
        self._journal = journal
        self._rules = rules
        self._clock = clock

    async def of(self, creator_id: str) -> list[Forecast]:
        """One for each currency in which there is anything."""
        async with self._db.connection() as connection:
            account = await rows.find_account(connection, creator_id)
            balances = await self._journal.balances(connection, creator_id)
            at = paid_next(account, self._clock())
            ripening = await connection.fetch(_RIPENING, owed_to(creator_id), self._clock(), at or self._clock())
        until = {row["currency"]: int(row["amount"]) for row in ripening}
        return [
            forecast(account, at, one.available_minor, until.get(one.currency, 0), one.currency, self._rules)
            for one in balances
        ]


def paid_next(account: PayoutAccount | None, now: datetime) -> datetime | None:
    """When the schedule pays next, if it can."""
    if account is None or account.stripe_account_id is None or account.frozen_at or not account.payouts_enabled:
        return None
    return max(account.next_payout_at, now) if account.next_payout_at else None


def forecast(
    account: PayoutAccount | None,
    at: datetime | None,
    available_minor: int,
    ripening_minor: int,
    currency: str,
    rules: PayoutRules,
) -> Forecast:
    """Pure. `ripening_minor` becomes available until then."""
    amount_minor = available_minor + ripening_minor
    enough = amount_minor >= rules.minimum_minor
    said = [_when(account, at), _what(Money(available_minor, currency), Money(ripening_minor, currency), at)]
    if not enough:
        said.append(f"Less than {Money(rules.minimum_minor, currency).as_text()} is not paid out: it stays for later.")
    said.append("Refunds, disputes and new sales change it.")
    return Forecast(currency=currency, at=at, amount_minor=amount_minor if enough else 0, how=" ".join(said))


def _when(account: PayoutAccount | None, at: datetime | None) -> str:
    if account is None or account.stripe_account_id is None:
        return "You have not set up where your earnings go."
    if account.frozen_at is not None:
        return "Payouts of this account are stopped."
    if not account.payouts_enabled:
        return "Stripe needs more from you before it can pay you."
    return f"Paid {WORDS[account.schedule]}" + (f": next on {in_words(at)}." if at else ".")


def _what(available: Money, ripening: Money, at: datetime | None) -> str:
    if at is None:
        return f"Available now: {available.as_text()}."
    return f"Available now: {available.as_text()}; until then {ripening.as_text()} more becomes available."


_RIPENING = """
SELECT currency, -sum(amount_minor) AS amount FROM journal_lines
WHERE account = $1 AND available_at > $2 AND available_at <= $3 GROUP BY currency
"""
