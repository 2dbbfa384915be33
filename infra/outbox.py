"""The outbox: an event is stored in the transaction that made it true, and reaches the bus afterwards.

So a crash between commit and publish loses nothing, and nothing is published that was rolled back. Each process that
writes runs a `Relay`; `nudge()` after a commit makes it publish within milliseconds, a poll every `POLL_SECONDS` picks
up what a dead process left behind.

What order is promised: two events of one aggregate are published in the order of their transactions, if `add` is
called after the transaction locked (changed) the aggregate's row; events of different aggregates may change places.
That needs one relay at a time, so relays take turns on an advisory lock: with SKIP LOCKED instead, one relay could
publish the second event while another still holds the first. A relay that dies between publish and delete publishes
again, under the same id, which the bus handles once.
"""

import asyncio
import contextlib
from typing import Protocol
from uuid import UUID

from asyncpg import Record

from infra.bus.port import Message
from infra.errors import FootlightError
from infra.events import Event
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.stores.postgres import Connection, Postgres

POLL_SECONDS = 2.0
PAUSE_SECONDS = 1.0
BATCH = 100
LOCK = 0x4F7574626F78  # "Outbox"

log = get_logger(__name__)


class Outbox:
    """Where domains put events. `add` inside the transaction, `nudge` after it."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()

    async def add(self, connection: Connection, event: Event) -> None:
        message = event.to_message()
        await connection.execute(
            "INSERT INTO outbox (id, topic, body, correlation_id, at) VALUES ($1, $2, $3, $4, $5)",
            message.id, message.topic, message.body, message.correlation_id, message.at,
        )  # fmt: skip

    def nudge(self) -> None:
        self.waiting.set()


class Publisher(Protocol):
    """The part of the bus that a relay needs."""

    async def publish(self, message: Message) -> None: ...


class Relay:
    """Moves stored events to the bus until cancelled. Cancelling may publish the batch in hand a second time."""

    def __init__(self, db: Postgres, bus: Publisher, outbox: Outbox, metrics: Metrics) -> None:
        self._db = db
        self._bus = bus
        self._outbox = outbox
        self._metrics = metrics

    async def run(self) -> None:
        while True:
            try:
                while await self.publish_batch() == BATCH:
                    pass
                await self.measure()
            except FootlightError as failure:
                log.error("outbox.delayed", code=failure.code)
                await asyncio.sleep(PAUSE_SECONDS)  # nudges go on; each would ask a bus that is down
            except Exception:
                # Whatever it was, without this loop no event of the process would be published again.
                log.exception("outbox.failed")
                await asyncio.sleep(PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._outbox.waiting.wait()
            self._outbox.waiting.clear()

    async def publish_batch(self) -> int:
        """Publish the oldest events, in order, and forget them; returns how many.

        When the bus fails in the middle, what it took is forgotten, the rest stays, and the failure is raised.
        """
        published: list[UUID] = []
        failure: FootlightError | None = None
        async with self._db.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            rows = await connection.fetch(
                "SELECT id, topic, body, correlation_id, at FROM outbox ORDER BY sequence LIMIT $1", BATCH
            )
            try:
                for row in rows:
                    await self._bus.publish(_message(row))
                    published.append(row["id"])
            except FootlightError as refused:
                failure = refused
            if published:
                await connection.execute("DELETE FROM outbox WHERE id = ANY($1)", published)
        if failure:
            await self.measure()
            raise failure
        return len(rows)

    async def measure(self) -> None:
        """Tell the metrics how many events wait."""
        async with self._db.connection() as connection:
            self._metrics.outbox_backlog.set(await connection.fetchval("SELECT count(*) FROM outbox"))


def _message(row: Record) -> Message:
    return Message(str(row["id"]), row["topic"], row["body"], row["at"], row["correlation_id"])
