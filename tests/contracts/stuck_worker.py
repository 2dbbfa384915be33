"""Takes one job, says so, and never finishes it: the process that contract tests kill."""

import asyncio
import sys

from infra.bus.once import Once
from infra.bus.port import Message
from infra.bus.rabbit import open_rabbit
from infra.bus.redis_streams import RedisStreamsBus
from infra.metrics import Metrics
from infra.settings import RedisSettings
from infra.stores.redis import open_redis
from tests.contracts.conftest import LEASE_SECONDS


async def take(_: Message) -> None:
    sys.stdout.write("in hand\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def main(kind: str, url: str, queue: str, *nodes: str) -> None:
    async with open_redis(RedisSettings(nodes=nodes)) as redis:
        if kind == "redis":
            await RedisStreamsBus(redis, Metrics(), lease_seconds=LEASE_SECONDS).work(queue, take)
            await asyncio.Event().wait()
        once = Once(redis, lease_seconds=LEASE_SECONDS)
        async with open_rabbit(url, redis, Metrics(), once=once) as bus:
            await bus.work(queue, take)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
