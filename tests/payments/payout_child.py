"""A process that pays a creator and dies at a given step, as by `kill -9`: between any two things it does."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from infra.clock import system_clock
from infra.settings import PostgresSettings
from infra.stores.postgres import open_postgres
from payments import payout_rows
from tests.payments.earning import Earning, earning

# Where it dies, in the order of what happens.
STEPS = (
    "before asking", "row written", "asked and booked", "asked and committed", "taken", "before the transfer",
    "after the transfer", "row is sent", "sent and booked", "sent and committed",
)  # fmt: skip


def die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(work: Callable[..., Any]) -> Callable[..., Any]:
    async def done(*args: Any, **kwargs: Any) -> Any:
        await work(*args, **kwargs)
        die()

    return done


def arm(world: Earning, step: str) -> None:
    """Have it die there."""
    post = world.journal.post

    async def books_then_dies(connection: Any, entries: Any) -> Any:
        await post(connection, entries)
        if len(entries) == (2 if step == "sent and booked" else 1):
            die()

    places: dict[str, tuple[object, str, Callable[..., Any]]] = {
        "before asking": (world.payouts, "ask", die),
        "row written": (payout_rows, "insert_payout", then_die(payout_rows.insert_payout)),
        "asked and booked": (world.journal, "post", books_then_dies),
        "asked and committed": (world.sender, "send_next", die),
        "taken": (world.sender, "_send", die),
        "before the transfer": (world.calls, "create_transfer", die),
        "after the transfer": (world.calls, "create_transfer", then_die(world.calls.create_transfer)),
        "row is sent": (payout_rows, "set_payout", then_die(payout_rows.set_payout)),
        "sent and booked": (world.journal, "post", books_then_dies),
        "sent and committed": (world.sender, "send_next", then_die(world.sender.send_next)),
    }
    setattr(*places[step])


async def pay(postgres_url: str, stripe_url: str, creator_id: str, step: str) -> None:
    settings = PostgresSettings(url=postgres_url, pool_size=2)
    async with open_postgres(settings) as db, earning(db, stripe_url) as world:
        world.clock.now = system_clock()
        arm(world, step)
        await world.payouts.ask(creator_id, "eur", request_key="click")
        await world.sender.send_next()


if __name__ == "__main__":
    asyncio.run(pay(*sys.argv[1:]))
