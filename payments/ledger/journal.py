"""The books in PostgreSQL: written once, never changed, read as sums.

Every method works on the connection, and so in the transaction, of its caller: an entry is there exactly when what it
tells of is. An entry whose cause is there already is left alone when it says the same; when it says something else,
nothing is written at all, and an operator hears of it (`books.disagree` in the log).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from infra.clock import Clock, system_clock
from infra.logs import get_logger
from infra.stores.postgres import Connection
from payments.errors import BooksDisagree
from payments.ledger.entries import Entry, Line, Sale, owed_to, reserve_of, transit_of
from payments.ledger.postings import PENDING, Facts, entries_of

LOCK = 0x426F6F6B  # "Book"
MAX_PAGE = 500

log = get_logger(__name__)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a creator has in one currency, in minor units. Pending becomes available by time; a debt is negative."""

    currency: str
    pending_minor: int = 0
    available_minor: int = 0
    reserve_minor: int = 0
    transit_minor: int = 0
    paid_minor: int = 0


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it stands in the books; `id` grows."""

    id: int
    entry: Entry
    recorded_at: datetime


class Journal:
    """The books. `pending`: how long after a payment its share becomes available."""

    def __init__(self, clock: Clock = system_clock, *, pending: timedelta = PENDING) -> None:
        self._clock = clock
        self._pending = pending

    async def hold(self, connection: Connection, *about: str) -> None:
        """Until the transaction ends nobody else books about these payments or payouts, nor about `creator:<id>`."""
        await connection.execute(
            "SELECT pg_advisory_xact_lock($1::integer, key) FROM "
            "(SELECT DISTINCT hashtext(about) AS key FROM unnest($2::text[]) AS given (about) ORDER BY key) AS keys",
            LOCK, list(about),
        )  # fmt: skip

    async def about(self, connection: Connection, about: str) -> list[Entry]:
        """Everything booked about a payment or payout, in the order it was written. Call `hold` first to add to it."""
        rows = await connection.fetch(f"{_SELECT} WHERE j.about = $1 {_GROUPED} ORDER BY j.id", about)
        return [_recorded(row).entry for row in rows]

    async def missing(self, connection: Connection, facts: Facts) -> list[Entry]:
        """What the books lack of a payment, for `post`; nobody else books about it before the transaction ends.

        Raises `BooksDisagree` when what is booked cannot be of these facts.
        """
        await self.hold(connection, facts.paid.reference)
        booked = await self.about(connection, facts.paid.reference)
        try:
            return entries_of(facts, booked, pending=self._pending)
        except BooksDisagree as refused:
            log.error("books.disagree", facts=msgspec.to_builtins(facts), **refused.details)
            raise

    async def post(self, connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
        """Write what is not there yet; returns that. Raises `BooksDisagree`."""
        if not entries:
            return []
        await self.hold(connection, *(entry.about for entry in entries))
        ids = await self._insert(connection, entries)
        new = [entry for cause, entry in {one.cause: one for one in reversed(entries)}.items() if cause in ids]
        new.reverse()
        await self._insert_lines(connection, [(ids[entry.cause], entry) for entry in new])
        await self._compare(connection, [entry for entry in entries if entry not in new])
        return new

    async def balances(self, connection: Connection, creator_id: str) -> list[Balance]:
        """One for each currency in which something was ever booked."""
        owed, reserve, transit = owed_to(creator_id), reserve_of(creator_id), transit_of(creator_id)
        rows = await connection.fetch(_BALANCES, owed, reserve, transit, self._clock(), creator_id)
        return [
            Balance(
                currency=row["currency"],
                pending_minor=int(row["pending"]),
                available_minor=int(row["available"]),
                reserve_minor=int(row["reserve"]),
                transit_minor=int(row["transit"]),
                paid_minor=int(row["paid"]),
            )
            for row in rows
        ]

    async def balance(self, connection: Connection, creator_id: str, currency: str) -> Balance:
        """That of one currency; zeros when nothing was ever booked in it."""
        found = await self.balances(connection, creator_id)
        return next((one for one in found if one.currency == currency), Balance(currency=currency))

    async def page(
        self,
        connection: Connection,
        creator_id: str,
        *,
        before_id: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Recorded]:
        """Entries of a creator, the newest written first; `since` is included, `until` not; next page: the last id."""
        rows = await connection.fetch(
            f"{_SELECT} WHERE j.creator_id = $1 AND ($2::bigint IS NULL OR j.id < $2) "
            "AND ($3::timestamptz IS NULL OR j.at >= $3) AND ($4::timestamptz IS NULL OR j.at < $4) "
            f"{_GROUPED} ORDER BY j.id DESC LIMIT $5",
            creator_id, before_id, since, until, min(limit, MAX_PAGE),
        )  # fmt: skip
        return [_recorded(row) for row in rows]

    async def _insert(self, connection: Connection, entries: Sequence[Entry]) -> dict[str, int]:
        """Ids of those that were not there, by cause."""
        columns = zip(*((
            one.cause, one.kind, one.about, one.currency, len(one.lines), one.sale.source, one.sale.creator_id,
            one.sale.payer_id, one.sale.order_id, one.sale.stream_id, one.at,
        ) for one in entries), strict=True)  # fmt: skip
        rows = await connection.fetch(_INSERT, *map(list, columns), self._clock())
        return {row["cause"]: row["id"] for row in rows}

    async def _insert_lines(self, connection: Connection, entries: Sequence[tuple[int, Entry]]) -> None:
        lines = [
            (entry_id, number, line.account, line.amount_minor, entry.currency, line.available_at)
            for entry_id, entry in entries
            for number, line in enumerate(entry.lines, 1)
        ]
        if lines:
            await connection.execute(_INSERT_LINES, *map(list, zip(*lines, strict=True)))

    async def _compare(self, connection: Connection, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        causes = [entry.cause for entry in entries]
        rows = await connection.fetch(f"{_SELECT} WHERE j.cause = ANY($1) {_GROUPED}", causes)
        there = {row["cause"]: _recorded(row).entry for row in rows}
        for entry in entries:
            if _said(entry) != _said(there[entry.cause]):
                log.error(
                    "books.disagree", cause=entry.cause,
                    booked=msgspec.to_builtins(there[entry.cause].lines), refused=msgspec.to_builtins(entry.lines),
                )  # fmt: skip
                raise BooksDisagree(cause=entry.cause)


def _said(entry: Entry) -> tuple[object, ...]:
    """What may never differ; when it happened and what was sold is as it was first told."""
    return entry.kind, entry.about, entry.currency, sorted(entry.lines, key=lambda line: line.account)


def _recorded(row: asyncpg.Record) -> Recorded:
    sale = {
        name: row[name] and str(row[name]) for name in ("source", "creator_id", "payer_id", "order_id", "stream_id")
    }
    lines = zip(row["accounts"], row["amounts"], row["available"], strict=True)
    entry = Entry(
        cause=row["cause"], kind=row["kind"], about=row["about"], currency=row["currency"], at=row["at"],
        lines=tuple(Line(*line) for line in lines), sale=msgspec.convert(sale, type=Sale),
    )  # fmt: skip
    return Recorded(id=row["id"], entry=entry, recorded_at=row["recorded_at"])


_SELECT = (
    "SELECT j.*, array_agg(l.account ORDER BY l.number) AS accounts, array_agg(l.amount_minor ORDER BY l.number) "
    "AS amounts, array_agg(l.available_at ORDER BY l.number) AS available "
    "FROM journal j JOIN journal_lines l ON l.entry_id = j.id"
)
_GROUPED = "GROUP BY j.id"

_INSERT = """
INSERT INTO journal (cause, kind, about, currency, lines, source, creator_id, payer_id, order_id, stream_id, at,
                     recorded_at)
SELECT given.*, $12 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[],
    $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::timestamptz[]) AS given
ON CONFLICT (cause) DO NOTHING RETURNING id, cause
"""

_INSERT_LINES = """
INSERT INTO journal_lines (entry_id, number, account, amount_minor, currency, available_at)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
"""

# What is owed is credit, so signs turn. A line that is not available yet is pending, a debt in it too.
_BALANCES = """
WITH sums AS (
    SELECT currency,
        -coalesce(sum(amount_minor) FILTER (WHERE account = $1 AND available_at > $4), 0) AS pending,
        -coalesce(sum(amount_minor) FILTER (WHERE account = $1 AND (available_at > $4) IS NOT TRUE), 0) AS available,
        -coalesce(sum(amount_minor) FILTER (WHERE account = $2), 0) AS reserve,
        -coalesce(sum(amount_minor) FILTER (WHERE account = $3), 0) AS transit
    FROM journal_lines WHERE account = ANY(ARRAY[$1, $2, $3]) GROUP BY currency
), paid AS (
    SELECT j.currency, -sum(l.amount_minor) AS paid
    FROM journal j JOIN journal_lines l ON l.entry_id = j.id
    WHERE j.creator_id = $5 AND j.kind IN ('payout_sent', 'payout_returned') AND l.account = 'stripe'
    GROUP BY j.currency
)
SELECT sums.*, coalesce(paid.paid, 0) AS paid FROM sums LEFT JOIN paid USING (currency) ORDER BY currency
"""
