"""When creators are paid by themselves, and how that is said. Pure; days are those of UTC, as in the books."""

from datetime import datetime, time, timedelta

from payments.model import PayoutSchedule

PAID_AT = time(6)  # UTC; the day before is wholly in the books by then
MONDAY = 0
WORDS: dict[PayoutSchedule, str] = {
    "manual": "when you ask for it",
    "weekly": "every Monday",
    "monthly": "on the first of every month",
}


def next_payout(schedule: PayoutSchedule, now: datetime) -> datetime | None:
    """The first moment after `now` at which the schedule pays; None when it waits to be asked."""
    if schedule == "manual":
        return None
    day = now.replace(hour=PAID_AT.hour, minute=0, second=0, microsecond=0)
    if day <= now:
        day += timedelta(days=1)
    while day.weekday() != MONDAY if schedule == "weekly" else day.day != 1:
        day += timedelta(days=1)
    return day


def in_words(moment: datetime) -> str:
    """`Monday, 30 November 2026, 06:00 UTC`."""
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M} UTC"
