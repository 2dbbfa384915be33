"""What Stripe told is stored once, worked off whatever dies, tried again after growing pauses, never lost silently."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.model import SignIn
from infra.errors import Unavailable
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import Postgres, open_postgres
from infra.stores.redis import Redis
from payments import inbox
from payments.errors import BooksDisagree, StripeUnavailable
from payments.inbox import LONGEST_PAUSE, MOST_ATTEMPTS, Worker, dead_events, pause_after, revive
from tests.accounts.world import MovedClock
from tests.payments.inbox_child import STEPS
from tests.payments.life import bought
from tests.payments.till import Till, open_till

HOUR = timedelta(hours=1)


class Looks:
    """A sync that writes down what it was asked to look at, and does as it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.raises: Exception | None = None

    def kind_of(self, event_type: str, account: str | None) -> str | None:
        return event_type.partition(".")[0] if not event_type.startswith("strange.") else None

    async def look(self, kind: str, object_id: str) -> None:
        self.seen.append((kind, object_id))
        if self.raises is not None:
            raise self.raises


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
async def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def moved(till_keys: Path, db: Postgres, redis: Redis, clock: MovedClock) -> AsyncIterator[Till]:
    async with open_till(till_keys, db, redis, clock=clock) as till:
        yield till


@pytest.fixture
def worker(moved: Till, looks: Looks, clock: MovedClock) -> Worker:
    return Worker(moved.db, looks, clock)


async def row(till: Till) -> dict[str, Any]:
    async with till.db.connection() as connection:
        [found] = await connection.fetch("SELECT * FROM webhook_inbox")
    return dict(found)


async def test_one_look_settles_all_that_waited_for_the_same_object(moved: Till, worker: Worker, looks: Looks) -> None:
    for number in range(5):
        await moved.tell("invoice.paid", "in_1", f"evt_{number}")
    await moved.tell("invoice.paid", "in_2")
    assert await worker.work_off() + await worker.work_off() == 6
    assert sorted(looks.seen) == [("invoice", "in_1"), ("invoice", "in_2")]
    assert await moved.inbox_states() == {"done": 6}


async def test_what_we_have_no_use_for_is_kept_and_not_looked_at(moved: Till, worker: Worker, looks: Looks) -> None:
    await moved.tell("strange.thing", "x_1")
    await moved.tell("balance.available", "")
    assert await worker.work_off() + await worker.work_off() == 2
    assert looks.seen == []
    assert await moved.inbox_states() == {"ignored": 2}


async def test_a_failure_is_tried_again_after_pauses_that_grow_and_given_up_with_its_reason(
    moved: Till, worker: Worker, looks: Looks, clock: MovedClock
) -> None:
    await moved.tell("invoice.paid", "in_1")
    looks.raises = BooksDisagree()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert await worker.work_off() == 1
        assert await worker.work_off() == 0, "not before its pause is over"
        assert (await row(moved))["attempts"] == attempt
        clock.offset += pause_after(attempt)
    assert ((await row(moved))["state"], (await row(moved))["failure"]) == ("dead", "payment.books_disagree")
    [given_up] = await dead_events(moved.db)
    assert given_up.object_id == "in_1"
    looks.raises = None
    await revive(moved.db)
    assert await worker.work_off() == 1
    assert await moved.inbox_states() == {"done": 1}


async def test_an_event_that_was_given_up_and_sent_again_by_hand_is_tried_again(
    moved: Till, worker: Worker, looks: Looks, clock: MovedClock
) -> None:
    await moved.tell("invoice.paid", "in_1", "evt_1")
    looks.raises = ValueError("poison")
    for _ in range(MOST_ATTEMPTS):
        await worker.work_off()
        clock.offset += LONGEST_PAUSE
    assert (await row(moved))["state"] == "dead"
    looks.raises = None
    assert await moved.tell("invoice.paid", "in_1", "evt_1")
    assert await worker.work_off() == 1
    assert await moved.inbox_states() == {"done": 1}
    assert not await moved.tell("invoice.paid", "in_1", "evt_1"), "done is done"


async def test_a_stripe_that_is_away_uses_up_no_attempts(
    moved: Till, worker: Worker, looks: Looks, clock: MovedClock
) -> None:
    await moved.tell("invoice.paid", "in_1")
    looks.raises = StripeUnavailable(retry_after_ms=5000)
    for _ in range(3 * MOST_ATTEMPTS):
        assert await worker.work_off() == 1
        assert await worker.work_off() == 0
        clock.offset += timedelta(seconds=5)
    assert ((await row(moved))["state"], (await row(moved))["attempts"]) == ("waiting", 0)
    looks.raises = None
    assert await worker.work_off() == 1
    assert await moved.inbox_states() == {"done": 1}


async def test_a_poisonous_event_stops_nobody_else(moved: Till, looks: Looks, clock: MovedClock) -> None:
    class Picky(Looks):
        async def look(self, kind: str, object_id: str) -> None:
            if object_id == "in_bad":
                raise RuntimeError("bad")
            await super().look(kind, object_id)

    picky = Picky()
    for object_id in ("in_1", "in_bad", "in_2"):
        await moved.tell("invoice.paid", object_id)
    worker = Worker(moved.db, picky, clock)
    while await worker.work_off():
        pass
    assert sorted(picky.seen) == [("invoice", "in_1"), ("invoice", "in_2")]
    assert await moved.inbox_states() == {"done": 2, "waiting": 1}


async def test_what_was_settled_long_ago_is_forgotten(moved: Till, worker: Worker, clock: MovedClock) -> None:
    await moved.tell("invoice.paid", "in_1")
    await worker.work_off()
    await worker.tidy()
    assert await moved.inbox_states() == {"done": 1}
    clock.offset += inbox.KEPT + HOUR
    await worker.tidy()
    assert await moved.inbox_states() == {}


async def test_an_event_wakes_the_worker_of_another_process(
    moved: Till, looks: Looks, clock: MovedClock, migrated: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polling is off, so only the NOTIFY can have done it."""
    monkeypatch.setattr(inbox, "POLL_SECONDS", 600.0)
    async with open_postgres(replace(migrated, pool_size=8)) as elsewhere:
        running = asyncio.create_task(Worker(elsewhere, looks, clock).run())
        async with moved.db.connection() as connection:
            for _ in range(500):
                if await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'"
                ):
                    break
                await asyncio.sleep(0.01)
        await moved.tell("invoice.paid", "in_1")
        for _ in range(500):
            if (await moved.inbox_states()).get("done"):
                break
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait({running})
    assert looks.seen == [("invoice", "in_1")]


async def test_an_outage_of_the_database_ends_no_worker(moved: Till, looks: Looks, clock: MovedClock) -> None:
    class Broken(Worker):
        rounds = 0

        async def work_off(self) -> int:
            Broken.rounds += 1
            if Broken.rounds < 3:
                raise Unavailable
            return await super().work_off()

    await moved.tell("invoice.paid", "in_1")
    running = asyncio.create_task(Broken(moved.db, looks, clock).run())
    for _ in range(1000):
        if looks.seen:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert looks.seen == [("invoice", "in_1")]


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_is_killed_leaves_nothing_undone_and_nothing_twice(
    step: str, till: Till, migrated: PostgresSettings, redis_settings: RedisSettings, till_keys: Path
) -> None:
    viewer: SignIn = await till.world.person()
    creator = await till.world.person("cleo@example.com", "Cleo")
    order = await till.order(viewer, "channel-2", creator.user.id)
    for event in bought(till.shelf, order):
        await till.tell(*event)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.payments.inbox_child", step, migrated.url, ",".join(redis_settings.nodes),
        str(till_keys), order.id, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert await child.wait() == -signal.SIGKILL
    async with till.db.connection() as connection:  # as if the time of a look had passed
        await connection.execute("UPDATE webhook_inbox SET next_at = received_at WHERE state = 'waiting'")
    await till.work()
    assert await till.inbox_states() == {"done": 4}
    assert [entry.cause for entry in await till.books()] == ["invoice:in_1:paid", "fee:txn_1"]
    assert len(await till.subscriptions(viewer)) == len(await till.rights_of(viewer)) == 1
    assert await till.order_state(order) == "paid"
    for topic in ("order_changed", "subscription_changed", "earnings_changed"):
        assert len(await till.events(f"payment.{topic}")) == 1, topic
