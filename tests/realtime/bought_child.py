"""A process that brings something bought to its room and dies at a given step, as by `kill -9`."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from infra.outbox import Outbox
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from payments import paid_message_rows
from payments.events import GiftGiven, GiftWithdrawn, MessagePaid, MessageWithdrawn
from realtime.desk import Desk
from realtime.moderation import repository
from realtime.moderation.held import HeldQueue
from tests.payments.market import desk_over, hear

KINDS = {one.__name__: one for one in (MessagePaid, MessageWithdrawn, GiftGiven, GiftWithdrawn)}
# Where it dies, in the order of what happens.
STEPS = ("before anything", "under the lock", "row moved", "decision written", "committed", "half of the room", "done")
HOLDING = ("row moved", "before the queue", "after the queue")


def die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(work: Callable[..., Any]) -> Callable[..., Any]:
    async def done(*args: Any, **kwargs: Any) -> Any:
        await work(*args, **kwargs)
        die()

    return done


def arm(desk: Desk, step: str) -> None:
    """Have it die there."""
    records = desk.moderation.records
    places: dict[str, tuple[object, str, Callable[..., Any]]] = {
        "before anything": (records, "decide", die),
        "under the lock": (repository, "lock", then_die(repository.lock)),
        "row moved": (paid_message_rows, "move", then_die(paid_message_rows.move)),
        "decision written": (repository, "insert_row", then_die(repository.insert_row)),
        "committed": (records, "_tell", die),
        "half of the room": (records._feed, "acted", die),  # the room has it, the desk was not told
        "done": (records, "_tell", then_die(records._tell)),
        "before the queue": (HeldQueue, "add", die),
        "after the queue": (HeldQueue, "add", then_die(HeldQueue.add)),
    }
    setattr(*places[step])


async def bring(postgres_url: str, redis_url: str, step: str, kind: str, event: str) -> None:
    async with (
        open_postgres(PostgresSettings(url=postgres_url, pool_size=3)) as db,
        open_redis(RedisSettings(nodes=tuple(redis_url.split(",")))) as redis,
    ):
        desk = desk_over(db, redis, Outbox())
        arm(desk, step)
        await hear(desk, msgspec.json.decode(event, type=KINDS[kind]))


if __name__ == "__main__":
    asyncio.run(bring(*sys.argv[1:]))
