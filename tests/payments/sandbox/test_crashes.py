"""A node or a worker that is killed between any two steps of buying, renewing and giving: 0 lost, 0 doubled.

Real processes, PostgreSQL, Redis and the sandbox. `CRASHES=all pytest tests/payments/sandbox/test_crashes.py` dies at
every step; without it at one of each story, another every day. Payouts are in `tests/payments/test_payout_crashes.py`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.clock import system_clock
from infra.settings import PostgresSettings, RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from payments.model import Order
from tests.payments.sandbox.crash_child import STORIES
from tests.payments.sandbox.running import Running
from tests.payments.sandbox.till import SandboxTill, open_sandbox_till

MONTH_AND_A_DAY = 32
EVERY = [(story, step) for story, steps in STORIES.items() for step in steps]
TODAY = system_clock().toordinal()
SOME = [(story, steps[TODAY % len(steps)]) for story, steps in STORIES.items()]
CHOSEN = EVERY if os.environ.get("CRASHES") == "all" else SOME


@pytest.fixture
async def till(till_keys: Path, db: Postgres, redis: Redis, sandbox: Running) -> AsyncIterator[SandboxTill]:
    async with open_sandbox_till(till_keys, db, redis, sandbox) as till:
        yield till


@pytest.mark.parametrize(("story", "step"), CHOSEN)
async def test_whoever_is_killed_loses_nothing_and_doubles_nothing(
    till: SandboxTill, till_keys: Path, migrated: PostgresSettings, redis_settings: RedisSettings, story: str, step: str
) -> None:
    ada, bea = await till.world.person(), await till.world.person("bea@example.com", "Bea")
    order = await prepare(till, story, ada.user.id, bea.user.id)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.payments.sandbox.crash_child", story, step, migrated.url,
        ",".join(redis_settings.nodes), str(till_keys), till.sandbox.url, ada.user.id,
        order.id if order and story == "return" else bea.user.id,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert await child.wait() == -signal.SIGKILL
    await go_on(till, story, ada.user.id, bea.user.id)
    await require_once(till, story, bea.user.id if "gift" in story else ada.user.id)


async def prepare(till: SandboxTill, story: str, user_id: str, friend_id: str) -> Order | None:
    """Everything that comes before the part in which somebody dies."""
    if story in ("checkout", "gift order"):
        return None
    order = await (till.give(user_id, friend_id) if story == "gift" else till.buy(user_id))
    assert order.stripe_session_id is not None
    paid = await till.sandbox.pay(order.stripe_session_id)
    if story == "renewal":
        await till.hear()
        await till.work()
        await till.sandbox.advance(paid["customer"], days=MONTH_AND_A_DAY)
    await till.hear()
    return order


async def go_on(till: SandboxTill, story: str, user_id: str, friend_id: str) -> None:
    """They click again, pay if they had not, and a worker takes over."""
    if story in ("checkout", "gift order"):
        again = await (till.buy(user_id) if story == "checkout" else till.give(user_id, friend_id))
        assert again.stripe_session_id is not None
        await till.sandbox.pay(again.stripe_session_id)
        await till.hear()
    await till.work()


async def require_once(till: SandboxTill, story: str, holder_id: str) -> None:
    [order] = await till.rows("SELECT state FROM orders")
    [right] = await till.rows("SELECT user_id, until > now() AS stands FROM rights")
    [tier] = await till.rows("SELECT subscription_tier FROM users WHERE id = $1", holder_id)
    assert (order["state"], str(right["user_id"]), right["stands"]) == ("paid", holder_id, True)
    assert tier["subscription_tier"] == "premium"
    payments = 2 if story == "renewal" else 1
    assert sorted(entry.kind for entry in await till.books()) == ["fee"] * payments + ["payment"] * payments
    taken = [one async for one in till.calls.lists.payments()]
    assert [one.status for one in taken] == ["succeeded"] * payments
    told = [topic for topic, _ in await till.world.told() if topic == "payment.order_changed"]
    assert len(told) == 1
    assert {row["state"] for row in await till.rows("SELECT state FROM webhook_inbox")} <= {"done", "ignored"}
    await till.require_all_is_well()
