"""Sharded channels: confirmed, moved, and never silently deaf."""

import asyncio
from functools import partial
from typing import Any

import pytest
from redis.asyncio.cluster import ClusterNode
from redis.exceptions import ResponseError

from infra.errors import Unavailable
from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime import cluster
from realtime.cluster import ShardedChannels, open_channels
from tests.realtime.nodes import until


class Ear:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.resumptions = 0

    def received(self, payload: bytes) -> None:
        self.heard.append(payload)

    def resumed(self) -> None:
        self.resumptions += 1


async def test_every_shard_has_one_reader_whatever_the_number_of_channels(
    redis: Redis, redis_settings: RedisSettings
) -> None:
    async with open_channels(redis, redis_settings) as channels:
        ears = {f"room:{{{number}}}:channel": Ear() for number in range(40)}
        await asyncio.gather(*(channels.subscribe(name, ear) for name, ear in ears.items()))
        for name in ears:
            await channels.publish(name, name.encode())
        await until(lambda: all(ear.heard for ear in ears.values()))
        assert all(ear.heard == [name.encode()] for name, ear in ears.items())
        assert len(channels._shards) == 3


async def test_a_channel_left_and_joined_in_one_breath_is_heard(redis: Redis, redis_settings: RedisSettings) -> None:
    async with open_channels(redis, redis_settings) as channels:
        for _ in range(20):
            gone, ear = Ear(), Ear()
            await channels.subscribe("room:{1}:channel", gone)
            leaving = asyncio.create_task(channels.unsubscribe("room:{1}:channel", gone))
            await asyncio.sleep(0)
            await channels.subscribe("room:{1}:channel", ear)
            await leaving
            await channels.publish("room:{1}:channel", b"hello")
            await until(partial(getattr, ear, "heard"))
            await channels.unsubscribe("room:{1}:channel", ear)


async def test_a_reader_that_hears_nothing_is_cut_and_its_receivers_are_told(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.2)
    async with open_channels(redis, redis_settings) as channels:
        ear = Ear()
        await channels.subscribe("room:{1}:channel", ear)
        await _make_deaf(channels, "room:{1}:channel")
        await until(lambda: ear.resumptions)
        await channels.publish("room:{1}:channel", b"again")
        await until(lambda: ear.heard)


async def _nothing_new() -> None: ...


async def _make_deaf(channels: ShardedChannels, channel: str) -> None:
    """The connection stands and answers, but nothing is subscribed on it any more."""
    shard = channels._shard_of(channel)
    for name in list(shard.wanted):
        await shard._send("SUNSUBSCRIBE", name, shard._leaves)


async def test_a_shard_that_cannot_be_reached_refuses_and_forgets(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SUBSCRIBE_SECONDS", 0.2)
    async with open_channels(redis, redis_settings) as channels:
        channels._ranges = {range(16384): ("127.0.0.1", 1)}
        monkeypatch.setattr(channels, "_learn", _nothing_new)  # otherwise it finds the right address by itself
        with pytest.raises(Unavailable):
            await channels.subscribe("room:{1}:channel", Ear())
        assert channels._wanted == {}


async def test_a_channel_is_left_while_another_shard_is_met(redis: Redis, redis_settings: RedisSettings) -> None:
    async with open_channels(redis, redis_settings) as channels:
        await channels.relearn()
        one, two = list(_a_channel_of_each_shard(channels).values())[:2]
        ear = Ear()
        await channels.subscribe(one, ear)
        await asyncio.gather(channels.unsubscribe(one, ear), channels.subscribe(two, Ear()))
        assert set(channels._wanted) == {two}


def _a_channel_of_each_shard(channels: ShardedChannels) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for number in range(200):
        found.setdefault(channels._owner(f"room:{{{number}}}:channel"), f"room:{{{number}}}:channel")
    return found


@pytest.mark.parametrize("kept", [0, 1])
async def test_a_node_that_knows_too_few_owners_is_not_believed(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    async with open_channels(redis, redis_settings) as channels:
        names = ["room:{1}:channel", "room:{2}:channel", "room:{3}:channel"]
        ears = {name: Ear() for name in names}
        for name, ear in ears.items():
            await channels.subscribe(name, ear)
        first, ask = redis.get_nodes()[0], ClusterNode.execute_command

        async def forgetful(node: ClusterNode, *command: Any) -> Any:
            answer = await ask(node, *command)
            return answer[:kept] if node is first and command == ("CLUSTER SLOTS",) else answer

        monkeypatch.setattr(ClusterNode, "execute_command", forgetful)
        await channels.relearn()
        monkeypatch.undo()
        for name, ear in ears.items():
            await channels.publish(name, b"hello")
            await until(partial(getattr, ear, "heard"))


async def test_a_subscription_without_a_shard_finds_one(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PROBE_SECONDS", 0.05)
    async with open_channels(redis, redis_settings) as channels:
        ear = Ear()
        await channels.subscribe("room:{1}:channel", ear)
        shard = channels._shards.pop(channels._owner("room:{1}:channel"))
        shard.retire()
        await until(lambda: ear.resumptions)
        await channels.publish("room:{1}:channel", b"hello")
        await until(lambda: ear.heard)
        await shard.close()


class Failing(Ear):
    """Fails at the first message, with something no connection would raise."""

    def received(self, payload: bytes) -> None:
        super().received(payload)
        if len(self.heard) == 1:
            raise LookupError("not foreseen")


async def test_a_reader_survives_what_nobody_foresaw(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, failures = ShardedChannels._learn, [RuntimeError("not foreseen either")]

    async def failing_once(self: ShardedChannels) -> None:
        if self._ranges and failures:
            raise failures.pop()
        await learn(self)

    monkeypatch.setattr(ShardedChannels, "_learn", failing_once)
    async with open_channels(redis, redis_settings) as channels:
        ear = Failing()
        await channels.subscribe("room:{1}:channel", ear)
        await channels.publish("room:{1}:channel", b"first")
        await until(lambda: ear.resumptions)
        await channels.publish("room:{1}:channel", b"second")
        await until(lambda: len(ear.heard) == 2)
        assert not failures


async def test_a_connection_that_is_closed_under_its_reader_is_replaced(
    redis: Redis, redis_settings: RedisSettings
) -> None:
    async with open_channels(redis, redis_settings) as channels:
        ear = Ear()
        await channels.subscribe("room:{1}:channel", ear)
        connection = channels._shard_of("room:{1}:channel")._connection
        assert connection is not None
        await connection.disconnect(nowait=True)  # as a send that is cancelled or timed out does
        await until(lambda: ear.resumptions)


async def test_the_probes_outlive_a_failure(
    redis: Redis, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PROBE_SECONDS", 0.02)
    rounds = []

    async def failing(self: ShardedChannels) -> None:
        rounds.append(self)
        raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(ShardedChannels, "_look_after", failing)
    async with open_channels(redis, redis_settings):
        await until(lambda: len(rounds) > 2)
