"""A statement as CSV (RFC 4180): amounts in whole units with a point, times as ISO 8601 in UTC, no cell a formula."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from payments.money import major_units
from payments.statement_words import words
from payments.statements import Amounts, Heading, Movement

COLUMNS = (
    "booked_at", "happened_at", "kind", "source", "text", "reference", "currency", "earnings", "held", "on_the_way",
    "balance",
)  # fmt: skip
# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def as_csv(heading: Heading, opening: Amounts, batches: AsyncIterator[list[Movement]]) -> AsyncIterator[bytes]:
    """The lines in pieces. Each moves three amounts; `balance` is what is owed altogether after it."""
    now, currency = opening, heading.currency
    first = f"Opening balance of {heading.creator_name}"
    yield _lines([COLUMNS, _balance("opening", first, heading.month.begins, opening, currency)])
    async for batch in batches:
        rows = []
        for one in batch:
            now = now.plus(one.amounts)
            rows.append(_row(one, now, currency))
        yield _lines(rows)
    last = min(heading.month.ends, heading.made_at)
    yield _lines([_balance("closing", "Closing balance" if heading.final else "Balance now", last, now, currency)])


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _balance(kind: str, text: str, at: datetime, amounts: Amounts, currency: str) -> Sequence[str]:
    return (
        _time(at), "", kind, "", harmless(text), "", currency.upper(), *_units(amounts, currency),
        major_units(amounts.total_minor, currency),
    )  # fmt: skip


def _row(one: Movement, after: Amounts, currency: str) -> Sequence[str]:
    return (
        _time(one.booked_at), _time(one.happened_at), one.kind, one.source or "", words(one.kind, one.source),
        harmless(one.reference), currency.upper(), *_units(one.amounts, currency),
        major_units(after.total_minor, currency),
    )  # fmt: skip


def _units(amounts: Amounts, currency: str) -> Sequence[str]:
    parts = (amounts.owed_minor, amounts.held_minor, amounts.transit_minor)
    return [major_units(part, currency) for part in parts]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
