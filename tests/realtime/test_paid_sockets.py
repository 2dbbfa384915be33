"""Paid messages as people at two nodes see them: at once, on top for who comes later, held, and gone."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from infra.bus.port import Bus
from infra.clock import milliseconds, new_id, system_clock
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments import paid_message_rows, repository
from payments.events import MessageWithdrawn
from payments.model import Order, PaidMessage
from realtime.client import RoomClient
from realtime.entries import Message, Paid, User
from realtime.room.log import FRESH_ENTRIES, Draft, Line
from realtime.room.on_top import OnTop
from tests.realtime.moderated import Channel, moderated


@pytest.fixture
async def channel(db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[Channel]:
    async with moderated(db, redis, redis_settings, bus) as channel:
        yield channel


async def paid(channel: Channel, user: User, text: str, on_top_seconds: int = 60) -> str:
    """A message whose money is there; its order."""
    now, order_id = system_clock(), new_id()
    order = Order(
        id=order_id, user_id=user.id, kind="paid_message", plan_id=None, creator_id=channel.cleo.id,
        stream_id=channel.stream_id, quantity=1, amount_minor=1000, currency="eur", state="open",
        details={"text": text}, created_at=now, expires_at=now,
    )  # fmt: skip
    message = PaidMessage(
        order_id=order_id, stream_id=channel.stream_id, channel_id=channel.cleo.id, user_id=user.id, text=text,
        amount_minor=1000, currency="eur", on_top_seconds=on_top_seconds, state="draft", created_at=now,
    )  # fmt: skip
    async with channel.stage.db.transaction() as connection:
        await repository.insert_order(connection, order)
        await paid_message_rows.insert(connection, message)
        await repository.close_order(connection, order_id, "paid", now)
        await paid_message_rows.move(connection, order_id, "paid", since=("draft",), paid_at=now)
    return order_id


async def withdraw(channel: Channel, user: User, order_id: str) -> None:
    await channel.desks[1].paid.withdraw(
        MessageWithdrawn(
            at=system_clock(), order_id=order_id, stream_id=channel.stream_id, channel_id=channel.cleo.id,
            user_id=user.id, reason="refunded",
        )
    )  # fmt: skip


def heard(client: RoomClient) -> list[dict[str, Any]]:
    """What an author was told of held messages."""
    return [body for name, body in client.told if name == "chat:held"]


async def chatter(channel: Channel, lines: int) -> None:
    for number in range(lines):
        name = f"m{number}"
        body = {"kind": "message", "stream_id": channel.stream_id, "id": name, "at": 1, "text": "hello",
                "user": {"id": "bot", "name": "Bot", "role": "viewer"}}  # fmt: skip
        await channel.log.append(channel.stream_id, Draft("bot", name, msgspec.json.encode(body), rate_count=1_000_000))


async def test_a_paid_message_is_on_every_screen_and_on_top_for_who_comes_later(channel: Channel) -> None:
    ada = await channel.stage.person("Ada")
    async with channel.client(await channel.stage.person("Bea"), node=1) as bea:
        view = bea.views[channel.stream_id]
        order_id = await paid(channel, ada, "For the tea!")
        await channel.desks[0].paid_delivery.offer(order_id)
        await bea.until(lambda: view.entries)
        assert view.entries[-1]["paid"] == {"amount_minor": 1000, "currency": "eur", "pin_seconds": 60}
        await chatter(channel, FRESH_ENTRIES + 10)
        await bea.until(lambda: len(view.entries) > FRESH_ENTRIES + 10)
        async with channel.client(None, node=1) as late:
            answer = late.views[channel.stream_id].answer
            assert order_id not in [entry.get("id") for entry in answer["entries"]]
            assert [entry["id"] for entry in answer["on_top"]] == [order_id]
        await withdraw(channel, ada, order_id)
        await bea.until(lambda: view.entries[-1]["kind"] == "moderation")
        assert order_id not in {line["id"] for line in view.seen.lines.values()}
        async with channel.client(None, node=1) as later:
            assert later.views[channel.stream_id].answer["on_top"] == []


async def test_a_moderator_sees_what_was_paid_and_the_author_what_becomes_of_it(channel: Channel) -> None:
    ada = await channel.stage.person("Ada")
    async with channel.client(channel.max, node=1) as desk, channel.client(ada) as author:
        await channel.act(desk, "mod:settings", paid_messages="held")
        order_id = await paid(channel, ada, "For the tea!")
        await channel.desks[0].paid_delivery.offer(order_id)
        await author.until(lambda: heard(author))
        [held] = await channel.desks[1].holding.list(channel.stream_id)
        assert held.paid is not None
        await channel.act(desk, "mod:deny", held_id=held.id, reason="no")
        await author.until(lambda: len(heard(author)) == 2)
        assert [one["status"] for one in heard(author)] == ["held", "denied"]
        async with channel.stage.db.connection() as connection:
            found = await paid_message_rows.find(connection, order_id)
        assert found is not None
        assert found.state == "denied"


# --- on top, without a room


def line_of(offset: int, at: int, seconds: int, text: str = "tea", **more: Any) -> Line:
    paid = Paid(amount_minor=1000, currency="eur", pin_seconds=seconds)
    user = User(id="ada", name="Ada", role="viewer")
    message = Message(
        offset=offset, stream_id="s", id=f"m{offset}", at=at, user=user, text=text, **{"paid": paid, **more}
    )
    return Line(offset, msgspec.json.encode(message), f"ada m{offset}".encode())


def test_only_what_is_paid_and_not_over_is_on_top() -> None:
    now, on_top = milliseconds(system_clock()), OnTop()
    lines = [
        line_of(1, now, 60),
        line_of(2, now, 60, paid=None, text='"paid":{"pin_seconds":600}'),
        line_of(3, now - 60_000, 60),
        line_of(4, now, 0),
        line_of(5, now, 600),
    ]
    on_top.begin(lines)
    assert [line.offset for line in on_top.now(now, lambda line: line)] == [1, 5]
    assert [line.offset for line in on_top.now(now, lambda line: line, up_to=4)] == [1]
    assert [line.offset for line in on_top.now(now + 60_000, lambda line: line)] == [5]
    gone = Line(5, b"{}")
    assert on_top.now(now + 60_000, lambda _: gone) == []
