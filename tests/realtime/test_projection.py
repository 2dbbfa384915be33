"""Rooms take in what their channel decided: each change once and in order, whatever dies in between."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from infra.bus.port import Bus
from infra.errors import Unavailable
from infra.metrics import Metrics
from infra.outbox import Outbox, Relay
from infra.stores.redis import Redis
from realtime.entries import User
from realtime.moderation.actions import Moderation
from realtime.moderation.bodies import Ban, ChangeSettings, MakeVip, Ruling, Unban
from realtime.moderation.record import Records, follow_moderation
from realtime.room.log import Applied, Behind
from realtime.room.log_redis import RedisRoomLog, key, room_functions
from realtime.room.projection import Projection
from realtime.room.rules import Change, Rules
from realtime.room.stored import RULE_KEYS
from tests.realtime.archives import eventually
from tests.realtime.moderation.conftest import ada, cleo, room, stage
from tests.realtime.moderation.stage import SaidMessages, Stage

__all__ = ["ada", "cleo", "room", "stage"]


class Away:
    """Rooms whose shard does not answer, and a desk that nobody hears."""

    async def warm(self, stream_id: str, channel_id: str) -> int:
        raise Unavailable

    async def catch_up(self, stream_id: str, channel_id: str) -> int:
        raise Unavailable

    async def acted(self, stream_id: str, ruling: Ruling) -> None: ...


class World:
    """One room; `decide` is a node that dies between the commit and Redis."""

    def __init__(self, redis: Redis, stage: Stage, channel: User, room: str) -> None:
        self.redis, self.stage, self.channel, self.room = redis, stage, channel, room
        self.outbox = Outbox()
        self.dying = self._moderation(Away())
        self.alive = self._moderation(self.projection())

    def log(self) -> RedisRoomLog:
        async def cold(_: str) -> Rules:
            return await self.stage.truth.rules(self.channel.id)

        return RedisRoomLog(room_functions(self.redis), cold=cold)

    def projection(self) -> Projection:
        return Projection(self.log(), self.stage.truth)

    def _moderation(self, rooms: Any) -> Moderation:
        return Moderation(
            self.stage.db, self.outbox, rooms=rooms, feed=Away(), messages=SaidMessages(), clock=self.stage.clock
        )

    async def decide(self, user: User) -> None:
        """Four changes that the room does not hear of."""
        commands: Sequence[Any] = (
            ChangeSettings(stream_id=self.room, slow_seconds=30),
            Ban(stream_id=self.room, user_id=user.id),
            Unban(stream_id=self.room, user_id=user.id),
            MakeVip(stream_id=self.room, user_id=user.id),
        )
        for command in commands:
            await self.dying.act(self.channel, self.channel.id, command)

    async def catch_up(self, projection: Projection) -> int:
        return await projection.catch_up(self.room, self.channel.id)

    async def marks(self) -> list[str]:
        return [line.mark.decode() for line in await self.log().tail(self.room, 100)]

    async def holds(self, user: User) -> None:
        """The room is where its channel is, and has an entry of each change."""
        assert (await self.log().known(self.room)).rules == await self.stage.truth.rules(self.channel.id)
        assert await self.marks() == ["!", f"!u {user.id}", "!", "!"]


@pytest.fixture
async def world(redis: Redis, stage: Stage, cleo: User, room: str) -> World:
    world = World(redis, stage, cleo, room)
    await world.projection().warm(room, cleo.id)
    return world


async def test_a_crash_between_commit_and_room_heals_with_the_next_look(world: World, ada: User) -> None:
    await world.decide(ada)
    assert await world.marks() == []
    projection = world.projection()
    assert [await world.catch_up(projection) for _ in range(3)] == [4, 4, 4]
    await world.holds(ada)


async def test_nodes_that_catch_up_at_once_apply_each_change_once(world: World, ada: User) -> None:
    await world.decide(ada)
    projections = [world.projection() for _ in range(5)]
    assert await asyncio.gather(*map(world.catch_up, projections)) == [4] * 5
    await world.holds(ada)


async def test_the_event_heals_a_room_while_nobody_looks(world: World, ada: User, bus: Bus) -> None:
    await world.decide(ada)
    records = Records(world.stage.db, world.outbox, world.projection(), Away(), clock=world.stage.clock)
    following = await follow_moderation(bus, records)
    relay = asyncio.create_task(Relay(world.stage.db, bus, world.outbox, Metrics()).run())

    async def healed() -> bool:
        return await world.log().revision(world.room) == 4

    await eventually(healed)
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    await following.close()
    await world.holds(ada)


async def test_a_room_that_lost_its_rules_reads_them_again(world: World, ada: User) -> None:
    projection = world.projection()
    await world.decide(ada)
    await world.catch_up(projection)
    await world.redis.delete(*(key(world.room, part) for part in RULE_KEYS))
    assert await world.log().revision(world.room) is None
    await world.alive.act(world.channel, world.channel.id, Ban(stream_id=world.room, user_id=ada.id))
    assert await world.marks() == ["!", f"!u {ada.id}", "!", "!", f"!u {ada.id}"]
    assert await world.catch_up(projection) == 5
    assert (await world.log().known(world.room)).rules == await world.stage.truth.rules(world.channel.id)


async def test_a_cold_room_is_warm_before_the_first_decision_and_has_its_entry(world: World, ada: User) -> None:
    await world.redis.flushall(target_nodes=Redis.PRIMARIES)
    await world.alive.act(world.channel, world.channel.id, Ban(stream_id=world.room, user_id=ada.id))
    assert await world.marks() == [f"!u {ada.id}"]
    assert ada.id in (await world.log().known(world.room)).rules.sanctions


async def test_a_room_far_behind_takes_all_pages(world: World, ada: User) -> None:
    for seconds in (30, 60) * 110:
        command = ChangeSettings(stream_id=world.room, slow_seconds=seconds)
        await world.dying.act(world.channel, world.channel.id, command)
    assert await world.catch_up(world.projection()) == 220
    assert len(await world.log().tail(world.room, 1000)) == 220


class Forgetful:
    """A log that never gets further."""

    async def revision(self, room: str) -> int:
        return 0

    async def control(self, room: str, change: Change) -> Applied | Behind:
        return Behind(0)


async def test_a_room_that_forgets_what_it_is_told_is_given_up(world: World, ada: User) -> None:
    await world.decide(ada)
    projection = Projection(Forgetful(), world.stage.truth)  # type: ignore[arg-type]  # the part that is asked
    with pytest.raises(Unavailable):
        await world.catch_up(projection)
