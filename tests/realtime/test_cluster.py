"""Sharded channels: confirmed, moved, and never silently deaf."""

import asyncio
from functools import partial

import pytest

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
