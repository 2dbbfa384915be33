"""Paid messages: looked at before the payment, told to the room once, paid back when they could not be shown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.clock import new_id
from infra.errors import FootlightError
from infra.metrics import Metrics
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments import paid_message_rows, returning
from payments.errors import AmountNotAllowed, OrderDiffers, PaidMessagesOff, StreamIsNotLive
from payments.events import MessagePaid, MessageWithdrawn
from payments.ledger.audit import Audit
from payments.model import Order
from realtime.entries import User
from realtime.errors import ChatBanned, TextInvalid
from realtime.moderation.bodies import Ban, Warn
from realtime.moderation.errors import ChatBlocked, ChatReadOnly, ChatWarned
from tests.payments.market import Market, open_market


@pytest.fixture
async def market(till_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(till_keys, db, redis) as market:
        yield market


async def paid(market: Market) -> Order:
    order = await market.say()
    return await market.pay(order)


async def test_a_message_is_told_to_the_room_when_it_is_paid_and_once(market: Market) -> None:
    order = await market.say("  For the tea!  ", 2500)
    assert ((await market.message(order)).state, order.kind) == ("draft", "paid_message")
    assert await market.told() == []
    await market.pay(order)
    await asyncio.gather(*(market.look(order) for _ in range(20)))
    message = await market.message(order)
    assert (message.state, message.text, message.on_top_seconds) == ("paid", "For the tea!", 120)
    [told] = await market.told()
    assert isinstance(told, MessagePaid)
    assert (told.order_id, told.text, told.amount_minor, told.user_name) == (order.id, "For the tea!", 2500, "Ada")


async def test_the_books_give_the_creator_her_part_without_the_tax(market: Market) -> None:
    await paid(market)
    [entry] = [one for one in await market.till.books() if one.kind == "payment"]
    amounts = {line.account.partition(":")[0]: line.amount_minor for line in entry.lines}
    assert amounts == {"stripe": 1200, "tax": -200, "creator": -800, "platform": -200}


async def refusal(market: Market, user: User, case: str) -> None:
    """Bring about why a message of Ada's is refused."""
    room, cleo = market.stream_id, market.cleo
    act = market.desk.moderation.act
    match case:
        case "banned":
            await act(cleo, cleo.id, Ban(stream_id=room, user_id=user.id))
        case "warned":
            await act(cleo, cleo.id, Warn(stream_id=room, user_id=user.id, reason="Mind the rules."))
        case "read-only":
            await market.settings(read_only=True)
        case "off":
            await market.settings(paid_messages="off")
        case "over":
            await market.end_stream()
        case "elsewhere":
            market.stream_id = new_id()
        case "blocked":
            await market.filter_word("tea", "refuse")


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("banned", ChatBanned), ("warned", ChatWarned), ("read-only", ChatReadOnly), ("off", PaidMessagesOff),
        ("over", StreamIsNotLive), ("elsewhere", StreamIsNotLive), ("blocked", ChatBlocked),
    ],
)  # fmt: skip
async def test_what_the_room_refuses_costs_nothing(market: Market, case: str, kind: type[Exception]) -> None:
    await refusal(market, market.ada, case)
    with pytest.raises(kind):
        await market.say()
    assert market.stripe.asked == []
    async with market.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 0


@pytest.mark.parametrize(("text", "amount", "kind"), [
    ("   ", 1000, TextInvalid), ("x" * 501, 1000, TextInvalid), ("a\u202eb", 1000, TextInvalid),
    ("tea", 199, AmountNotAllowed), ("tea", 50_001, AmountNotAllowed),
])  # fmt: skip
async def test_texts_and_amounts_have_bounds(market: Market, text: str, amount: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await market.say(text, amount)
    assert market.stripe.asked == []


async def test_modes_that_thin_out_a_loud_chat_do_not_bind_who_pays(market: Market) -> None:
    await market.settings(subscribers_only=True, emote_only=True, slow_seconds=120, followers_seconds=600)
    assert (await market.say()).state == "open"


async def test_asking_again_gets_the_same_order_and_a_crash_before_the_page_loses_nothing(market: Market) -> None:
    market.stripe.breaks_after = FootlightError()  # between the row and Stripe's answer
    with pytest.raises(FootlightError):
        await market.say(request_key="click")
    order = await market.say(request_key="click")
    assert (await market.say(request_key="click")).id == order.id
    with pytest.raises(OrderDiffers):
        await market.say("Something else", request_key="click")
    await market.pay(order)
    assert (await market.message(order)).state == "paid"


async def test_a_refund_withdraws_it_once(market: Market) -> None:
    order = await paid(market)
    await market.refund(order)
    await asyncio.gather(*(market.look(order) for _ in range(5)))
    assert ((await market.message(order)).state, (await market.order(order)).state) == ("withdrawn", "refunded")
    assert [type(one) for one in await market.told()] == [MessagePaid, MessageWithdrawn]
    assert (await Audit(market.db, Metrics()).check()).findings == []


async def test_a_dispute_withdraws_it_while_the_order_stays_paid_until_it_is_lost(market: Market) -> None:
    order = await paid(market)
    dispute = market.stripe.complain(market.payments[order.id])
    await market.look(order)
    assert ((await market.message(order)).state, (await market.order(order)).state) == ("withdrawn", "paid")
    market.stripe.change(dispute, status="lost")
    await market.look(order)
    assert (await market.order(order)).state == "refunded"
    assert [getattr(one, "reason", None) for one in await market.told()] == [None, "disputed"]


async def test_an_inquiry_of_a_bank_changes_nothing(market: Market) -> None:
    order = await paid(market)
    market.stripe.complain(market.payments[order.id], "warning_needs_response")
    await market.look(order)
    assert (await market.message(order)).state == "paid"


async def test_what_was_refunded_before_it_was_seen_paid_is_never_told(market: Market) -> None:
    order = await market.say()
    assert order.stripe_session_id is not None
    market.payments[order.id] = market.stripe.pay_once(order.stripe_session_id)
    await market.refund(order)
    assert (await market.message(order)).state == "withdrawn"
    assert await market.told() == []


async def test_what_was_denied_is_paid_back_once_however_often_a_worker_dies(market: Market) -> None:
    order = await paid(market)
    async with market.db.transaction() as connection:
        assert await paid_message_rows.refuse(connection, order.id, "denied", market.clock())
        assert not await paid_message_rows.refuse(connection, order.id, "banned", market.clock())
    market.stripe.breaks_after = FootlightError()  # after Stripe did it, before we heard
    await market.returning.sweep()
    assert (await market.message(order)).state == "denied"
    market.clock.offset += timedelta(minutes=1)
    await asyncio.gather(*(market.returning.sweep() for _ in range(5)))
    assert market.stripe.refunded(market.payments[order.id]) == 1200
    assert {one for one in market.stripe.asked if one.startswith("denied:")} == {f"denied:{order.id}"}
    assert ((await market.message(order)).state, (await market.order(order)).state) == ("withdrawn", "refunded")
    assert len(await market.told()) == 1  # it was never shown: there is nothing to take away
    [entry], _ = await market.paid_messages.of(market.ada.id, None, 10)
    assert (entry.message.order_id, entry.outcome) == (order.id, "denied")


async def test_a_refund_that_somebody_made_already_is_found(market: Market) -> None:
    order = await paid(market)
    async with market.db.transaction() as connection:
        await paid_message_rows.refuse(connection, order.id, "stream_over", market.clock())
    market.stripe.give_back(market.payments[order.id])
    await market.returning.sweep()
    assert (await market.message(order)).state == "withdrawn"
    assert market.stripe.refunded(market.payments[order.id]) == 1200


async def test_lists_show_creators_only_what_was_paid(market: Market) -> None:
    orders = [await market.say(f"Number {number}") for number in range(3)]
    await market.pay(orders[1])
    first, cursor = await market.paid_messages.of(market.ada.id, None, 2)
    rest, end = await market.paid_messages.of(market.ada.id, cursor, 2)
    assert [one.message.order_id for one in first + rest] == [one.id for one in reversed(orders)]
    assert end is None
    [of_channel], _ = await market.paid_messages.of_channel(market.cleo.id, None, 10)
    assert of_channel.message.order_id == orders[1].id


async def test_one_that_cannot_be_paid_back_does_not_keep_the_others_from_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returning, "SWEPT", 1)
    orders = [await paid(market), await paid(market)]
    async with market.db.transaction() as connection:
        for order in orders:
            await paid_message_rows.refuse(connection, order.id, "denied", market.clock())
    stuck = market.payments[orders[0].id]
    kept = market.stripe.objects.pop(stuck)  # Stripe does not know it
    for _ in range(2):
        await market.returning.sweep()
    assert [(await market.message(order)).state for order in orders] == ["denied", "withdrawn"]
    market.stripe.put(kept)
    market.clock.offset += timedelta(minutes=1)
    await market.returning.sweep()
    assert (await market.message(orders[0])).state == "withdrawn"
