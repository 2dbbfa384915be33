"""What a creator's month came to, from the books: opening balance, every entry, closing balance, of one currency.

An entry belongs to the month in which it was booked (UTC), not in which it happened: the books only grow, so the
statement of a month that is over never changes. What was learnt late stands in the month it was learnt in, with the
day it happened beside it.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from accounts import repository as accounts
from accounts.errors import AccountNotFound
from infra.clock import Clock
from infra.stores.postgres import Connection, Postgres
from payments.errors import StatementNotFound
from payments.ledger.entries import Kind, Source, owed_to, reserve_of, transit_of

BATCH = 500  # entries a download holds at a time
MOST_MONTHS = 240
SETTLED = timedelta(minutes=5)  # an entry has the time of its writing, and its transaction ends a little later
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


class Month(msgspec.Struct, frozen=True):
    """A month of UTC."""

    begins: datetime
    ends: datetime

    @property
    def name(self) -> str:
        return f"{self.begins:%Y-%m}"


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed to a creator, by where it is: theirs to be paid, held for a dispute, on its way to them."""

    owed_minor: int = 0
    held_minor: int = 0
    transit_minor: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        return Amounts(
            owed_minor=self.owed_minor + other.owed_minor,
            held_minor=self.held_minor + other.held_minor,
            transit_minor=self.transit_minor + other.transit_minor,
        )

    @property
    def total_minor(self) -> int:
        return self.owed_minor + self.held_minor + self.transit_minor


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as far as it moves what is owed. `reference` is the payment or payout it belongs to."""

    id: int
    booked_at: datetime
    happened_at: datetime
    kind: Kind
    source: Source | None
    reference: str
    amounts: Amounts


class DaySum(msgspec.Struct, frozen=True, kw_only=True):
    """All entries of a kind that were booked on one day."""

    day: datetime
    kind: Kind
    source: Source | None
    count: int
    amounts: Amounts


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """Whose statement it is, of what, as of when. `final`: nothing will be added to it any more."""

    creator_id: str
    creator_name: str
    month: Month
    currency: str
    made_at: datetime
    final: bool


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A statement by days: at most some 400 rows, however much was sold."""

    heading: Heading
    opening: Amounts
    days: list[DaySum]

    @property
    def closing(self) -> Amounts:
        found = self.opening
        for one in self.days:
            found = found.plus(one.amounts)
        return found


class Available(msgspec.Struct, frozen=True):
    """Which statements there are: months, the newest first, each in every one of these currencies."""

    months: list[str]
    currencies: list[str]


class Statements:
    """Reads statements. What they look like is in `statement_csv.py` and `statement_pdf.py`."""

    def __init__(self, db: Postgres, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def month(self, text: str) -> Month:
        """`2026-05`; raises `StatementNotFound` for what is no month, or has not begun."""
        month = month_of(text)
        if month is None or month.begins > self._clock():
            raise StatementNotFound
        return month

    async def available(self, creator_id: str) -> Available:
        """From the first entry on."""
        async with self._db.connection() as connection:
            first = await connection.fetchval(
                "SELECT recorded_at FROM journal WHERE creator_id = $1 ORDER BY recorded_at, id LIMIT 1", creator_id
            )
            currencies = await connection.fetch(
                "SELECT DISTINCT currency FROM journal_lines WHERE account = $1 ORDER BY 1", owed_to(creator_id)
            )
        return Available(_months(first, self._clock()), [row["currency"] for row in currencies])

    async def heading(self, creator_id: str, month: Month, currency: str) -> Heading:
        """Raises `AccountNotFound`."""
        async with self._db.connection() as connection:
            return await self._heading(connection, creator_id, month, currency)

    async def summary(self, creator_id: str, month: Month, currency: str) -> Summary:
        """All of it as of one moment. Raises `AccountNotFound`."""
        async with (
            self._db.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            heading = await self._heading(connection, creator_id, month, currency)
            opening = await opening_of(connection, creator_id, currency, month.begins)
            rows = await connection.fetch(_DAYS, *_arguments(creator_id, currency), month.begins, month.ends)
        return Summary(heading=heading, opening=opening, days=[_day(row) for row in rows])

    async def opening(self, creator_id: str, month: Month, currency: str) -> Amounts:
        """What was owed when the month began."""
        async with self._db.connection() as connection:
            return await opening_of(connection, creator_id, currency, month.begins)

    async def movements(self, creator_id: str, month: Month, currency: str) -> AsyncIterator[list[Movement]]:
        """Every entry in the order of the books, in batches; no connection is held while a client is slow."""
        after, after_id = month.begins, 0
        while True:
            async with self._db.connection() as connection:
                rows = await connection.fetch(
                    _MOVEMENTS, *_arguments(creator_id, currency), after, month.ends, after_id, BATCH
                )
            if found := [_movement(row) for row in rows if row["owed"] is not None]:
                yield found
            if len(rows) < BATCH:
                return
            after, after_id = rows[-1]["recorded_at"], rows[-1]["id"]

    async def _heading(self, connection: Connection, creator_id: str, month: Month, currency: str) -> Heading:
        user = await accounts.find(connection, creator_id)
        if user is None:
            raise AccountNotFound
        now = self._clock()
        return Heading(
            creator_id=user.id, creator_name=user.display_name, month=month, currency=currency, made_at=now,
            final=now >= month.ends + SETTLED,
        )  # fmt: skip


async def opening_of(connection: Connection, creator_id: str, currency: str, begins: datetime) -> Amounts:
    """The balance of everything booked before: all there is, less what came since (which is less to read)."""
    row = await connection.fetchrow(_OPENING, *_arguments(creator_id, currency), begins)
    if row is None:
        raise AssertionError("a sum is always one row")
    return _amounts(row)


def month_of(text: str) -> Month | None:
    match = _MONTH.fullmatch(text)
    if match is None:
        return None
    begins = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
    return Month(begins, _next(begins))


def _next(begins: datetime) -> datetime:
    return begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)


def _months(first: datetime | None, now: datetime) -> list[str]:
    names: list[str] = []
    begins = first and first.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while begins is not None and begins <= now:
        names.append(f"{begins:%Y-%m}")
        begins = _next(begins)
    return names[::-1][:MOST_MONTHS]


def _arguments(creator_id: str, currency: str) -> tuple[str, str, str, str, str]:
    return creator_id, currency, owed_to(creator_id), reserve_of(creator_id), transit_of(creator_id)


def _amounts(row: asyncpg.Record) -> Amounts:
    return Amounts(owed_minor=int(row["owed"]), held_minor=int(row["held"]), transit_minor=int(row["transit"]))


def _movement(row: asyncpg.Record) -> Movement:
    return Movement(
        id=row["id"], booked_at=row["recorded_at"], happened_at=row["at"], kind=row["kind"], source=row["source"],
        reference=row["about"], amounts=_amounts(row),
    )  # fmt: skip


def _day(row: asyncpg.Record) -> DaySum:
    return DaySum(
        day=row["day"].replace(tzinfo=UTC), kind=row["kind"], source=row["source"], count=row["count"],
        amounts=_amounts(row),
    )  # fmt: skip


# What is owed is credit, so signs turn.
_SUMS = """
    -coalesce(sum(l.amount_minor) FILTER (WHERE l.account = $3), 0) AS owed,
    -coalesce(sum(l.amount_minor) FILTER (WHERE l.account = $4), 0) AS held,
    -coalesce(sum(l.amount_minor) FILTER (WHERE l.account = $5), 0) AS transit
"""

_OPENING = f"""
WITH everything AS (
    SELECT {_SUMS} FROM journal_lines l WHERE l.account = ANY(ARRAY[$3, $4, $5]) AND l.currency = $2
), since AS (
    SELECT {_SUMS} FROM journal j JOIN journal_lines l ON l.entry_id = j.id
    WHERE j.creator_id = $1::uuid AND j.currency = $2 AND j.recorded_at >= $6
)
SELECT everything.owed - since.owed AS owed, everything.held - since.held AS held,
    everything.transit - since.transit AS transit FROM everything, since
"""  # noqa: S608 - constants

_MOVEMENTS = f"""
SELECT j.*, sums.* FROM (
    SELECT id, recorded_at, at, kind, source, about FROM journal
    WHERE creator_id = $1::uuid AND currency = $2 AND recorded_at >= $6 AND recorded_at < $7
        AND (recorded_at, id) > ($6, $8) ORDER BY recorded_at, id LIMIT $9
) AS j LEFT JOIN LATERAL (
    SELECT {_SUMS} FROM journal_lines l
    WHERE l.entry_id = j.id AND l.account = ANY(ARRAY[$3, $4, $5]) HAVING count(*) > 0
) AS sums ON true ORDER BY j.recorded_at, j.id
"""  # noqa: S608 - constants

_DAYS = f"""
SELECT date_trunc('day', j.recorded_at AT TIME ZONE 'UTC') AS day, j.kind, j.source, count(DISTINCT j.id) AS count,
    {_SUMS}
FROM journal j JOIN journal_lines l ON l.entry_id = j.id
WHERE j.creator_id = $1::uuid AND j.currency = $2 AND j.recorded_at >= $6 AND j.recorded_at < $7
    AND l.account = ANY(ARRAY[$3, $4, $5])
GROUP BY 1, 2, 3 ORDER BY 1, min(j.id)
"""  # noqa: S608 - constants
