"""A worker that dies at a given step, as `kill -9` would have it: between any two things it does."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from payments import repository
from tests.payments.life import bought
from tests.payments.till import Till, open_till

STEPS = ("taken", "fetched", "row written", "rights written", "booked", "committed", "settled")


async def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("dead")


def arm(till: Till, step: str) -> None:
    """Have it die there."""
    places: dict[str, tuple[Any, str]] = {
        "taken": (till.sync, "look"),
        "fetched": (till.journal, "hold"),
        "row written": (till.rights, "put"),
        "rights written": (till.shelf, "payment"),
        "booked": (till.world.outbox, "add"),
        "committed": (till.worker, "_finish"),
    }
    if step in places:
        holder, name = places[step]
        setattr(holder, name, die)


async def main(step: str, postgres: str, redis: str, keys: str, order_id: str) -> None:
    async with (
        open_postgres(PostgresSettings(url=postgres)) as db,
        open_redis(RedisSettings(nodes=tuple(redis.split(",")))) as cluster,
        open_till(Path(keys), db, cluster) as till,
    ):
        async with db.connection() as connection:
            order = await repository.find_order(connection, order_id)
        assert order is not None
        bought(till.shelf, order)
        arm(till, step)
        await till.work()
        if step == "settled":
            await die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
