"""What a creator is told of the next payout, and when schedules pay."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.stores.postgres import Postgres
from payments.forecast import Forecasts
from payments.model import PayoutSchedule
from payments.schedules import in_words, next_payout
from tests.payments.connect import connect
from tests.payments.earning import BEGAN, RULES, Earning, earning


@pytest.fixture
async def world(db: Postgres) -> AsyncIterator[Earning]:
    async with connect() as stripe, earning(db, stripe.url) as world:
        yield world


def forecasts(world: Earning) -> Forecasts:
    return Forecasts(world.db, world.journal, RULES, world.clock)


@pytest.mark.parametrize(
    ("schedule", "now", "then"),
    [
        ("weekly", datetime(2026, 5, 4, 5, 59, tzinfo=UTC), datetime(2026, 5, 4, 6, tzinfo=UTC)),
        ("weekly", datetime(2026, 5, 4, 6, tzinfo=UTC), datetime(2026, 5, 11, 6, tzinfo=UTC)),
        ("monthly", datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 6, tzinfo=UTC)),
        ("monthly", datetime(2026, 5, 1, 6, tzinfo=UTC), datetime(2026, 6, 1, 6, tzinfo=UTC)),
        ("manual", BEGAN, None),
    ],
)
def test_schedules_pay_on_mondays_and_on_the_first(
    schedule: PayoutSchedule, now: datetime, then: datetime | None
) -> None:
    assert next_payout(schedule, now) == then


@given(now=st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - as asked for
def test_the_next_day_is_always_ahead_and_soon(now: datetime) -> None:
    weekly, monthly = next_payout("weekly", now), next_payout("monthly", now)
    assert weekly is not None
    assert monthly is not None
    assert timedelta() < weekly - now <= timedelta(days=7)
    assert timedelta() < monthly - now <= timedelta(days=31)


def test_a_day_is_said_in_words() -> None:
    assert in_words(datetime(2026, 11, 30, 6, tzinfo=UTC)) == "Monday, 30 November 2026, 06:00 UTC"


async def test_what_ripens_until_the_day_is_in_it_and_what_is_held_is_not(world: Earning) -> None:
    creator_id = await world.creator(schedule="weekly", next_payout_at=BEGAN + timedelta(days=7, hours=1))
    await world.earn(creator_id, 3000)
    await world.earn(creator_id, 800, disputed=True)
    world.clock.now += timedelta(days=1)
    await world.earn(creator_id, 500)
    (told,) = await forecasts(world).of(creator_id)
    assert (told.amount_minor, told.at) == (3000, BEGAN + timedelta(days=7, hours=1))
    assert "Paid every Monday: next on Monday, 11 May 2026" in told.how
    assert "Available now: 0.00 EUR; until then 30.00 EUR more becomes available." in told.how
    world.clock.now = told.at or BEGAN
    await world.payouts.pay_due()
    ((payout,), _) = await world.payouts.page(creator_id, None, 10)
    assert payout.amount_minor == told.amount_minor


async def test_too_little_is_said_to_stay(world: Earning) -> None:
    creator_id = await world.creator()
    await world.earn(creator_id, 1999)
    world.clock.now += timedelta(days=8)
    (told,) = await forecasts(world).of(creator_id)
    assert (told.amount_minor, told.at) == (0, None)
    assert "Paid when you ask for it." in told.how
    assert "Less than 20.00 EUR is not paid out: it stays for later." in told.how


async def test_who_cannot_be_paid_hears_why(world: Earning) -> None:
    for changes, why in (
        ({"stripe_account_id": None}, "not set up"),
        ({"payouts_enabled": False}, "needs more"),
        ({"frozen_at": BEGAN}, "stopped"),
    ):
        creator_id = await world.creator(**{"schedule": "weekly", "next_payout_at": BEGAN, **changes})  # type: ignore[arg-type]
        await world.earn(creator_id, 5000)
        (told,) = await forecasts(world).of(creator_id)
        assert (told.at, why in told.how) == (None, True)
