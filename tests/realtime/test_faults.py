"""Nodes and shards die with -9; what was acknowledged is there afterwards."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from infra.bus.redis_streams import RedisStreamsBus
from infra.clock import new_id
from infra.errors import FootlightError
from infra.local.parts import free_port
from infra.local.process import Running, start
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import Redis, open_redis
from realtime.client import Refused, RoomClient, open_client
from tests.realtime.nodes import TestNode, node_part, serving, token_of
from tests.servers import valkey_cluster


@asynccontextmanager
async def child_nodes(folder: Path, settings: RedisSettings, count: int) -> AsyncIterator[list[Running]]:
    async with AsyncExitStack() as stack:
        children = [await start(node_part(folder / str(n), free_port(), settings)) for n in range(count)]
        for child in children:
            stack.push_async_callback(child.stop)
        for child in children:
            await child.wait_ready()
        yield children


async def said_surely(client: RoomClient, stream_id: str, text: str) -> int:
    """Say it until it is acknowledged, always under the same id."""
    name = new_id()
    for _ in range(200):
        try:
            return await client.send(stream_id, text, name)
        except FootlightError as failure:
            # After a reconnect the room may not be joined again yet.
            assert failure.code in {"service.unavailable", "room.not_joined"}  # noqa: PT017  # each attempt may fail
            await asyncio.sleep(0.05)
    pytest.fail(f"never acknowledged: connected {client.connected}, {client.connects} times, {client.views}")


async def test_a_killed_node_loses_nothing_that_was_acknowledged(
    tmp_path: Path, redis: Redis, redis_settings: RedisSettings, stream_id: str
) -> None:
    async with child_nodes(tmp_path, redis_settings, 2) as children:
        urls = [f"ws://{child.part.address}" for child in children]
        async with (
            open_client(urls, token=token_of("ada")) as ada,
            open_client(urls, token=token_of("bob")) as bob,
            open_client(urls[::-1]) as guest,
        ):
            views = [await client.join(stream_id) for client in (ada, bob, guest)]
            acknowledged: list[str] = []

            async def talk(client: RoomClient, name: str) -> None:
                for number in range(15):
                    text = f"{name} {number}"
                    await said_surely(client, stream_id, text)
                    acknowledged.append(text)

            talking = [asyncio.create_task(talk(ada, "ada")), asyncio.create_task(talk(bob, "bob"))]
            await guest.until(lambda: views[2].offset >= 6)
            children[0].send(signal.SIGKILL)
            await asyncio.gather(*talking)
            for client, view in zip((ada, bob, guest), views, strict=True):
                await client.until(lambda view=view: view.offset == 30)  # type: ignore[misc]  # bound on purpose
    assert views[0].entries == views[1].entries == views[2].entries
    assert sorted(entry["text"] for entry in views[0].entries) == sorted(acknowledged)
    assert ada.connects + bob.connects > 2


async def test_a_killed_shard_stops_its_own_rooms_only_and_comes_back_whole(tmp_path: Path) -> None:
    async with valkey_cluster(tmp_path) as (settings, shards), open_redis(settings) as redis:
        bus = RedisStreamsBus(redis, Metrics())
        async with serving(redis, settings, bus) as one, serving(redis, settings, bus) as two:
            victim_port = int(shards[1].part.address.rsplit(":", 1)[1])
            hurt, well = _room_on(redis, victim_port, here=True), _room_on(redis, victim_port, here=False)
            await _kill_and_heal(shards, [one, two], hurt, well)
        await bus.close()


async def _kill_and_heal(shards: list[Running], nodes: list[TestNode], hurt: str, well: str) -> None:
    async with open_client([nodes[0].url], token=token_of("ada")) as ada, open_client([nodes[1].url]) as guest:
        views = {stream_id: (await ada.join(stream_id), await guest.join(stream_id))[1] for stream_id in (hurt, well)}
        await ada.send(hurt, "before")
        await guest.until(lambda: views[hurt].offset == 1)
        shards[1].send(signal.SIGKILL)
        await shards[1].process.wait()
        with pytest.raises(Refused) as refused:
            while True:
                await ada.send(hurt, "during")
        assert refused.value.code == "service.unavailable"
        for number in range(3):
            assert await ada.send(well, f"undisturbed {number}") == number + 1
        await guest.until(lambda: views[well].offset == 3)
        shards[1] = await start(shards[1].part)
        try:
            await shards[1].wait_ready()
            last = await said_surely(ada, hurt, "after")
            await guest.until(lambda: views[hurt].offset == last, 30)
            assert [views[hurt].entries[0]["text"], views[hurt].entries[-1]["text"]] == ["before", "after"]
            assert [entry["offset"] for entry in views[hurt].entries] == list(range(1, last + 1))
            assert guest.connects == 1
        finally:
            await shards[1].stop()


def _room_on(redis: Redis, port: int, *, here: bool) -> str:
    """A room that the shard at this port owns, or does not own."""

    def owned(stream_id: str) -> bool:
        owner = redis.get_node_from_key(f"room:{{{stream_id}}}:meta")
        return owner is not None and int(owner.port) == port

    names = (f"stream-{number}" for number in itertools.count())
    return next(name for name in names if owned(name) is here)


async def test_a_silent_shard_is_noticed_and_its_rooms_catch_up(
    nodes: list[TestNode], stream_id: str, redis: Redis
) -> None:
    async with open_client([nodes[0].url], token=token_of("ada")) as ada, open_client([nodes[1].url]) as guest:
        await ada.join(stream_id)
        view = await guest.join(stream_id)
        await ada.send(stream_id, "one")
        await guest.until(lambda: view.offset == 1)
        # Every subscriber loses its connection; what is said before they are back must not be missed.
        owner = redis.get_node_from_key(f"room:{{{stream_id}}}:meta")
        assert owner is not None
        await owner.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await ada.send(stream_id, "two")
        await guest.until(lambda: view.offset == 2)
    assert guest.connects == 1
    assert (view.resets, view.rejoins) == (0, 0)
