"""Payouts: paid once, whoever asks how often and whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from infra.clock import new_id
from infra.errors import FootlightError, Invalid
from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from payments.errors import (
    NoPayoutAccount,
    PayoutAccountNotReady,
    PayoutDiffers,
    PayoutsFrozen,
    PayoutTooSmall,
    PayoutUnderWay,
)
from payments.ledger.audit import Audit
from payments.model import Payout
from payments.payout_rows import hold_sending, set_frozen
from payments.schedules import next_payout
from payments.sending import LEASE
from tests.payments.connect import Connect, connect
from tests.payments.earning import BEGAN, Earning, earning, until

MATURE = timedelta(days=8)


@pytest.fixture
async def stripe() -> AsyncIterator[Connect]:
    async with connect() as stand_in:
        yield stand_in


@pytest.fixture
async def world(db: Postgres, stripe: Connect) -> AsyncIterator[Earning]:
    async with earning(db, stripe.url) as world:
        yield world
        assert (await Audit(db, Metrics()).check()).findings == []


async def rich(world: Earning, amount_minor: int = 5000, **account: Any) -> str:
    """A creator with so much available."""
    creator_id = await world.creator(**account)
    await world.earn(creator_id, amount_minor)
    world.clock.now += MATURE
    return creator_id


async def taken(world: Earning) -> bool:
    async with world.db.connection() as connection:
        return bool(await connection.fetchval("SELECT attempts FROM payouts"))


async def test_what_is_asked_for_is_sent_and_booked(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world)
    payout = await world.payouts.ask(creator_id, "eur")
    assert (payout.amount_minor, payout.state) == (5000, "asked")
    assert await world.account_balances(creator_id) == {"creator": 0, "transit": -5000}
    assert await world.sender.send_next()
    sent = await world.payout(payout.id)
    assert (sent.state, sent.stripe_transfer_id) == ("sent", "tr_1")
    assert await world.booked(payout.id) == ["payout_asked", "payout_sent"]
    assert stripe.paid_to(sent.stripe_account_id) == 5000
    assert stripe.asked[0][2] == f"payout:{payout.id}:transfer"
    assert not await world.sender.send_next()
    (balance,) = await world.creators.balances(creator_id)
    assert (balance.available_minor, balance.transit_minor, balance.paid_minor) == (0, 0, 5000)


async def test_many_clicks_at_once_pay_once(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world)
    clicks = [world.payouts.ask(creator_id, "eur") for _ in range(10)]
    outcomes = await asyncio.gather(*clicks, return_exceptions=True)
    assert len([one for one in outcomes if isinstance(one, Payout)]) == 1
    assert len([one for one in outcomes if isinstance(one, PayoutUnderWay)]) == 9
    await asyncio.gather(*(world.sender.send_next() for _ in range(5)))
    assert len(stripe.transfers) == 1
    with pytest.raises(PayoutTooSmall):
        await world.payouts.ask(creator_id, "eur")


async def test_the_same_request_is_the_same_payout_also_when_it_was_sent(world: Earning) -> None:
    creator_id = await rich(world)
    outcomes = await asyncio.gather(*(world.payouts.ask(creator_id, "eur", request_key="k") for _ in range(5)))
    assert len({one.id for one in outcomes}) == 1
    await world.sender.send_next()
    assert (await world.payouts.ask(creator_id, "eur", request_key="k")).state == "sent"


async def test_a_key_is_for_one_currency(world: Earning) -> None:
    creator_id = await rich(world)
    await world.payouts.ask(creator_id, "eur", request_key="k")
    with pytest.raises(PayoutDiffers):
        await world.payouts.ask(creator_id, "usd", request_key="k")


async def test_one_who_cannot_be_paid_does_not_keep_the_others_from_it(
    world: Earning, monkeypatch: pytest.MonkeyPatch
) -> None:
    creators = [await rich(world, schedule="weekly", next_payout_at=BEGAN + timedelta(seconds=n)) for n in range(2)]
    made = [ValueError("no id for the first")]

    def make_id() -> str:
        if made:
            raise made.pop()
        return new_id()

    monkeypatch.setattr(world.payouts, "_make_id", make_id)
    await world.payouts.pay_due()
    assert [len((await world.payouts.page(one, None, 10))[0]) for one in creators] == [0, 1]


async def test_a_click_and_the_schedules_of_two_workers_pay_once(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world, schedule="weekly", next_payout_at=BEGAN)
    jobs = [world.payouts.pay_due(), world.payouts.pay_due(), world.payouts.ask(creator_id, "eur")]
    await asyncio.gather(*jobs, return_exceptions=True)
    while await world.sender.send_next():
        pass
    assert [one["amount"] for one in stripe.transfers.values()] == [5000]


async def test_the_schedule_pays_what_is_over_the_minimum_and_names_the_next_day(world: Earning) -> None:
    creator_id = await rich(world, schedule="weekly", next_payout_at=BEGAN)
    poor_id = await rich(world, 1999, schedule="monthly", next_payout_at=BEGAN)
    await world.earn(creator_id, 3000, currency="usd")
    world.clock.now += MATURE
    await world.payouts.pay_due()
    paid, _ = await world.payouts.page(creator_id, None, 10)
    assert {(one.currency, one.amount_minor, one.asked_by) for one in paid} == {
        ("eur", 5000, "schedule"), ("usd", 3000, "schedule"),
    }  # fmt: skip
    assert (await world.payouts.page(poor_id, None, 10))[0] == []
    weekly, monthly = await world.creators.account(creator_id), await world.creators.account(poor_id)
    assert weekly is not None
    assert weekly.next_payout_at == next_payout("weekly", world.clock())
    assert monthly is not None
    assert monthly.next_payout_at == next_payout("monthly", world.clock())
    assert await world.payouts.pay_due() == 0


async def test_what_is_pending_waits_and_a_debt_lowers_the_next_payout(world: Earning) -> None:
    creator_id = await world.creator()
    first = await world.earn(creator_id, 4000)
    with pytest.raises(PayoutTooSmall) as refused:
        await world.payouts.ask(creator_id, "eur")
    assert refused.value.details == {"minimum": 2000, "available": 0, "currency": "eur"}
    world.clock.now += MATURE
    await world.payouts.ask(creator_id, "eur")
    await world.sender.send_next()
    await world.learn(first, 1500)
    assert (await world.creators.balances(creator_id))[0].available_minor == -1500
    await world.earn(creator_id, 5000)
    world.clock.now += MATURE
    assert (await world.payouts.ask(creator_id, "eur")).amount_minor == 3500


@pytest.mark.parametrize(
    ("account", "error"),
    [
        ({"stripe_account_id": None}, NoPayoutAccount),
        ({"payouts_enabled": False}, PayoutAccountNotReady),
        ({"frozen_at": BEGAN}, PayoutsFrozen),
    ],
)
async def test_who_cannot_be_paid_is_told_why(
    world: Earning, account: dict[str, Any], error: type[FootlightError]
) -> None:
    creator_id = await rich(world, **account, schedule="weekly", next_payout_at=BEGAN)
    with pytest.raises(error):
        await world.payouts.ask(creator_id, "eur")
    await world.payouts.pay_due()
    assert (await world.payouts.page(creator_id, None, 10))[0] == []
    with pytest.raises(NoPayoutAccount):
        await world.payouts.ask(await world.person(), "eur")


async def test_a_refusal_for_good_gives_the_money_back_and_says_so(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world)
    stripe.refuses = "account_invalid"
    payout = await world.payouts.ask(creator_id, "eur")
    await world.sender.send_next()
    failed = await world.payout(payout.id)
    assert (failed.state, failed.failure) == ("failed", "account_invalid")
    assert await world.booked(payout.id) == ["payout_asked", "payout_failed"]
    stripe.refuses = None
    again = await world.payouts.ask(creator_id, "eur")
    assert again.amount_minor == 5000
    await world.sender.send_next()
    assert stripe.paid_to(again.stripe_account_id) == 5000


async def test_a_stripe_that_is_away_is_asked_again_for_ever_with_growing_pauses(
    world: Earning, stripe: Connect
) -> None:
    payout = await world.payouts.ask(await rich(world), "eur")
    stripe.away, waits = True, []
    for _ in range(20):
        assert await world.sender.send_next()
        async with world.db.connection() as connection:
            next_at = await connection.fetchval("SELECT next_at FROM payouts")
        waits.append((next_at - world.clock.now).total_seconds())
        world.clock.now = next_at
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 3600
    assert (await world.payout(payout.id)).state == "asked"
    stripe.away = False
    await world.sender.send_next()
    assert (await world.payout(payout.id)).state == "sent"


async def test_a_transfer_whose_answer_was_lost_is_found_after_its_key_was_forgotten(
    world: Earning, stripe: Connect
) -> None:
    payout = await world.payouts.ask(await rich(world), "eur")
    async with world.db.connection() as connection:
        await connection.execute("UPDATE payouts SET attempts = 1")
    await world.calls.create_transfer(
        payout.stripe_account_id, payout.amount_minor, "eur", {"footlight_payout": payout.id}, key="whatever"
    )
    stripe.forget_keys()
    await world.sender.send_next()
    assert len(stripe.transfers) == 1
    assert (await world.payout(payout.id)).state == "sent"


async def test_a_frozen_account_is_not_sent_what_was_asked_before(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world)
    payout = await world.payouts.ask(creator_id, "eur")
    async with world.db.transaction() as connection:
        await set_frozen(connection, creator_id, creator_id, "why", world.clock())
    assert not await world.sender.send_next()
    async with world.db.transaction() as connection:
        await set_frozen(connection, creator_id, None, None, world.clock())
    assert await world.sender.send_next()
    assert (await world.payout(payout.id)).state == "sent"


async def test_freezing_waits_for_what_is_being_sent_and_stops_what_was_taken(world: Earning, stripe: Connect) -> None:
    creator_id = await rich(world)
    await world.payouts.ask(creator_id, "eur")
    async with world.db.transaction() as connection:
        await hold_sending(connection, creator_id)
        sending = asyncio.create_task(world.sender.send_next())
        await until(lambda: taken(world))
        await set_frozen(connection, creator_id, creator_id, "why", world.clock())
    await sending
    assert stripe.transfers == {}


async def test_an_event_of_the_transfer_heals_and_a_reversal_owes_the_money_again(
    world: Earning, stripe: Connect
) -> None:
    creator_id = await rich(world)
    payout = await world.payouts.ask(creator_id, "eur")
    await world.sender.send_next()
    await world.sender.look("tr_1")
    assert (await world.payout(payout.id)).state == "sent"
    stripe.transfers["tr_1"].update(reversed=True, amount_reversed=5000)
    await asyncio.gather(world.sender.look("tr_1"), world.sender.look("tr_1"))
    assert (await world.payout(payout.id)).state == "returned"
    assert await world.booked(payout.id) == ["payout_asked", "payout_sent", "payout_returned"]
    (balance,) = await world.creators.balances(creator_id)
    assert (balance.available_minor, balance.paid_minor) == (5000, 0)


async def test_the_event_may_be_first_to_tell_of_a_transfer(world: Earning, stripe: Connect) -> None:
    payout = await world.payouts.ask(await rich(world), "eur")
    async with world.db.connection() as connection:
        await connection.execute("UPDATE payouts SET next_at = $1", world.clock() + LEASE)
    await world.calls.create_transfer(
        payout.stripe_account_id, 5000, "eur", {"footlight_payout": payout.id}, key=f"payout:{payout.id}:transfer"
    )
    await world.sender.look("tr_1")
    assert (await world.payout(payout.id)).state == "sent"
    world.clock.now += LEASE
    assert not await world.sender.send_next()
    await world.calls.create_transfer("acct_x", 5, "eur", {}, key="of others")
    await world.sender.look("tr_2")


async def test_payouts_come_in_pages_newest_first(world: Earning) -> None:
    creator_id = await rich(world)
    asked = []
    for _ in range(3):
        asked.append((await world.payouts.ask(creator_id, "eur")).id)
        await world.sender.send_next()
        await world.earn(creator_id, 5000)
        world.clock.now += MATURE
    first, cursor = await world.payouts.page(creator_id, None, 2)
    second, end = await world.payouts.page(creator_id, cursor, 2)
    assert ([one.id for one in [*first, *second]], end) == (asked[::-1], None)
    with pytest.raises(Invalid):
        await world.payouts.page(creator_id, "nonsense", 2)
