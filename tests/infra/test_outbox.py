"""The outbox: nothing committed is lost, nothing rolled back is told, the order stands. All servers are real."""

import asyncio
from typing import ClassVar

import pytest

from infra.bus.port import BusUnavailable, Message
from infra.bus.redis_streams import RedisStreamsBus
from infra.clock import system_clock
from infra.events import Event
from infra.logs import correlated
from infra.metrics import Metrics
from infra.outbox import BATCH, Outbox, Relay
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis


class Counted(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "test.counted"
    number: int


class Door:
    """The real bus behind a door that can be shut: a broker that is away after `open_for` more messages."""

    def __init__(self, bus: RedisStreamsBus) -> None:
        self._bus = bus
        self.open_for = 1_000_000
        self.passed: list[Message] = []

    async def publish(self, message: Message) -> None:
        if self.open_for == 0:
            raise BusUnavailable
        self.open_for -= 1
        await self._bus.publish(message)
        self.passed.append(message)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def bus(redis: Redis) -> RedisStreamsBus:
    return RedisStreamsBus(redis, Metrics())


@pytest.fixture
def door(bus: RedisStreamsBus) -> Door:
    return Door(bus)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


async def add(db: Postgres, outbox: Outbox, *numbers: int) -> None:
    async with db.transaction() as connection:
        for number in numbers:
            await outbox.add(connection, Counted(at=system_clock(), number=number))


def numbers(messages: list[Message]) -> list[int]:
    return [Counted.from_message(message).number for message in messages]


async def left(db: Postgres) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM outbox"))


async def test_events_reach_the_bus_in_order_and_leave_the_table(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics
) -> None:
    await add(db, outbox, *range(BATCH + 20))
    relay = Relay(db, door, outbox, metrics)
    assert [await relay.publish_batch() for _ in range(3)] == [BATCH, 20, 0]
    assert numbers(door.passed) == list(range(BATCH + 20))
    assert await left(db) == 0


async def test_what_is_rolled_back_is_never_told(db: Postgres, door: Door, outbox: Outbox, metrics: Metrics) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as connection:
            await outbox.add(connection, Counted(at=system_clock(), number=1))
            raise ZeroDivisionError
    assert await Relay(db, door, outbox, metrics).publish_batch() == 0


async def test_an_event_keeps_its_id_time_and_correlation(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics
) -> None:
    with correlated("req-9"):
        await add(db, outbox, 7)
    async with db.connection() as connection:
        row = await connection.fetchrow("SELECT id, at FROM outbox")
    assert row is not None
    await Relay(db, door, outbox, metrics).publish_batch()
    [message] = door.passed
    assert (message.id, message.at, message.correlation_id) == (str(row["id"]), row["at"], "req-9")


async def test_when_the_bus_fails_the_rest_stays_and_follows_in_order(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics
) -> None:
    await add(db, outbox, *range(10))
    door.open_for = 4
    relay = Relay(db, door, outbox, metrics)
    with pytest.raises(BusUnavailable):
        await relay.publish_batch()
    assert await left(db) == 6
    assert metrics.registry.get_sample_value("footlight_outbox_backlog") == 6
    door.open_for = 100
    await relay.publish_batch()
    assert numbers(door.passed) == list(range(10))


async def test_a_relay_that_dies_between_publish_and_delete_tells_nobody_twice(
    db: Postgres, bus: RedisStreamsBus, outbox: Outbox, metrics: Metrics
) -> None:
    heard: list[int] = []
    done = asyncio.Event()

    async def hear(message: Message) -> None:
        heard.append(Counted.from_message(message).number)
        if heard[-1] == 3:
            done.set()

    await bus.subscribe("outbox-test", ["test.*"], hear)
    await add(db, outbox, 1, 2)

    class Dying(Door):
        async def publish(self, message: Message) -> None:
            await super().publish(message)
            if len(self.passed) == 2:
                raise asyncio.CancelledError  # everything is out, nothing is deleted

    with pytest.raises(asyncio.CancelledError):
        await Relay(db, Dying(bus), outbox, metrics).publish_batch()
    assert await left(db) == 2
    await add(db, outbox, 3)
    await Relay(db, bus, outbox, metrics).publish_batch()
    await asyncio.wait_for(done.wait(), 30)
    await bus.close()
    assert heard == [1, 2, 3]


async def test_two_relays_at_once_publish_everything_once_and_in_order(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics
) -> None:
    relays = [asyncio.create_task(Relay(db, door, outbox, metrics).run()) for _ in range(2)]
    try:
        for number in range(0, 60, 3):
            await add(db, outbox, number, number + 1, number + 2)
            outbox.nudge()
        async with asyncio.timeout(30):
            while await left(db):  # noqa: ASYNC110 - another connection empties the table
                await asyncio.sleep(0.02)
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
    assert numbers(door.passed) == list(range(60))


async def test_a_running_relay_goes_on_after_the_bus_was_away(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.outbox.PAUSE_SECONDS", 0.01)
    door.open_for = 0
    await add(db, outbox, 1)
    relay = asyncio.create_task(Relay(db, door, outbox, metrics).run())
    try:
        outbox.nudge()
        await asyncio.sleep(0.1)
        assert await left(db) == 1
        door.open_for = 10
        outbox.nudge()
        async with asyncio.timeout(30):
            while await left(db):  # noqa: ASYNC110 - another connection empties the table
                await asyncio.sleep(0.02)
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
    assert numbers(door.passed) == [1]


async def test_a_relay_ends_although_it_is_nudged_in_the_same_moment(
    db: Postgres, door: Door, outbox: Outbox, metrics: Metrics
) -> None:
    """`asyncio.wait_for` of Python 3.11 forgets a cancellation that comes with the answer."""
    relay = asyncio.create_task(Relay(db, door, outbox, metrics).run())
    while not outbox.waiting._waiters:  # noqa: ASYNC110  # nothing tells that it waits
        await asyncio.sleep(0.01)
    outbox.nudge()
    relay.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(relay, return_exceptions=True)
    assert relay.cancelled()
