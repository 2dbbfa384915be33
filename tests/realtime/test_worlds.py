"""Random histories on two nodes: whatever happens, in the end every view equals the log."""

import asyncio
import random

import pytest

from infra.clock import new_id
from infra.errors import FootlightError
from infra.stores.redis import Redis
from realtime.client import RoomClient, open_client
from realtime.room.log import Position, Recovered
from realtime.room.log_redis import RedisRoomLog, room_functions
from tests.realtime.nodes import TestNode, token_of

STEPS = 60


@pytest.mark.parametrize("seed", range(4))
async def test_every_view_equals_the_log(nodes: list[TestNode], redis: Redis, stream_id: str, seed: int) -> None:
    world = random.Random(seed)  # noqa: S311  # a repeatable history
    urls = [node.url for node in nodes]
    names = [f"user{number}" for number in range(4)]
    async with (
        open_client(urls, token=token_of(names[0])) as a,
        open_client(urls[::-1], token=token_of(names[1])) as b,
        open_client(urls, token=token_of(names[2])) as c,
        open_client(urls[::-1], token=token_of(names[3])) as d,
    ):
        clients = [a, b, c, d]
        acknowledged: set[str] = set()
        for client in clients:
            await client.join(stream_id)
        for _ in range(STEPS):
            await _step(world, clients, redis, stream_id, acknowledged)
        await _settle(clients, redis, stream_id)
        views = [client.views[stream_id] for client in clients]
    log = await RedisRoomLog(room_functions(redis)).since(stream_id, Position(views[0].epoch or "", 0))
    assert isinstance(log, Recovered)
    assert [len(view.entries) for view in views] == [log.position.offset] * 4
    assert all([entry["offset"] for entry in view.entries] == [line.offset for line in log.lines] for view in views)
    assert all(view.entries == views[0].entries for view in views)
    assert acknowledged <= {entry["id"] for entry in views[0].entries}
    assert sum(client.connects for client in clients) > 4


async def _step(
    world: random.Random, clients: list[RoomClient], redis: Redis, stream_id: str, acknowledged: set[str]
) -> None:
    client = world.choice(clients)
    match world.choices(["say", "say twice", "drop", "rejoin", "cut the bus", "wait"], [10, 3, 3, 3, 1, 3])[0]:
        case "say":
            await _say(client, stream_id, 1, acknowledged)
        case "say twice":
            await _say(client, stream_id, 2, acknowledged)
        case "drop":
            await client.drop()
        case "rejoin":
            await _quietly(client.join(stream_id))
        case "cut the bus":
            owner = redis.get_node_from_key(f"room:{{{stream_id}}}:meta")
            assert owner is not None
            await owner.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        case _:
            await asyncio.sleep(world.random() * 0.05)


async def _say(client: RoomClient, stream_id: str, times: int, acknowledged: set[str]) -> None:
    name = new_id()
    said = [_quietly(client.send(stream_id, "text", name)) for _ in range(times)]
    if any(await asyncio.gather(*said)):
        acknowledged.add(name)


async def _quietly(work: object) -> bool:
    """Whether it was acknowledged; in these worlds refusals are part of life."""
    try:
        await work  # type: ignore[misc]  # a coroutine
    except FootlightError:
        return False
    return True


async def _settle(clients: list[RoomClient], redis: Redis, stream_id: str) -> None:
    found = await RedisRoomLog(room_functions(redis)).since(stream_id, None)
    for client in clients:
        await client.until(lambda client=client: client.views[stream_id].offset == found.position.offset)  # type: ignore[misc]  # bound on purpose
