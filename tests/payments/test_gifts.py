"""Gifts: paid once, given once, to the right people, for the right time, and back again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.clock import new_id
from infra.errors import FootlightError, Invalid
from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments import giving, repository
from payments.entitlements import Rights
from payments.errors import (
    CannotBeGiven,
    ChannelNotForSale,
    NameNotUnique,
    OrderDiffers,
    OwnChannel,
    PlanDoesNotFit,
    PlanUnknown,
    RecipientUnknown,
    StreamIsNotLive,
    TooManyOrders,
)
from payments.giving import WAITS_FOR
from payments.ledger.audit import Audit
from payments.model import Right, channel_scope
from payments.orders import MOST_OPEN
from payments.rights import months_after
from realtime.entries import User
from realtime.moderation.bodies import Timeout
from tests.payments.market import Market, open_market

DAY = timedelta(days=1)


@pytest.fixture
async def market(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(till_keys, db, redis) as market:
        yield market


async def test_a_gift_to_a_person_is_theirs_when_it_is_paid(market: Market) -> None:
    [bea] = await market.people("Bea")
    order = await market.give(recipient_id=bea.id, months=2, plan_id="channel-2")
    assert (order.state, order.amount_minor, order.quantity) == ("open", 1998, 1)
    assert await market.channels_of(bea) == {}
    assert (await market.pay(order)).state == "paid"
    [gift] = await market.gifts_of(order)
    assert (gift.state, gift.recipient_id, gift.giver_id) == ("taken", bea.id, market.ada.id)
    assert gift.starts_at is not None
    assert gift.until == months_after(gift.starts_at, 2)
    assert await market.channels_of(bea) == {market.cleo.id: 2}
    [told] = await market.told()
    assert (told.order_id, told.count, [one.name for one in told.recipients]) == (order.id, 1, ["Bea"])


async def test_whatever_is_told_however_often_it_is_given_once(market: Market) -> None:
    [bea] = await market.people("Bea")
    order = await market.give(recipient_name="bea")
    await market.pay(order)
    await asyncio.gather(*(market.look(order) for _ in range(20)))
    assert order.stripe_session_id is not None
    await asyncio.gather(*(market.till.sync.look("checkout", order.stripe_session_id) for _ in range(20)))
    assert len(await market.gifts_of(order)) == 1
    assert len(await market.told()) == 1
    async with market.db.connection() as connection:
        assert len(await market.till.rights.of(connection, bea.id)) == 1


async def test_what_fails_in_between_leaves_nothing_and_is_done_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.come(*await market.people("Bea", "Dora"))
    order = await market.give(stream_id=market.stream_id, quantity=2)
    assert order.stripe_session_id is not None
    market.payments[order.id] = market.stripe.pay_once(order.stripe_session_id)

    async def dies(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(Rights, "_write", dies)
        with pytest.raises(RuntimeError):
            await market.look(order)
    assert await market.gifts_of(order) == []
    assert await market.told() == []
    await market.look(order)
    assert [one.state for one in await market.gifts_of(order)] == ["taken", "taken"]
    assert len(await market.told()) == 1


async def test_a_room_s_gifts_go_to_those_who_can_use_them(market: Market) -> None:
    bea, dora, emil, finn, gina = await market.people("Bea", "Dora", "Emil", "Finn", "Gina")
    for user, column in ((dora, f"channels = '{{\"{market.cleo.id}\": 1}}'"), (emil, "paid_tier = 'premium'")):
        tier = ", subscription_tier = 'premium'" if user is emil else ""
        await market.stage.rows(f"UPDATE users SET {column}{tier} WHERE id = $1", user.id)  # noqa: S608
    await market.desk.moderation.act(
        market.cleo, market.cleo.id, Timeout(stream_id=market.stream_id, user_id=finn.id, seconds=600)
    )
    await market.come(bea, dora, emil, finn, gina, market.ada, market.cleo)
    order = await market.give(stream_id=market.stream_id, quantity=5)
    await market.pay(order)
    gifts = await market.gifts_of(order)
    assert {one.recipient_id for one in gifts if one.state == "taken"} == {bea.id, gina.id}
    assert [one.state for one in gifts] == ["taken", "taken", "waiting", "waiting", "waiting"]


async def test_what_waits_goes_to_who_comes_next_also_to_a_later_stream(market: Market) -> None:
    bea, dora, emil = await market.people("Bea", "Dora", "Emil")
    order = await market.give(stream_id=market.stream_id, quantity=3)
    await market.pay(order)
    assert [one.state for one in await market.gifts_of(order)] == ["waiting"] * 3
    await market.come(bea)
    await asyncio.gather(*(market.giving.sweep() for _ in range(4)))
    assert [one.recipient_id for one in await market.gifts_of(order)] == [bea.id, None, None]
    await market.end_stream()
    await market.giving.sweep()
    await market.begin_stream()
    await market.come(dora, emil)
    await market.giving.sweep()
    assert {one.recipient_id for one in await market.gifts_of(order)} == {bea.id, dora.id, emil.id}
    for user in (bea, dora, emil):
        assert await market.channels_of(user) == {market.cleo.id: 1}
    assert len(await market.told()) == 1


async def test_two_givers_at_once_choose_different_people(market: Market) -> None:
    room = await market.people(*(f"Viewer {number}" for number in range(6)))
    [otto] = await market.people("Otto")
    await market.come(*room)
    orders = [await market.give(giver, stream_id=market.stream_id, quantity=3) for giver in (market.ada, otto)]
    await asyncio.gather(*(market.pay(order) for order in orders))
    who = [one.recipient_id for order in orders for one in await market.gifts_of(order)]
    assert sorted(filter(None, who)) == sorted(user.id for user in room)


async def test_a_room_that_does_not_answer_keeps_no_payment_from_being_booked(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> list[str]:
        raise FootlightError

    monkeypatch.setattr(market.desk.people, "present", away)
    order = await market.give(stream_id=market.stream_id, quantity=2)
    assert (await market.pay(order)).state == "paid"
    assert [one.state for one in await market.gifts_of(order)] == ["waiting", "waiting"]


async def test_who_has_it_already_gets_it_added(market: Market) -> None:
    [bea] = await market.people("Bea")
    now = market.clock()
    paid_until = now + 10 * DAY
    async with market.db.transaction() as connection:
        await market.till.rights.put(
            connection,
            Right(
                user_id=bea.id, scope=channel_scope(market.cleo.id), source="subscription:s1", level=1, starts_at=now,
                until=paid_until,
            ),
        )  # fmt: skip
    for _ in range(2):
        await market.pay(await market.give(recipient_id=bea.id))
    received, following = await market.gifts.received(bea.id, None, 10)
    assert following is None
    month = months_after(paid_until, 1) - paid_until
    times = sorted((one.starts_at, one.until) for one in received if one.starts_at and one.until)
    assert times == [(paid_until, paid_until + month), (paid_until + month, paid_until + 2 * month)]


async def test_a_refund_takes_the_gifts_back(market: Market) -> None:
    bea, dora = await market.people("Bea", "Dora")
    await market.come(bea, dora)
    order = await market.give(stream_id=market.stream_id, quantity=3)
    await market.pay(order)
    await market.refund(order)
    await market.look(order)
    assert (await market.order(order)).state == "refunded"
    assert [one.state for one in await market.gifts_of(order)] == ["withdrawn"] * 3
    assert await market.channels_of(bea) == await market.channels_of(dora) == {}
    assert [type(event).__name__ for event in await market.told()] == ["GiftGiven", "GiftWithdrawn"]
    await market.giving.sweep()
    assert await market.channels_of(bea) == {}
    assert (await Audit(market.db, Metrics()).check()).findings == []


async def test_a_refund_that_is_seen_before_the_payment_gives_nothing(market: Market) -> None:
    [bea] = await market.people("Bea")
    order = await market.give(recipient_id=bea.id)
    assert order.stripe_session_id is not None
    market.payments[order.id] = market.stripe.pay_once(order.stripe_session_id)
    await market.refund(order)
    assert await market.gifts_of(order) == []
    assert await market.channels_of(bea) == {}
    assert await market.told() == []


async def test_what_nobody_took_is_paid_back_once(market: Market) -> None:
    [bea] = await market.people("Bea")
    await market.come(bea)
    order = await market.give(stream_id=market.stream_id, quantity=3)
    await market.pay(order)
    market.clock.offset += WAITS_FOR
    await market.giving.sweep()
    market.stripe.breaks_after = FootlightError()  # the answer is lost
    for _ in range(3):
        await market.returning.sweep()
        market.clock.offset += timedelta(minutes=1)
    payment = market.payments[order.id]
    assert market.stripe.refunded(payment) == 2 * 499 * 120 // 100
    assert (await market.order(order)).state == "paid"
    assert sorted(one.state for one in await market.gifts_of(order)) == ["taken", "withdrawn", "withdrawn"]


async def test_asking_again_gets_the_same_order(market: Market) -> None:
    [bea] = await market.people("Bea")
    first = await market.give(recipient_id=bea.id, request_key="click")
    again = await market.give(recipient_id=bea.id, request_key="click")
    assert (again.id, again.checkout_url) == (first.id, first.checkout_url)
    with pytest.raises(OrderDiffers):
        await market.give(recipient_id=bea.id, months=2, request_key="click")


async def test_nobody_opens_more_orders_than_they_may(market: Market) -> None:
    [bea] = await market.people("Bea")
    for _ in range(MOST_OPEN):
        await market.give(recipient_id=bea.id)
    with pytest.raises(TooManyOrders):
        await market.give(recipient_id=bea.id)


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        pytest.param({"plan_id": "gold"}, PlanUnknown, id="no such plan"),
        pytest.param({"plan_id": "premium-yearly", "creator_id": None}, PlanDoesNotFit, id="a year"),
        pytest.param({"plan_id": "premium-monthly"}, PlanDoesNotFit, id="premium of a channel"),
        pytest.param({"creator_id": None}, PlanDoesNotFit, id="a channel's without one"),
        pytest.param({"recipient_name": "Nobody"}, RecipientUnknown, id="nobody"),
        pytest.param({"recipient_name": "twin"}, NameNotUnique, id="two of them"),
        pytest.param({"recipient_name": "Ada"}, CannotBeGiven, id="to oneself"),
        pytest.param({"recipient_name": "Cleo"}, CannotBeGiven, id="her own channel"),
        pytest.param({"recipient_name": "Bea", "quantity": 2}, Invalid, id="many for one"),
        pytest.param({"recipient_name": "Bea", "months": 13}, Invalid, id="too long"),
        pytest.param({"recipient_name": "Bea", "months": 0}, Invalid, id="for no time"),
        pytest.param({}, Invalid, id="for nobody"),
        pytest.param({"stream_id": "live", "quantity": 101}, Invalid, id="too many"),
        pytest.param({"stream_id": "other"}, StreamIsNotLive, id="no such stream"),
        pytest.param({"stream_id": "live", "creator_id": "bea"}, ChannelNotForSale, id="another channel's room"),
    ],
)
async def test_what_cannot_be_given_is_refused_before_a_card_is_asked_for(
    market: Market, wanted: dict[str, Any], refusal: type[Exception]
) -> None:
    bea, *_ = await market.people("Bea", "Twin", "TWIN")
    meant = {"live": market.stream_id, "other": new_id(), "bea": bea.id}
    with pytest.raises(refusal):
        await market.give(**{name: meant.get(value, value) for name, value in wanted.items()})
    assert market.stripe.asked == []


async def test_a_creator_gives_nothing_of_their_own_channel(market: Market) -> None:
    [bea] = await market.people("Bea")
    giver: User = market.cleo
    with pytest.raises(OwnChannel):
        await market.give(giver, recipient_id=bea.id)


async def test_lists_go_on_where_they_ended(market: Market) -> None:
    room = await market.people(*(f"Viewer {number}" for number in range(5)))
    await market.come(*room)
    order = await market.give(stream_id=market.stream_id, quantity=5)
    await market.pay(order)
    first, cursor = await market.gifts.given(market.ada.id, None, 3)
    rest, end = await market.gifts.given(market.ada.id, cursor, 3)
    assert end is None
    assert {one.id for one in first + rest} == {one.id for one in await market.gifts_of(order)}
    of_channel, _ = await market.gifts.of_channel(market.cleo.id, None, 10)
    assert len(of_channel) == 5


@pytest.mark.parametrize(("before", "left"), [(100, 1197), (1000, 796), (None, 0)])
async def test_of_what_nobody_took_no_more_is_paid_back_than_is_left(
    market: Market, before: int | None, left: int
) -> None:
    order = await market.give(stream_id=market.stream_id, quantity=3)
    await market.pay(order)
    payment = market.payments[order.id]
    market.clock.offset += WAITS_FOR
    async with market.db.transaction() as connection:
        await repository.note_on_order(connection, order.id, {"lapsed": 2})
    market.stripe.give_back(payment, before)
    for _ in range(2):
        await market.returning.sweep()
        market.clock.offset += timedelta(minutes=1)
    assert market.stripe.refunded(payment) == (before or 1796) + left
    async with market.db.connection() as connection:
        assert await repository.orders_to_return(connection, 10) == []


async def test_gifts_that_nobody_can_take_do_not_keep_others_waiting(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "SWEPT", 1)
    [bea] = await market.people("Bea")
    own, others = [await market.give(giver, stream_id=market.stream_id) for giver in (bea, market.ada)]
    for order in (own, others):
        await market.pay(order)
    await market.come(bea)
    for _ in range(2):
        await market.giving.sweep()
    assert [one.recipient_id for order in (own, others) for one in await market.gifts_of(order)] == [None, bea.id]


async def test_people_are_locked_in_one_order_when_gifts_are_taken_back(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who locks them one by one in another order waits for others for ever."""
    await market.come(*await market.people("Bea", "Cid", "Dan", "Eve", "Fay"))
    order = await market.give(stream_id=market.stream_id, quantity=5)
    await market.pay(order)
    held: list[str] = []
    people = market.till.world.accounts
    hold = people.hold

    async def noted(connection: Any, user_id: str) -> bool:
        held.append(user_id)
        return await hold(connection, user_id)

    monkeypatch.setattr(people, "hold", noted)
    await market.refund(order)
    assert (len(held), held) == (5, sorted(held))
