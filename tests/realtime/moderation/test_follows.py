"""Following, and the bus that heals rooms."""

import asyncio
from collections.abc import Sequence

import pytest

from infra.bus.port import Handler, Message, Retry, Subscription
from infra.clock import milliseconds, new_id
from realtime.entries import User
from realtime.moderation.bodies import Ban
from realtime.moderation.errors import AlreadySo, ChannelNotFound, RestrictedHere, UnknownUser
from realtime.moderation.events import ChannelModerated
from realtime.moderation.follows import Follows
from realtime.moderation.record import follow_moderation
from tests.realtime.moderation.stage import Stage


async def test_who_follows_does_since_the_first_time(stage: Stage, cleo: User, ada: User) -> None:
    follows = Follows(stage.db, stage.outbox, clock=stage.clock)
    began = milliseconds(stage.clock())
    assert await follows.since(cleo.id, ada.id) is None
    answers = await asyncio.gather(*[follows.follow(cleo.id, ada.id) for _ in range(5)])
    stage.clock.move(60)
    assert {*answers, await follows.follow(cleo.id, ada.id), await follows.since(cleo.id, ada.id)} == {began}
    assert len(await stage.told("channel.followed")) == 1
    await follows.unfollow(cleo.id, ada.id)
    await follows.unfollow("nobody", ada.id)
    assert await follows.since(cleo.id, ada.id) is None
    assert await follows.since("nobody", ada.id) is None
    assert len(await stage.told("channel.unfollowed")) == 1


async def test_who_may_not_follow(stage: Stage, cleo: User, ada: User) -> None:
    follows = Follows(stage.db, stage.outbox, clock=stage.clock)
    with pytest.raises(AlreadySo):
        await follows.follow(cleo.id, cleo.id)
    with pytest.raises(ChannelNotFound):
        await follows.follow(new_id(), ada.id)
    with pytest.raises(UnknownUser):
        await follows.follow(cleo.id, new_id())
    await stage.act(cleo, cleo, Ban(stream_id="", user_id=ada.id))
    with pytest.raises(RestrictedHere):
        await follows.follow(cleo.id, ada.id)


class OneGroup:
    """The part of a bus that is asked here: it hands over what the test gives it."""

    def __init__(self) -> None:
        self.asked: tuple[str, Sequence[str]] = ("", [])
        self.handle: Handler | None = None

    async def subscribe(
        self, group: str, topics: Sequence[str], handle: Handler, *, retry: Retry = Retry()
    ) -> Subscription:
        self.asked, self.handle = (group, topics), handle
        return self

    async def close(self) -> None:
        self.handle = None


async def test_a_room_that_was_left_behind_is_healed_by_the_event(
    stage: Stage, cleo: User, ada: User, room: str
) -> None:
    stage.rooms.away = True
    await stage.act(cleo, cleo, Ban(stream_id=room, user_id=ada.id))
    stage.rooms.away = False
    bus = OneGroup()
    await follow_moderation(bus, stage.records)  # type: ignore[arg-type]  # only `subscribe` is asked of it
    assert bus.asked == ("moderation", ["channel.moderated"])
    assert bus.handle is not None
    [row] = await stage.rows("SELECT body FROM outbox WHERE topic = 'channel.moderated'")
    await bus.handle(Message(new_id(), ChannelModerated.topic, row["body"], stage.clock()))
    assert ada.id in stage.rooms.of(room).sanctions
