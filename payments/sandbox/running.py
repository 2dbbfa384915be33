"""The whole sandbox, opened: its file, what it tells, its time, and the app that a server serves."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from litestar.types import ASGIApp

from infra.forever import forever
from payments.sandbox.app import KEY_BEGINS, create_app
from payments.sandbox.deliveries import Deliveries, Endpoint
from payments.sandbox.desk import Desk
from payments.sandbox.errors import CannotStart
from payments.sandbox.faults import Faults
from payments.sandbox.store import open_store

TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """`file` holds everything; `url` is where people open the pages; no `endpoint`: nobody is told.

    `key` is the only one taken; empty: any test key. Raises `CannotStart` for a key of real money.
    """

    file: Path
    url: str
    key: str = ""
    endpoint: Endpoint | None = None
    anywhere: bool = False

    def __post_init__(self) -> None:
        if self.key and not self.key.startswith(KEY_BEGINS):
            raise CannotStart("The sandbox takes keys that begin with sk_test_, never a real one.")


@asynccontextmanager
async def open_sandbox(options: Options, now: Callable[[], float] = time.time) -> AsyncIterator[ASGIApp]:
    """Until the block is left, time passes and webhooks are sent."""
    with open_store(options.file) as store:
        listeners = 1 if options.endpoint else 0
        desk = Desk(store, now, _new_id, options.url.rstrip("/"), listeners=listeners)

        async def tick() -> None:
            if store.due(int(now())):
                desk.tick()

        app = create_app(desk, Faults([]), key=options.key, anywhere=options.anywhere)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(forever("sandbox.time", tick, every_seconds=TICK_SECONDS))]
            if options.endpoint:
                running.append(tasks.create_task(_deliver(desk, options.endpoint, now)))
            try:
                yield app
            finally:
                for one in running:
                    one.cancel()


async def _deliver(desk: Desk, endpoint: Endpoint, now: Callable[[], float]) -> None:
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as http:
        deliveries = Deliveries(desk.store, endpoint, http, now)
        desk.changed = deliveries.nudge
        with contextlib.suppress(asyncio.CancelledError):
            await deliveries.run()


def _new_id() -> str:
    return secrets.token_hex(12)
