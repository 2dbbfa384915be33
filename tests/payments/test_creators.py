"""Setting up where earnings go: one account, whoever clicks how often, and as Stripe says it is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from infra.clock import new_id
from infra.stores.postgres import Postgres
from payments.creators import AT_ONCE
from payments.errors import CountryNotSupported, NoPayoutAccount, NotACreator, PayoutsFrozen, StripeUnavailable
from payments.schedules import next_payout
from tests.payments.connect import Connect, connect
from tests.payments.earning import BEGAN, Earning, earning, identity, until


@pytest.fixture
async def stripe() -> AsyncIterator[Connect]:
    async with connect() as stand_in:
        yield stand_in


@pytest.fixture
async def world(db: Postgres, stripe: Connect) -> AsyncIterator[Earning]:
    async with earning(db, stripe.url) as world:
        yield world


async def test_many_clicks_make_one_account_and_a_link_each(world: Earning, stripe: Connect) -> None:
    who = identity(await world.person())
    links = await asyncio.gather(*(world.creators.onboard(who, "DE") for _ in range(5)))
    assert [link.url for link in links] == [f"{stripe.url}/onboard/acct_1"] * 5
    assert len(stripe.accounts) == 1
    account = await world.creators.account(who.user_id)
    assert account is not None
    assert (account.stripe_account_id, account.country, account.payouts_enabled) == ("acct_1", "DE", False)
    assert account.requirements == ["iban"]


async def test_an_account_whose_answer_was_lost_is_the_same_again(world: Earning, stripe: Connect) -> None:
    who = identity(await world.person())
    await world.creators.onboard(who, "DE")
    async with world.db.connection() as connection:
        await connection.execute("DELETE FROM payout_accounts")
    await world.creators.onboard(who, "DE")
    assert len(stripe.accounts) == 1


async def test_what_stripe_says_of_the_account_is_taken_over(world: Earning, stripe: Connect) -> None:
    who = identity(await world.person())
    await world.creators.onboard(who, "DE")
    stripe.accounts["acct_1"].update(
        payouts_enabled=True, details_submitted=True, requirements={"currently_due": [], "disabled_reason": None}
    )
    await asyncio.gather(*(world.creators.look("acct_1") for _ in range(3)))
    account = await world.creators.refresh(who.user_id)
    assert (account.payouts_enabled, account.details_submitted, account.requirements) == (True, True, [])


async def test_an_event_finds_the_creator_of_an_account_that_a_crash_left_behind(
    world: Earning, stripe: Connect
) -> None:
    who = identity(await world.person())
    await world.creators.onboard(who, "DE")
    async with world.db.connection() as connection:
        await connection.execute("UPDATE payout_accounts SET stripe_account_id = NULL")
    await world.creators.look("acct_1")
    account = await world.creators.account(who.user_id)
    assert account is not None
    assert account.stripe_account_id == "acct_1"
    stripe.accounts["acct_9"] = {**stripe.accounts["acct_1"], "id": "acct_9", "metadata": {}}
    await world.creators.look("acct_9")
    stripe.accounts["acct_9"]["metadata"] = {"footlight_user": who.user_id}
    await world.creators.look("acct_9")  # a second account of theirs does not take the place of the first
    assert (await world.creators.refresh(who.user_id)).stripe_account_id == "acct_1"


async def test_who_is_no_creator_has_no_account_and_a_frozen_one_stays_so(world: Earning) -> None:
    with pytest.raises(NotACreator):
        await world.creators.onboard(identity(await world.person(role="free"), "free"), "DE")
    frozen_id = await world.creator(frozen_at=BEGAN)
    with pytest.raises(PayoutsFrozen):
        await world.creators.onboard(identity(frozen_id), "DE")


async def test_a_country_that_stripe_cannot_pay_to_is_said_and_another_may_be_tried(
    world: Earning, stripe: Connect
) -> None:
    who = identity(await world.person())
    stripe.refuses = "country_unsupported"
    with pytest.raises(CountryNotSupported):
        await world.creators.onboard(who, "KP")
    stripe.refuses = None
    await world.creators.onboard(who, "DE")
    assert [one["country"] for one in stripe.accounts.values()] == ["DE"]


async def test_a_stripe_that_is_away_is_said_and_nothing_is_begun(world: Earning, stripe: Connect) -> None:
    who = identity(await world.person())
    stripe.away = True
    with pytest.raises(StripeUnavailable):
        await world.creators.onboard(who, "DE")
    assert await world.creators.account(who.user_id) is None
    with pytest.raises(NoPayoutAccount):
        await world.creators.refresh(who.user_id)


async def test_a_schedule_names_its_next_day(world: Earning) -> None:
    creator_id = await world.creator()
    for schedule in ("weekly", "monthly", "manual"):
        changed = await world.creators.set_schedule(creator_id, schedule)
        assert changed.next_payout_at == next_payout(changed.schedule, world.clock())
    with pytest.raises(NoPayoutAccount):
        await world.creators.set_schedule(new_id(), "weekly")


async def test_a_stripe_that_hangs_leaves_connections_for_everybody_else(world: Earning, stripe: Connect) -> None:
    people = [identity(await world.person()) for _ in range(12)]
    stripe.held.clear()
    setting_up = [asyncio.create_task(world.creators.onboard(who, "DE")) for who in people]

    async def asking() -> bool:
        return len(stripe.asked) == AT_ONCE

    await until(asking)
    assert await asyncio.gather(*(world.creators.balances(who.user_id) for who in people)) == [[]] * len(people)
    stripe.held.set()
    assert len({link.url for link in await asyncio.gather(*setting_up)}) == len(people)


async def test_an_account_whose_answer_was_lost_is_made_also_when_the_e_mail_changed(
    world: Earning, stripe: Connect
) -> None:
    who = identity(await world.person())
    await world.creators.onboard(who, "DE")
    async with world.db.connection() as connection:
        await connection.execute("DELETE FROM payout_accounts")
        await connection.execute("UPDATE users SET email = 'new@example.com' WHERE id = $1", who.user_id)
    assert (await world.creators.onboard(who, "DE")).url
