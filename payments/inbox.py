"""What Stripe told us, stored before it is answered and worked off afterwards, however often a process dies.

An event is stored once (`UNIQUE (source, event_id)`), so all its copies are one. Working one off means looking at the
object it names; what that finds is written by `sync.py` under causes of its own, so looking twice is harmless. A look
settles every event that waited for the same object before it began.

Who takes an event moves its `next_at` beyond the time a look may take: nobody else takes it meanwhile, and if the
process dies somebody does after that. A failure of ours counts, with pauses that grow, and after `MOST_ATTEMPTS` the
event is dead and an operator is told; a Stripe that does not answer counts for nothing.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
import msgspec

from infra.clock import Clock
from infra.errors import FootlightError, Unavailable
from infra.logs import correlated, get_logger
from infra.stores.postgres import Connection, Postgres
from payments.stripe.webhooks import Told, read_webhook

SOURCE = "stripe"
CHANNEL = "webhook_inbox"  # a NOTIFY for each new event wakes the workers of all nodes
POLL_SECONDS = 1.0  # for what a NOTIFY was lost of, and for what is tried again
PAUSE_SECONDS = 1.0
LANES = 4  # looks at once: each holds a connection while Stripe is asked
MOST_COPIES = 200
LOOK_SECONDS = 30.0  # far above what one takes: four tries of 5 s, and Stripe's pauses
STRIPE_AWAY = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 14  # with pauses of 2, 4, 8 s ... 1 h: given up after four hours
KEPT = timedelta(days=35)  # Stripe itself keeps events for 30 days

log = get_logger(__name__)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An event in hand. `attempts` includes this one."""

    id: int
    event_id: str
    type: str
    object_id: str
    account: str | None
    attempts: int
    received_at: datetime


class Sync(Protocol):
    """Who makes ours what Stripe's is."""

    def kind_of(self, event_type: str, account: str | None) -> str | None:
        """What kind of object events of this type are about; None when we have no use for them."""
        ...

    async def look(self, kind: str, object_id: str) -> None:
        """Look at an object as it is now, and write what follows from it."""
        ...


class Inbox:
    """Stores events. Any process that answers webhooks has one."""

    def __init__(self, db: Postgres, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def store(self, told: Told, body: bytes) -> bool:
        """Keep an event, once; False when it was there. One that was given up is taken up again."""
        async with self._db.connection() as connection:
            new = await connection.fetchval(
                "WITH stored AS (INSERT INTO webhook_inbox "
                "(source, event_id, type, object_id, account, body, next_at, occurred_at, received_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $8, $7, $8) ON CONFLICT (source, event_id) DO UPDATE "
                "SET state = 'waiting', attempts = 0, next_at = $8 WHERE webhook_inbox.state = 'dead' RETURNING id) "
                "SELECT pg_notify($9, '') IS NOT NULL FROM stored",
                SOURCE, told.event_id, told.type, told.object_id, told.account, body, told.created, self._clock(),
                CHANNEL,
            )  # fmt: skip
        return bool(new)


class Webhooks:
    """Takes what is signed with one of `secrets`, and nothing else."""

    def __init__(self, inbox: Inbox, secrets: Sequence[str], clock: Clock) -> None:
        self._inbox = inbox
        self._secrets = secrets
        self._clock = clock

    async def take(self, body: bytes, signature: str) -> None:
        """Verify and store. Raises `WebhookRefused`, and then nothing has changed."""
        told = read_webhook(body, signature, self._secrets, self._clock())
        await self._inbox.store(told, body)


class Worker:
    """Works off what waits, until cancelled. Any number of processes may run one."""

    def __init__(self, db: Postgres, sync: Sync, clock: Clock, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._db = db
        self._sync = sync
        self._clock = clock
        self._look_seconds = look_seconds
        self._woken = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear())
            for _ in range(LANES):
                tasks.create_task(self._work())

    async def work_off(self) -> int:
        """Take what is due of one object, look at it, say what came of it; returns how many events there were."""
        taken = await self._take()
        kinds = {one.id: self._sync.kind_of(one.type, one.account) for one in taken}
        for kind in dict.fromkeys(kinds.values()):
            events = [one for one in taken if kinds[one.id] == kind]
            await self._settle(kind, events)
        return len(taken)

    async def tidy(self) -> None:
        """Forget what was settled long ago."""
        async with self._db.connection() as connection:
            await connection.execute(
                "DELETE FROM webhook_inbox WHERE state IN ('done', 'ignored') AND received_at < $1",
                self._clock() - KEPT,
            )

    async def _work(self) -> None:
        while True:
            try:
                while await self.work_off():
                    pass
            except FootlightError as failure:
                log.error("inbox.delayed", code=failure.code)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                # Whatever it was, without this loop no payment would be noticed any more.
                log.exception("inbox.broken")
                await asyncio.sleep(PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _hear(self) -> None:
        """Wake at every NOTIFY. Without a connection the poll goes on."""
        while True:
            with contextlib.suppress(FootlightError):
                async with self._db.connection() as connection:
                    await self._listen(connection)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self, connection: Connection) -> None:
        lost = asyncio.Event()

        def heard(*_: object) -> None:
            self._woken.set()

        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, heard)
        try:
            await lost.wait()
        finally:
            if not connection.is_closed():
                await connection.remove_listener(CHANNEL, heard)

    async def _take(self) -> list[Waiting]:
        now = self._clock()
        async with self._db.connection() as connection:
            rows = await connection.fetch(_TAKE, now, now + timedelta(seconds=self._look_seconds), MOST_COPIES)
        return [_waiting(row) for row in rows]

    async def _settle(self, kind: str | None, events: Sequence[Waiting]) -> None:
        """One look for all of them. What goes wrong is written down and tried again."""
        if kind is None or not events[0].object_id:
            await self._finish(events, "ignored")
            return
        with correlated(events[-1].event_id):
            try:
                await self._sync.look(kind, events[-1].object_id)
                await self._finish(events, "done")
            except Unavailable as away:
                await self._postpone(events, away)
            except Exception as failure:  # noqa: BLE001  # a poisonous event must not stop the others; it is logged
                await self._fail(events, failure)

    async def _finish(self, events: Sequence[Waiting], state: str) -> None:
        async with self._db.connection() as connection:
            await connection.execute(
                "UPDATE webhook_inbox SET state = $2, failure = NULL, done_at = $3 WHERE id = ANY($1)",
                [one.id for one in events], state, self._clock(),
            )  # fmt: skip

    async def _postpone(self, events: Sequence[Waiting], away: Unavailable) -> None:
        wait = max(STRIPE_AWAY, timedelta(milliseconds=away.retry_after_ms or 0))
        log.info("inbox.postponed", code=away.code, events=len(events))
        async with self._db.connection() as connection:
            await connection.execute(
                "UPDATE webhook_inbox SET attempts = attempts - 1, next_at = $2, failure = $3 WHERE id = ANY($1)",
                [one.id for one in events], self._clock() + wait, away.code,
            )  # fmt: skip

    async def _fail(self, events: Sequence[Waiting], failure: Exception) -> None:
        why = failure.code if isinstance(failure, FootlightError) else type(failure).__name__
        now = self._clock()
        for one in events:
            dead = one.attempts >= MOST_ATTEMPTS
            if dead or one.attempts == 1:
                what = "inbox.dead" if dead else "inbox.failed"
                log.error(what, event_id=one.event_id, type=one.type, exc_info=failure)
            async with self._db.connection() as connection:
                await connection.execute(
                    "UPDATE webhook_inbox SET state = $2, next_at = $3, failure = $4 WHERE id = $1",
                    one.id, "dead" if dead else "waiting", now + pause_after(one.attempts), why,
                )  # fmt: skip


def pause_after(attempts: int) -> timedelta:
    """2, 4, 8 s ... 1 h."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), LONGEST_PAUSE)


async def backlog(db: Postgres) -> dict[str, int]:
    """How many events wait, and how many were given up."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT state, count(*) AS count FROM webhook_inbox WHERE state IN ('waiting', 'dead') GROUP BY state"
        )
    return {"waiting": 0, "dead": 0, **{row["state"]: row["count"] for row in rows}}


async def dead_events(db: Postgres) -> list[Waiting]:
    """What was given up, oldest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT id, event_id, type, object_id, account, attempts, received_at FROM webhook_inbox "
            "WHERE state = 'dead' ORDER BY id LIMIT 1000"
        )
    return [_waiting(row) for row in rows]


async def revive(db: Postgres) -> None:
    """Have everything that was given up tried again."""
    async with db.connection() as connection:
        await connection.execute(
            "UPDATE webhook_inbox SET state = 'waiting', attempts = 0, next_at = received_at WHERE state = 'dead'"
        )


# Siblings are taken with SKIP LOCKED too: two lanes that each hold one would wait for each other for ever.
_TAKE = """
WITH first AS (
    SELECT object_id FROM webhook_inbox WHERE state = 'waiting' AND next_at <= $1
    ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
), mine AS (
    SELECT id FROM webhook_inbox
    WHERE state = 'waiting' AND next_at <= $1 AND object_id = (SELECT object_id FROM first)
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE webhook_inbox SET attempts = attempts + 1, next_at = $2 WHERE id IN (SELECT id FROM mine)
RETURNING id, event_id, type, object_id, account, attempts, received_at
"""


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(**{**row, "object_id": row["object_id"] or ""})
