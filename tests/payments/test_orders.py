"""Buying: one payment page for one wish, whatever is clicked, however it breaks, and a clear word where none is due."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.clock import new_id
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments import orders, repository
from payments.errors import (
    AlreadySubscribed,
    ChannelNotForSale,
    OrderDiffers,
    OrderIsOver,
    OrderNotFound,
    OwnChannel,
    PlanDoesNotFit,
    PlanUnknown,
    StripeUnavailable,
    TooManyOrders,
)
from payments.orders import ASKED_WITHIN, LATE, MOST_OPEN, OPEN_FOR
from tests.payments.selling import PREMIUM, Selling, open_shop

SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Selling]:
    async with open_shop(till_keys, db, redis) as shop:
        yield shop


async def test_an_order_leads_to_a_page_and_the_page_back_to_a_right(shop: Selling) -> None:
    order = await shop.buy()
    assert order.state == "open"
    assert order.checkout_url == f"https://pay.test/{order.stripe_session_id}"
    assert (await shop.paid()).state == "paid"
    [right] = await shop.till.rights_of(shop.ada)
    assert (right.scope, right.source) == ("premium", f"subscription:{order.id}")
    who = await shop.till.world.accounts.identify(shop.ada.access_token)
    assert who.subscription_tier == "premium"


async def test_double_clicks_and_the_back_button_get_one_page(shop: Selling) -> None:
    shop.stripe.seconds = 0.01
    found = await asyncio.gather(*(shop.buy() for _ in range(10)))
    again = await shop.buy()
    assert {one.id for one in [*found, again]} == {again.id}
    assert {one.checkout_url for one in [*found, again]} == {again.checkout_url}
    assert await shop.count("orders") == 1
    assert {key for key in shop.stripe.asked if key.startswith("order:")} == {f"order:{again.id}"}


async def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(shop: Selling) -> None:
    await shop.buy("channel-1", shop.cleo.user.id)  # customer and so on are there
    shop.stripe.breaks_after = StripeUnavailable()
    with pytest.raises(StripeUnavailable):
        await shop.buy("channel-2", shop.cleo.user.id)
    order = await shop.buy("channel-2", shop.cleo.user.id)
    assert order.checkout_url is not None
    assert shop.stripe.asked.count(f"order:{order.id}") <= 2
    assert len([one for one in shop.stripe.objects if one.startswith("cs_")]) == 2


async def test_whoever_has_it_is_told_so_and_asked_for_no_card(shop: Selling) -> None:
    await shop.paid()
    for plan in (PREMIUM, "premium-yearly"):
        with pytest.raises(AlreadySubscribed) as refused:
            await shop.buy(plan)
        [row] = await shop.till.subscriptions(shop.ada)
        assert refused.value.details == {"subscription_id": row.id}
    assert (await shop.buy("channel-1", shop.cleo.user.id)).state == "open", "a channel is something else"


async def test_a_payment_that_nobody_told_us_of_is_found_before_a_second_page_is_shown(shop: Selling) -> None:
    order = await shop.buy()
    assert order.stripe_session_id is not None
    shop.stripe.pay(order.stripe_session_id)
    with pytest.raises(AlreadySubscribed):
        await shop.buy()
    assert await shop.till.order_state(order) == "paid"


async def test_of_two_plans_only_the_last_page_stays_open(shop: Selling) -> None:
    first, second = await shop.buy(), await shop.buy("premium-yearly")
    assert (await shop.till.order_state(first), await shop.till.order_state(second)) == ("expired", "open")
    assert second.checkout_url is not None


async def test_the_other_plan_was_just_paid(shop: Selling) -> None:
    first = await shop.buy()
    assert first.stripe_session_id is not None
    shop.stripe.pay(first.stripe_session_id)
    with pytest.raises(AlreadySubscribed):
        await shop.buy("premium-yearly")


async def test_a_page_that_was_left_is_closed_in_time_and_a_new_one_is_made(shop: Selling) -> None:
    first = await shop.buy()
    assert first.stripe_session_id is not None
    shop.clock.offset += OPEN_FOR - LATE + SECOND
    shop.stripe.change(first.stripe_session_id, status="expired", url=None)
    second = await shop.buy()
    assert second.id != first.id
    assert await shop.till.order_state(first) == "expired"
    shop.clock.offset += OPEN_FOR + LATE + SECOND
    assert second.stripe_session_id is not None
    shop.stripe.pay(second.stripe_session_id)  # and the event was lost
    await shop.orders.sweep()
    assert await shop.till.order_state(second) == "paid"
    assert len(await shop.till.rights_of(shop.ada)) == 1


async def test_an_order_that_never_got_a_page_is_given_up(shop: Selling) -> None:
    shop.stripe.away = StripeUnavailable()
    with pytest.raises(StripeUnavailable):
        await shop.buy()
    shop.stripe.away = None
    shop.clock.offset += ASKED_WITHIN + SECOND
    order = await shop.buy()
    assert await shop.count("orders") == 2
    async with shop.till.db.connection() as connection:
        opened = await repository.open_orders(connection, shop.ada.user.id)
    assert [one.id for one in opened] == [order.id]


async def test_an_idempotency_key_is_for_one_wish(shop: Selling) -> None:
    order = await shop.buy(key="a")
    assert (await shop.buy(key="a")).id == order.id
    with pytest.raises(OrderDiffers):
        await shop.buy("premium-yearly", key="a")
    assert order.stripe_session_id is not None
    shop.stripe.pay(order.stripe_session_id)
    with pytest.raises(AlreadySubscribed):
        await shop.buy(key="a")
    with pytest.raises(OrderIsOver):
        await shop.buy(key="a")


async def test_what_is_not_for_sale(shop: Selling) -> None:
    cleo = shop.cleo.user.id
    with pytest.raises(PlanUnknown):
        await shop.buy("gold")
    with pytest.raises(PlanDoesNotFit):
        await shop.buy("channel-1")
    with pytest.raises(PlanDoesNotFit):
        await shop.buy(PREMIUM, cleo)
    for creator_id in (new_id(), (await shop.till.world.person("ben@example.com", "Ben")).user.id):
        with pytest.raises(ChannelNotForSale):
            await shop.buy("channel-1", creator_id)
    with pytest.raises(OwnChannel):
        await shop.buy("channel-1", cleo, who=shop.cleo)
    assert await shop.count("orders") == 0


async def test_nobody_holds_many_open_orders(shop: Selling) -> None:
    for number in range(MOST_OPEN):
        creator = await shop.till.world.person(f"c{number}@example.com", f"C{number}")
        await shop.till.world.accounts.grant(creator.user.email, "creator")
        await shop.buy("channel-1", creator.user.id)
    with pytest.raises(TooManyOrders) as refused:
        await shop.buy("channel-1", shop.cleo.user.id)
    assert refused.value.retry_after_ms


async def test_orders_are_their_buyers_own(shop: Selling) -> None:
    order = await shop.buy()
    with pytest.raises(OrderNotFound):
        await shop.orders.find(shop.cleo.user.id, order.id)
    with pytest.raises(OrderNotFound):
        await shop.orders.find(shop.ada.user.id, new_id())


async def test_while_stripe_is_away_an_order_stands_as_we_knew_it(shop: Selling) -> None:
    order = await shop.buy()
    shop.stripe.away = StripeUnavailable()
    assert (await shop.orders.find(shop.ada.user.id, order.id)).state == "open"


async def test_an_order_that_stripe_does_not_know_keeps_no_other_from_its_end(
    shop: Selling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "SWEPT", 1)
    odd, other = await shop.buy(), await shop.buy("channel-1", shop.cleo.user.id)
    shop.clock.offset += OPEN_FOR + LATE + SECOND
    assert odd.stripe_session_id is not None
    assert other.stripe_session_id is not None
    shop.stripe.change(other.stripe_session_id, status="expired", url=None)
    del shop.stripe.objects[odd.stripe_session_id]
    for _ in range(2):
        await shop.orders.sweep()
    assert [await shop.till.order_state(one) for one in (odd, other)] == ["open", "expired"]
