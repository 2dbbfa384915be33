"""A node or a worker that buys, gives or works off events, and dies at a given step, as by `kill -9`."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from payments import gift_rows, repository
from tests.payments.sandbox.running import open_client
from tests.payments.sandbox.till import SandboxTill, open_sandbox_till

# What it does, and where it dies, in the order of what happens.
BUYING = ("order written", "customer made", "price made", "page made", "page written")
LOOKING = ("taken", "fetched", "row written", "rights written", "booked", "committed", "settled")
GIVING = ("taken", "booked", "order closed", "gifts written", "given", "rights written", "committed", "settled")
STORIES: dict[str, tuple[str, ...]] = {
    "checkout": BUYING,  # the node that makes the payment page
    "return": ("fetched", "row written", "rights written"),  # the node that is asked about it afterwards
    "first payment": LOOKING,  # the worker
    "renewal": LOOKING,
    "gift order": ("order written", "page made", "page written"),
    "gift": GIVING,
}


def die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def done(*args: Any, **kwargs: Any) -> None:
        await work(*args, **kwargs)
        die()

    return done


def arm(till: SandboxTill, step: str) -> None:
    """Have it die there."""
    calls, worker = till.calls, till.worker
    places: dict[str, tuple[object, str, Callable[..., Any]]] = {
        "order written": (till.orders, "_make_page", die),
        "customer made": (calls, "create_customer", then_die(calls.create_customer)),
        "price made": (calls, "create_price", then_die(calls.create_price)),
        "page made": (calls, "create_checkout", then_die(calls.create_checkout)),
        "page written": (repository, "set_checkout", then_die(repository.set_checkout)),
        "taken": (till.sync, "look", die),
        "fetched": (calls, "subscription", then_die(calls.subscription)),
        "row written": (repository, "put_subscription", then_die(repository.put_subscription)),
        "rights written": (till.rights, "put", then_die(till.rights.put)),
        "booked": (till.journal, "post", then_die(till.journal.post)),
        "order closed": (repository, "close_order", then_die(repository.close_order)),
        "gifts written": (gift_rows, "insert", then_die(gift_rows.insert)),
        "given": (gift_rows, "take", then_die(gift_rows.take)),
        "committed": (worker, "_finish", die),
        "settled": (worker, "_finish", then_die(worker._finish)),
    }
    setattr(*places[step])


async def act(till: SandboxTill, story: str, user_id: str, other: str) -> None:
    """`other` is an order to ask for, or who gets a gift."""
    if story == "checkout":
        await till.buy(user_id)
    elif story == "gift order":
        await till.give(user_id, other)
    elif story == "return":
        await till.orders.find(user_id, other)
    else:
        await till.work()


async def main(story: str, step: str, postgres: str, redis: str, keys: str, sandbox: str, *who: str) -> None:
    async with (
        open_postgres(PostgresSettings(url=postgres, pool_size=4)) as db,
        open_redis(RedisSettings(nodes=tuple(redis.split(",")))) as cluster,
        open_client(sandbox) as client,
        open_sandbox_till(Path(keys), db, cluster, client) as till,
    ):
        arm(till, step)
        await act(till, story, *who)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
