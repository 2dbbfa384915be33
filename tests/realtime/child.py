"""A node as a process of its own, for tests that kill or restart one: `python -m tests.realtime.child`."""

import asyncio
import os
import signal
import socket

from infra.bus.redis_streams import RedisStreamsBus
from infra.local.parts import LOOPBACK
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import open_redis
from tests.realtime.nodes import serving

DRAIN_SECONDS = 2.0


async def main() -> None:
    settings = RedisSettings(nodes=tuple(os.environ["TEST_REDIS"].split(",")))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_redis(settings) as redis:
        bus = RedisStreamsBus(redis, Metrics())
        listener = socket.create_server((LOOPBACK, int(os.environ["TEST_PORT"])))
        async with serving(redis, settings, bus, listener=listener) as node:
            await stop.wait()
            await node.realtime.drain(DRAIN_SECONDS)
        await bus.close()


if __name__ == "__main__":
    asyncio.run(main())
