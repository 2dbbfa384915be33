"""The outbox: an event is stored in the transaction that made it true, and reaches the bus afterwards.

So a crash between commit and publish loses nothing, and nothing is published that was rolled back. Each process that
writes runs a `Relay`; `nudge()` after a commit makes it publish within milliseconds, a poll every `POLL_SECONDS` picks
up what a dead process left behind. Rows are taken with SKIP LOCKED, so any number of relays share the work, in order.
"""

import asyncio
import contextlib

from infra.bus.port import Bus, Message
from infra.errors import FootlightError
from infra.events import Event
from infra.logs import get_logger
from infra.stores.postgres import Connection, Postgres

POLL_SECONDS = 2.0
BATCH = 100

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


class Relay:
    """Moves stored events to the bus until cancelled."""

    def __init__(self, db: Postgres, bus: Bus, outbox: Outbox) -> None:
        self._db = db
        self._bus = bus
        self._outbox = outbox

    async def run(self) -> None:
        while True:
            try:
                while await self.publish_batch() == BATCH:
                    pass
            except FootlightError as failure:
                log.error("outbox.delayed", code=failure.code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._outbox.waiting.wait(), POLL_SECONDS)
            self._outbox.waiting.clear()

    async def publish_batch(self) -> int:
        """Publish the oldest events and forget them; returns how many."""
        async with self._db.transaction() as connection:
            rows = await connection.fetch(
                "DELETE FROM outbox WHERE id IN "
                "(SELECT id FROM outbox ORDER BY sequence LIMIT $1 FOR UPDATE SKIP LOCKED) "
                "RETURNING sequence, id, topic, body, correlation_id, at",
                BATCH,
            )
            for row in sorted(rows, key=lambda row: row["sequence"]):
                await self._bus.publish(
                    Message(str(row["id"]), row["topic"], row["body"], row["at"], row["correlation_id"])
                )
        return len(rows)
