"""What only the Redis bus has to care about: how long its log grows, and what is no message at all."""

import asyncio

import pytest

from infra.bus import redis_streams
from infra.bus.open import open_bus
from infra.bus.port import Message, Retry
from infra.bus.redis_streams import LOG, QueueFull, RedisStreamsBus
from infra.clock import new_id, system_clock
from infra.metrics import Metrics
from infra.settings import BusSettings
from infra.stores.redis import Redis


def message(topic: str) -> Message:
    return Message(new_id(), topic, b"{}", system_clock())


async def ignore(_: Message) -> None: ...


async def test_what_every_group_has_read_is_trimmed_and_what_one_has_not_is_kept(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_streams, "LISTENER_SECONDS", 0)
    bus = RedisStreamsBus(redis, Metrics())
    slow = await bus.subscribe("slow", ["a.b"], ignore)
    await slow.close()
    for _ in range(200):
        await bus.publish(message("a.b"))
    assert await redis.xlen(LOG) == 200, "one group has read nothing"
    left: list[str] = []
    done = asyncio.Event()

    async def read(received: Message) -> None:
        left.append(received.id)
        if len(left) == 200:
            done.set()

    await bus.subscribe("slow", ["a.b"], read)
    await asyncio.wait_for(done.wait(), 30)
    await bus.close()
    for _ in range(64):
        await bus.publish(message("a.b"))
    assert await redis.xlen(LOG) <= 65, "the last one read, and what came since"


async def test_events_younger_than_a_listener_may_be_away_are_kept(redis: Redis) -> None:
    bus = RedisStreamsBus(redis, Metrics())
    for _ in range(130):
        await bus.publish(message("a.b"))
    assert await redis.xlen(LOG) == 130


async def test_the_cap_cuts_unread_events_and_counts_them(redis: Redis) -> None:
    metrics = Metrics()
    bus = RedisStreamsBus(redis, metrics, log_cap=50)
    await (await bus.subscribe("asleep", ["a.b"], ignore)).close()
    for _ in range(80):
        await bus.publish(message("a.b"))
    assert await redis.xlen(LOG) == 50
    assert metrics.registry.get_sample_value("footlight_bus_dropped_total") == 30


async def test_a_full_queue_refuses_and_loses_nothing(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_streams, "QUEUE_CAP", 3)
    bus = RedisStreamsBus(redis, Metrics())
    for _ in range(3):
        await bus.enqueue("q", message("q"))
    with pytest.raises(QueueFull):
        await bus.enqueue("q", message("q"))
    assert await redis.xlen("{bus.queue.q}inbox") == 3


async def test_garbage_in_a_queue_is_dead_and_stops_nobody(redis: Redis) -> None:
    bus = RedisStreamsBus(redis, Metrics())
    done = asyncio.Event()

    async def finish(_: Message) -> None:
        done.set()

    await redis.xadd("{bus.queue.q}inbox", {"m": b"\xc1 not a message"})
    await bus.enqueue("q", message("q"))
    await bus.work("q", finish, retry=Retry(attempts=1))
    await asyncio.wait_for(done.wait(), 30)
    await bus.close()
    [letter] = await bus.dead("q")
    assert letter.reason.startswith("not a message")
    assert letter.message.body == b"\xc1 not a message"


async def test_a_group_whose_shard_lost_everything_is_made_again_and_hears_what_came_since(redis: Redis) -> None:
    bus = RedisStreamsBus(redis, Metrics())
    done = asyncio.Event()

    async def finish(_: Message) -> None:
        done.set()

    await bus.subscribe("g", ["a.b"], finish)
    await redis.flushall(target_nodes=Redis.PRIMARIES)
    await bus.publish(message("a.b"))
    await asyncio.wait_for(done.wait(), 30)
    await bus.close()


async def test_the_url_chooses_the_bus(redis: Redis) -> None:
    async with open_bus(BusSettings(), redis, Metrics()) as bus:
        assert isinstance(bus, RedisStreamsBus)
        await bus.ping()
