"""Billing periods: months as people count them, from the day a subscription began."""

import calendar
from datetime import UTC, datetime, timedelta

from payments.sandbox.book import Thing


def period_end(anchor: int, start: int, recurring: Thing) -> int:
    """The end of the period that begins at `start`. The 31st is the last day of shorter months."""
    count, interval = int(recurring["interval_count"]), recurring["interval"]
    if interval in {"day", "week"}:
        return start + count * (7 if interval == "week" else 1) * 24 * 3600
    begun, first = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(anchor, UTC)
    months = count * (12 if interval == "year" else 1)
    passed = (begun.year - first.year) * 12 + begun.month - first.month
    return int(_later(first, passed + months).timestamp())


def _later(first: datetime, months: int) -> datetime:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, calendar.monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day)


def part_left(amount: int, start: int, end: int, at: int) -> int:
    """What of an amount for a period is left at a moment in it, to the nearest unit."""
    length, left = max(1, end - start), max(0, end - at)
    return (2 * amount * left + length) // (2 * length)


def in_days(days: float) -> int:
    return int(timedelta(days=days).total_seconds())
