"""What rooms are told of gifts: once, with who got them, and not any more when the money went back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.moderation.bodies import Ban, DeleteMessage
from tests.payments.market import Market, desk_over, open_market


@pytest.fixture(scope="session")
def market_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gifts") / "keys"


@pytest.fixture
async def market(market_keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    async with open_market(market_keys, db, redis) as market:
        yield market


async def test_a_room_is_told_once_however_often_it_is_delivered(market: Market) -> None:
    others = [desk_over(market.db, market.till.world.redis, market.till.world.outbox)]
    room = await market.people(*(f"Viewer {number}" for number in range(7)))
    await market.come(*room)
    order = await market.pay(await market.give(stream_id=market.stream_id, quantity=7, plan_id="channel-2"))
    await market.deliver(50, others)
    [gift] = await market.shown("gift")
    assert (gift["id"], gift["user"]["name"], gift["count"], gift["level"], gift["months"]) == (
        order.id,
        "Ada",
        7,
        2,
        1,
    )
    assert gift["text"] == "gave 7 tier 2 subscriptions to this room."
    assert len(gift["recipients"]) == 5
    assert {one["name"] for one in gift["recipients"]} <= {user.name for user in room}


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"recipient_name": "Bea"}, "gave a tier 1 subscription to Bea."),
        ({"recipient_name": "Bea", "months": 3}, "gave a tier 1 subscription for 3 months to Bea."),
        ({"plan_id": "premium-monthly", "creator_id": None}, "gave a premium subscription to this room."),
        ({"quantity": 2}, "gave 2 tier 1 subscriptions to this room."),
    ],
)
async def test_it_says_what_was_given(market: Market, wanted: dict[str, Any], text: str) -> None:
    await market.people("Bea")
    await market.pay(await market.give(stream_id=market.stream_id, **wanted))
    await market.deliver()
    [gift] = await market.shown("gift")
    assert gift["text"] == text
    assert gift["level"] == (0 if "premium" in text else 1)


async def test_a_gift_between_two_people_is_nobody_else_s_business(market: Market) -> None:
    await market.people("Bea")
    await market.pay(await market.give(recipient_name="Bea"))
    await market.deliver()
    assert await market.log() == []


async def test_a_refund_takes_it_out_of_every_view_once(market: Market) -> None:
    order = await market.pay(await market.give(stream_id=market.stream_id))
    await market.deliver()
    await market.refund(order)
    await market.deliver(20)
    assert await market.shown("gift") == []
    assert len(await market.shown("removed")) == len(await market.shown("moderation")) == 1


async def test_a_refund_that_overtakes_it_leaves_nothing_to_tell(market: Market) -> None:
    order = await market.pay(await market.give(stream_id=market.stream_id))
    await market.refund(order)
    await market.deliver(5)
    assert await market.log() == []


async def test_a_moderator_may_delete_it_like_a_message(market: Market) -> None:
    order = await market.pay(await market.give(stream_id=market.stream_id))
    await market.deliver()
    gone = DeleteMessage(stream_id=market.stream_id, user_id=market.ada.id, message_id=order.id)
    await market.desk.moderation.act(market.cleo, market.cleo.id, gone)
    assert await market.shown("gift") == []


@pytest.mark.parametrize("case", ["over", "banned"])
async def test_a_room_that_is_over_or_has_silenced_the_giver_is_not_told(market: Market, case: str) -> None:
    order = await market.pay(await market.give(stream_id=market.stream_id))
    if case == "over":
        await market.end_stream()
    else:
        ban = Ban(stream_id=market.stream_id, user_id=market.ada.id)
        await market.desk.moderation.act(market.cleo, market.cleo.id, ban)
    await market.deliver()
    assert await market.shown("gift") == []
    assert (await market.order(order)).state == "paid"
