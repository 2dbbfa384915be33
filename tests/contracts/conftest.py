"""Both buses, each on its real broker; every test gets a clean one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from infra.bus.once import Once
from infra.bus.port import Bus
from infra.bus.rabbit import open_rabbit
from infra.bus.redis_streams import RedisStreamsBus
from infra.local.parts import Part, free_port
from infra.local.process import Running, start
from infra.local.rabbit import find_rabbit, rabbit_part
from infra.local.valkey import form_cluster, valkey_parts
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import open_redis

LEASE_SECONDS = 1.5
NO_RABBIT = "no RabbitMQ in $RABBITMQ_ROOT, build/rabbitmq or the system; .ci/install-rabbitmq unpacks one"


class Broker:
    """A running broker that a test may kill, and a way to open buses on it as different processes would."""

    def __init__(self, kind: str, parts: list[Part], running: list[Running], redis: RedisSettings, url: str) -> None:
        self.kind = kind
        self.redis = redis
        self.url = url
        self._parts = parts
        self._running = running
        self._stack = AsyncExitStack()

    async def open(self, metrics: Metrics | None = None, *, settle_seconds: float = 0.0) -> Bus:
        """A bus of its own: own connections, own consumer names. A test that kills a new queue must let it settle."""
        client = await self._stack.enter_async_context(open_redis(self.redis))
        if self.kind == "redis":
            streams = RedisStreamsBus(client, metrics or Metrics(), lease_seconds=LEASE_SECONDS)
            self._stack.push_async_callback(streams.close)
            return streams
        once = Once(client, lease_seconds=LEASE_SECONDS)
        return await self._stack.enter_async_context(
            open_rabbit(self.url, client, metrics or Metrics(), once=once, settle_seconds=settle_seconds)
        )

    async def kill(self) -> None:
        """kill -9 of every process of the broker."""
        for child in self._running:
            child.process.kill()
            await child.process.wait()

    async def start_again(self) -> None:
        for number, part in enumerate(self._parts):
            self._running[number] = await start(part)
        await self.wait_ready()

    async def wait_ready(self) -> None:
        for child in self._running:
            await child.wait_ready()

    async def close(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def stop(self) -> None:
        for child in self._running:
            await child.stop()


def redis_parts(folder: Path) -> tuple[list[Part], RedisSettings, Callable[[], Awaitable[None]]]:
    ports, bus_ports = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    parts, urls = valkey_parts(folder, ports, bus_ports)
    return parts, RedisSettings(nodes=tuple(urls)), lambda: form_cluster(urls, bus_ports)


@pytest.fixture(scope="package", params=["redis", "rabbit"])
async def running_broker(
    request: pytest.FixtureRequest, redis_settings: RedisSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Broker]:
    """Servers of its own: these tests kill them. RabbitMQ's duplicates are remembered in the cluster of all tests."""
    folder, url = tmp_path_factory.mktemp(request.param), "redis:"
    if request.param == "redis":
        parts, redis_settings, settle = redis_parts(folder)
    else:
        root = find_rabbit()
        if root is None:
            pytest.skip(NO_RABBIT)
        part, url = rabbit_part(folder, free_port(), root)
        parts, settle = [part], None
    broker = Broker(request.param, parts, [await start(part) for part in parts], redis_settings, url)
    try:
        await broker.wait_ready()
        if settle:
            await settle()
        yield broker
    finally:
        await broker.stop()


@pytest.fixture
async def broker(running_broker: Broker) -> AsyncIterator[Broker]:
    """Names of groups and queues differ from test to test, so the brokers need not be emptied."""
    yield running_broker
    await running_broker.close()


@pytest.fixture
async def bus(broker: Broker) -> Bus:
    return await broker.open()
