"""Raids: prepared once, gone once, and arrived once, whichever node dies."""

import asyncio
from typing import cast

import pytest

from infra.clock import milliseconds, new_id
from infra.errors import Unavailable
from infra.stores.postgres import Postgres
from infra.stores.redis import Functions, Redis
from realtime.entries import User
from realtime.moderation.bodies import Acted
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import AlreadySo, RaidTarget
from realtime.moderation.live import LiveChannels
from realtime.room.features import RecordOnce
from realtime.room.raids import LiveChannel, Raids, spread_ms_of
from realtime.room.rules import Patch, Sanction
from tests.realtime.features import Dies, Scenery, together
from tests.realtime.moderation.stage import Stage

MIRA = User(id="mira", name="Mira", role="moderator")


class World:
    """Two live channels, and what a node asks about them."""

    def __init__(self, scenery: Scenery, target: LiveChannel) -> None:
        self.scenery = scenery
        creator = scenery.creator
        self.source = LiveChannel(channel_id=creator.id, name=creator.name, stream_id=scenery.stream_id)
        self.target = target
        self.live = {self.source.channel_id: self.source, target.channel_id: target}
        self.bans: set[tuple[str, str]] = set()
        self.watching = 4200

    async def live_stream_of(self, channel_id: str) -> LiveChannel | None:
        return self.live.get(channel_id)

    async def is_banned(self, channel_id: str, user_id: str) -> bool:
        return (channel_id, user_id) in self.bans

    async def viewers(self, stream_id: str) -> int:
        assert stream_id == self.source.stream_id
        return self.watching

    def node(self, functions: Functions | None = None, record: RecordOnce | None = None) -> Raids:
        return Raids(
            functions or self.scenery.functions(),
            self.scenery.log.known,
            record or self.scenery.record,
            channels=self,
            viewers=self.viewers,
        )

    async def start(self, raids: Raids) -> Acted:
        return await raids.start(self.source, MIRA, self.target.channel_id, 10)

    async def due(self) -> None:
        """The raid's moment has come."""
        await self.scenery.redis.hset(f"room:{{{self.source.stream_id}}}:raid", "departs_at", "1")

    def here(self) -> list[str]:
        return [entry["raid"]["state"] for entry in self.scenery.entries()]

    def there(self) -> list[str]:
        return [entry["raid"]["state"] for entry in self.scenery.entries(self.target.stream_id)]


@pytest.fixture
async def world(redis: Redis, db: Postgres) -> World:
    scenery = await Scenery.built(redis, Stage(db))
    dara = await scenery.stage.person("Dara", platform="creator", role="creator")
    stream_id = await scenery.stage.stream(dara)
    return World(scenery, LiveChannel(channel_id=dara.id, name=dara.name, stream_id=stream_id))


async def test_a_raid_is_announced_goes_and_arrives(world: World) -> None:
    one, two = world.node(), world.node()
    await world.start(one)
    raid = await two.state(world.source.stream_id)
    assert raid is not None
    assert (raid.channel_id, raid.name, raid.state) == (world.target.channel_id, "Dara", "preparing")
    again = await two.look(world.source.stream_id)
    assert again is not None
    assert 0 < again <= 10
    await world.due()
    assert await two.look(world.source.stream_id) is None
    assert (world.here(), world.there()) == (["preparing", "gone"], ["arrived"])
    gone, arrived = world.scenery.entries()[-1]["raid"], world.scenery.entries(world.target.stream_id)[0]["raid"]
    assert (gone["viewers"], gone["spread_ms"], gone["channel_id"]) == (4200, 4200, world.target.channel_id)
    assert (arrived["channel_id"], arrived["name"], arrived["viewers"]) == (world.source.channel_id, "Cleo", 4200)
    assert await two.state(world.source.stream_id) is None
    [row] = await world.scenery.stage.rows("SELECT * FROM moderation_log WHERE action = 'raided'")
    assert (str(row["channel_id"]), row["actor_id"]) == (world.target.channel_id, world.source.channel_id)


async def test_many_nodes_send_it_off_once(world: World) -> None:
    nodes = [world.node() for _ in range(5)]
    await world.start(nodes[0])
    await world.due()
    await asyncio.gather(*(one.look(world.source.stream_id) for one in nodes))
    assert (world.here(), world.there()) == (["preparing", "gone"], ["arrived"])


async def test_only_one_raid_is_prepared_at_a_time(world: World) -> None:
    answers = await together(*(world.start(world.node()) for _ in range(6)))
    assert sum(isinstance(answer, Acted) for answer in answers) == 1
    assert sum(isinstance(answer, AlreadySo) for answer in answers) == 5
    assert world.here() == ["preparing"]


async def test_a_cancelled_raid_does_not_go_and_another_may_be_prepared(world: World) -> None:
    raids = world.node()
    await world.start(raids)
    await raids.cancel(world.source.stream_id, MIRA)
    await world.due()
    await raids.look(world.source.stream_id)
    assert (world.here(), world.there()) == (["preparing", "cancelled"], [])
    with pytest.raises(AlreadySo):
        await raids.cancel(world.source.stream_id, MIRA)
    await world.start(raids)
    assert world.here() == ["preparing", "cancelled", "preparing"]


@pytest.mark.parametrize("why", ["not_live", "itself", "banned"])
async def test_a_target_that_cannot_be_raided_is_refused(world: World, why: str) -> None:
    target = {"not_live": new_id(), "itself": world.source.channel_id, "banned": world.target.channel_id}[why]
    world.bans.add((world.target.channel_id, world.source.channel_id))
    with pytest.raises(RaidTarget):
        await world.node().start(world.source, MIRA, target, 10)
    assert world.here() == []


async def test_a_target_that_went_away_cancels_the_raid(world: World) -> None:
    raids = world.node()
    await world.start(raids)
    del world.live[world.target.channel_id]
    await world.due()
    await raids.look(world.source.stream_id)
    assert (world.here(), world.there()) == (["preparing", "cancelled"], [])


@pytest.mark.parametrize("step", ["raid_start", "raid_end"])
async def test_what_a_dead_node_began_another_finishes(world: World, step: str) -> None:
    dying = Dies(world.scenery.functions(), after=step)
    dead = world.node(cast("Functions", dying))
    alive = world.node()
    if step == "raid_start":
        with pytest.raises(Unavailable):
            await world.start(dead)
        await alive.look(world.source.stream_id)
        assert world.here() == ["preparing"]
        return
    await world.start(alive)
    await world.due()
    with pytest.raises(Unavailable):
        await dead.look(world.source.stream_id)
    await asyncio.gather(alive.look(world.source.stream_id), world.node().look(world.source.stream_id))
    assert (world.here(), world.there()) == (["preparing", "gone"], ["arrived"])


async def test_a_node_that_dies_between_the_two_channels_leaves_no_half_of_a_raid(world: World) -> None:
    async def only_here(deed: Deed) -> None:
        if deed.action == "raided":
            raise Unavailable
        await world.scenery.record(deed)

    await world.start(world.node())
    await world.due()
    with pytest.raises(Unavailable):
        await world.node(record=only_here).look(world.source.stream_id)
    assert (world.here(), world.there()) == (["preparing", "gone"], [])
    await world.node().look(world.source.stream_id)
    assert (world.here(), world.there()) == (["preparing", "gone"], ["arrived"])


async def test_it_departs_by_itself(world: World) -> None:
    raids = world.node()
    running = asyncio.create_task(raids.run(lambda: [world.source.stream_id]))
    try:
        await raids.start(world.source, MIRA, world.target.channel_id, 0.2)
        while world.there() != ["arrived"]:  # noqa: ASYNC110  # nobody is told when it is recorded
            await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(("viewers", "spread_ms"), [(0, 2000), (2500, 2500), (400_000, 15_000)])
def test_many_viewers_take_longer_to_leave(viewers: int, spread_ms: int) -> None:
    assert spread_ms_of(viewers) == spread_ms


async def test_the_database_says_who_is_live_and_who_is_banned(world: World) -> None:
    stage, target = world.scenery.stage, world.target
    channels = LiveChannels(stage.db, clock=stage.clock)
    assert await channels.live_stream_of(target.channel_id) == target
    nobody = await stage.person("Ed", platform="creator", role="creator")
    waiting = await stage.person("Fay", platform="creator", role="creator")
    await stage.stream(waiting, status="created")
    for channel_id in (nobody.id, waiting.id, new_id(), "not-an-id"):
        assert await channels.live_stream_of(channel_id) is None
    assert not await channels.is_banned(target.channel_id, world.source.channel_id)
    at = milliseconds(stage.clock())
    ban = Patch(sanction=(world.source.channel_id, Sanction(until=at + 1000)))
    dara = User(id=target.channel_id, name=target.name, role="creator")
    timeout = Deed(id=new_id(), channel_id=dara.id, at=at, action="timeout", actor=dara, patch=ban)
    await stage.records.record(timeout)
    assert await channels.is_banned(target.channel_id, world.source.channel_id)
    stage.clock.move(2)
    assert not await channels.is_banned(target.channel_id, world.source.channel_id)
