"""Choose and open the bus that `FOOTLIGHT_BUS_URL` names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.bus.port import Bus
from infra.bus.rabbit import open_rabbit
from infra.bus.redis_streams import RedisStreamsBus
from infra.metrics import Metrics
from infra.settings import BusSettings
from infra.stores.redis import Redis


@asynccontextmanager
async def open_bus(settings: BusSettings, redis: Redis, metrics: Metrics) -> AsyncIterator[Bus]:
    """Leaving the block closes every subscription (waiting for handlers in hand) and the broker connection.

    `redis` stays open; RabbitMQ needs it too, to handle a message id once.
    """
    if settings.url.startswith("amqp"):
        async with open_rabbit(settings.url, redis, metrics) as rabbit:
            yield rabbit
        return
    streams = RedisStreamsBus(redis, metrics)
    try:
        yield streams
    finally:
        await streams.close()
