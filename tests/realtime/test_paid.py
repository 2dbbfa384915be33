"""Paid messages in the room: exactly once, held, denied, paid back and taken away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.bus.port import Bus
from infra.metrics import Metrics
from infra.outbox import Relay
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.model import Order
from realtime.bought import follow_bought
from realtime.entries import User
from realtime.moderation.audit import Audit, LogFilter
from realtime.moderation.bodies import Ban, DeleteMessage, PinMessage, Undo
from realtime.moderation.errors import HeldGone, NothingToUndo
from realtime.moderation.record import follow_moderation
from realtime.paid import IN_TIME
from realtime.room.log_redis import key
from tests.payments.market import Market, desk_over, open_market
from tests.realtime.archives import eventually


@pytest.fixture(scope="session")
def market_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("market") / "keys"


@pytest.fixture
async def market(market_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(market_keys, db, redis) as market:
        yield market


async def paid(market: Market, text: str = "For the tea!", amount_minor: int = 1000) -> Order:
    return await market.pay(await market.say(text, amount_minor))


async def held(market: Market, text: str = "For the tea!") -> tuple[Order, str]:
    """A message that waits, and its id in the queue."""
    order = await paid(market, text)
    await market.deliver()
    [waits] = await market.desk.holding.list(market.stream_id)
    return order, waits.id


async def states(market: Market, order: Order) -> tuple[str, str]:
    return (await market.message(order)).state, (await market.order(order)).state


async def test_however_often_and_wherever_it_is_told_it_is_there_once(market: Market) -> None:
    others = [desk_over(market.db, market.till.world.redis, market.till.world.outbox) for _ in range(2)]
    orders = [await paid(market, f"Number {number}") for number in range(3)]
    await market.deliver(50, others)
    shown = await market.shown()
    assert sorted(one["id"] for one in shown) == sorted(order.id for order in orders)
    assert shown[0]["paid"] == {"amount_minor": 1000, "currency": "eur", "pin_seconds": 60}
    assert shown[0]["user"]["name"] == "Ada"
    assert {await states(market, order) for order in orders} == {("shown", "paid")}


async def test_days_later_when_the_room_has_forgotten_it_is_still_there_once(market: Market) -> None:
    order = await paid(market)
    await market.deliver()
    redis = market.till.world.redis
    await redis.delete(key(market.stream_id, f"sent:{market.ada.id}:{order.id}"))  # the room's own memory of ids
    market.clock.offset += timedelta(days=3)
    await market.deliver(5)
    await market.desk.paid_delivery.sweep()
    assert len(await market.shown()) == 1


async def test_a_crash_between_the_decision_and_the_room_is_healed(
    market: Market, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await paid(market)

    async def dies(*_: object) -> None: ...

    with monkeypatch.context() as dead:
        dead.setattr(type(market.desk.moderation.records), "_tell", dies)
        await market.deliver()
    assert await market.shown() == []
    assert (await market.message(order)).state == "shown"
    following = await follow_moderation(bus, market.desk.moderation.records)
    await Relay(market.db, bus, market.till.world.outbox, Metrics()).publish_batch()
    await eventually(market.shown)
    await market.deliver(3)
    assert len(await market.shown()) == 1
    await following.close()


async def test_the_bus_brings_it(market: Market, bus: Bus) -> None:
    desk = market.desk
    following = await follow_bought(bus, desk.paid_delivery, desk.paid, desk.gifts)
    order = await paid(market)
    await Relay(market.db, bus, market.till.world.outbox, Metrics()).publish_batch()
    await eventually(market.shown)
    assert [one["id"] for one in await market.shown()] == [order.id]
    await following.close()


async def test_a_sweep_brings_what_no_event_brought(market: Market) -> None:
    order = await paid(market)
    await market.desk.paid_delivery.sweep()
    assert await market.shown() == []  # somebody else is about to
    market.clock.offset += timedelta(seconds=11)
    await asyncio.gather(*(market.desk.paid_delivery.sweep() for _ in range(3)))
    assert [one["id"] for one in await market.shown()] == [order.id]


async def test_a_refund_removes_it_from_every_view(market: Market) -> None:
    order, other = await paid(market), await paid(market, "Stays")
    await market.deliver()
    before = [one["offset"] for one in await market.shown()]
    await market.refund(order)
    await market.deliver(10)
    assert [one["id"] for one in await market.shown()] == [other.id]
    assert [one["offset"] for one in await market.shown("removed")] == [min(before)]
    [removal] = await market.shown("moderation")
    assert (removal["action"], removal["message_id"], removal["target"]["id"]) == ("delete", order.id, market.ada.id)
    assert [mark for mark, _ in await market.log()][-1] == f"!m {market.ada.id} {order.id}"
    assert await states(market, order) == ("withdrawn", "refunded")


async def test_a_refund_that_overtakes_the_message_leaves_nothing_to_show(market: Market) -> None:
    order = await paid(market)
    await market.refund(order)
    await market.deliver(20)
    assert await market.log() == []


async def test_a_refund_takes_down_the_pin_too_and_nobody_undoes_it(market: Market) -> None:
    order = await paid(market)
    await market.deliver()
    act = market.desk.moderation.act
    pinned = PinMessage(stream_id=market.stream_id, user_id=market.ada.id, message_id=order.id, seconds=60)
    await act(market.cleo, market.cleo.id, pinned)
    await market.refund(order)
    await market.deliver()
    pins = [entry["pin"] for _, entry in await market.log() if entry["kind"] == "pin"]
    assert pins[-1] is None
    [row] = await market.stage.rows("SELECT id FROM moderation_log WHERE action = 'paid_withdrawn'")
    with pytest.raises(NothingToUndo):
        await act(market.cleo, market.cleo.id, Undo(stream_id=market.stream_id, action_id=str(row["id"])))


async def test_a_refund_holds_against_the_undo_of_an_earlier_removal(market: Market) -> None:
    order = await paid(market)
    await market.deliver()
    act = market.desk.moderation.act
    gone = DeleteMessage(stream_id=market.stream_id, user_id=market.ada.id, message_id=order.id)
    deleted = await act(market.cleo, market.cleo.id, gone)
    await market.refund(order)
    await market.deliver()
    await act(market.cleo, market.cleo.id, Undo(stream_id=market.stream_id, action_id=deleted.action_id or ""))
    assert await market.shown() == await market.shown("restored") == []


async def test_a_channel_may_look_at_them_first(market: Market) -> None:
    assert (await market.settings(paid_messages="held")).paid_messages == "held"
    order, held_id = await held(market)
    assert await market.shown() == []
    [waits] = await market.desk.holding.list(market.stream_id)
    assert waits.paid is not None
    assert (waits.paid.amount_minor, waits.text) == (1000, "For the tea!")
    await market.deliver(10)
    assert len(await market.desk.holding.list(market.stream_id)) == 1
    await market.desk.holding.approve(market.stream_id, market.cleo, held_id)
    await market.deliver(10)
    [shown] = await market.shown()
    assert (shown["id"], shown["paid"]["pin_seconds"]) == (order.id, 60)
    assert await states(market, order) == ("shown", "paid")


async def test_what_a_moderator_denies_is_paid_back_once_and_never_shown(market: Market) -> None:
    await market.settings(paid_messages="held")
    order, held_id = await held(market)
    await market.desk.holding.deny(market.stream_id, market.cleo, held_id, "no")
    with pytest.raises(HeldGone):
        await market.desk.holding.approve(market.stream_id, market.cleo, held_id)
    assert await states(market, order) == ("denied", "paid")
    for _ in range(3):
        await market.returning.sweep()
        await market.deliver(5)
    assert await states(market, order) == ("withdrawn", "refunded")
    assert market.stripe.refunded(market.payments[order.id]) == 1200
    assert await market.shown() == await market.shown("moderation") == []
    assert (await market.order(order)).details["outcome"] == "denied"


async def test_the_filters_may_want_a_moderator_to_see_it(market: Market) -> None:
    await market.filter_word("tea", "hold")
    await held(market)
    [waits] = await market.desk.holding.list(market.stream_id)
    assert waits.findings
    assert await market.shown() == []


async def test_a_word_that_was_forbidden_while_the_card_was_typed_is_looked_at(market: Market) -> None:
    order = await market.say()
    await market.filter_word("tea", "refuse")
    await market.pay(order)
    await market.deliver()
    assert [one.text for one in await market.desk.holding.list(market.stream_id)] == ["For the tea!"]
    assert (await market.message(order)).state == "held"


async def test_what_was_refunded_while_it_waited_cannot_be_let_through(market: Market) -> None:
    await market.settings(paid_messages="held")
    order, held_id = await held(market)
    await market.refund(order)
    with pytest.raises(HeldGone):
        await market.desk.holding.approve(market.stream_id, market.cleo, held_id)
    assert await market.shown() == []
    assert await states(market, order) == ("withdrawn", "refunded")


async def banned(market: Market, user: User) -> None:
    await market.desk.moderation.act(market.cleo, market.cleo.id, Ban(stream_id=market.stream_id, user_id=user.id))


@pytest.mark.parametrize("mode", ["open", "held"])
async def test_who_is_banned_before_it_is_shown_gets_the_money_back(market: Market, mode: str) -> None:
    if mode == "held":
        await market.settings(paid_messages="held")
    order = await paid(market)
    await banned(market, market.ada)
    await market.deliver(3)
    assert await states(market, order) == ("denied", "paid")
    assert (await market.order(order)).details["outcome"] == "banned"
    await market.returning.sweep()
    assert await states(market, order) == ("withdrawn", "refunded")
    assert await market.shown() == []


@pytest.mark.parametrize("waits", [False, True])
async def test_a_stream_that_is_over_by_then_pays_it_back(market: Market, waits: bool) -> None:
    if waits:
        await market.settings(paid_messages="held")
        order, _ = await held(market)
    else:
        order = await paid(market)
    await market.end_stream()
    await market.deliver()
    market.clock.offset += timedelta(seconds=11)
    await market.desk.paid_delivery.sweep()
    assert (await market.order(order)).details["outcome"] == "stream_over"
    await market.returning.sweep()
    assert await states(market, order) == ("withdrawn", "refunded")


async def test_what_nobody_decided_in_time_is_paid_back(market: Market) -> None:
    await market.settings(paid_messages="held")
    order, held_id = await held(market)
    market.clock.offset += IN_TIME
    await market.desk.paid_delivery.sweep()
    assert (await market.order(order)).details["outcome"] == "not_in_time"
    with pytest.raises(HeldGone):
        await market.desk.holding.approve(market.stream_id, market.cleo, held_id)
    await market.returning.sweep()
    assert await states(market, order) == ("withdrawn", "refunded")
    assert await market.shown() == []


async def test_a_queue_that_was_lost_is_filled_again(market: Market, redis_settings: RedisSettings) -> None:
    await market.settings(paid_messages="held")
    order, _ = await held(market)
    redis = market.till.world.redis
    for part in ("held", "held-order", "held-done", "held-authors"):
        await redis.delete(key(market.stream_id, part))
    await market.desk.paid_delivery.sweep()
    [again] = await market.desk.holding.list(market.stream_id)
    await market.desk.holding.approve(market.stream_id, market.cleo, again.id)
    assert [one["id"] for one in await market.shown()] == [order.id]


async def test_the_figures_of_moderators_leave_out_what_was_bought(market: Market) -> None:
    await paid(market)
    await market.deliver()
    figures = await Audit(market.db).figures(market.identity(market.cleo, role="creator"), market.cleo.id, LogFilter())
    assert figures == []
