"""A worker that is killed between any two steps of a payout loses nothing and pays nothing twice."""

import asyncio
import signal
import sys
from datetime import timedelta

import pytest

from infra.clock import system_clock
from infra.metrics import Metrics
from infra.settings import PostgresSettings
from infra.stores.postgres import Postgres
from payments.ledger.audit import Audit
from payments.sending import LEASE
from tests.payments.connect import connect
from tests.payments.earning import earning
from tests.payments.payout_child import STEPS


async def die(*arguments: str) -> int:
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.payments.payout_child", *arguments)
    return await child.wait()


@pytest.mark.parametrize("step", STEPS)
async def test_whoever_takes_over_pays_once(db: Postgres, migrated: PostgresSettings, step: str) -> None:
    async with connect() as stripe, earning(db, stripe.url) as world:
        world.clock.now = system_clock() - timedelta(days=8)
        creator_id = await world.creator("acct_1")
        await world.earn(creator_id, 5000)
        assert await die(migrated.url, stripe.url, creator_id, step) == -signal.SIGKILL

        world.clock.now = system_clock() + LEASE
        if STEPS.index(step) < STEPS.index("asked and committed"):
            assert (await world.payouts.page(creator_id, None, 10))[0] == []
        payout = await world.payouts.ask(creator_id, "eur", request_key="click")  # the creator clicks again
        while await world.sender.send_next():
            pass

        assert (await world.payout(payout.id)).state == "sent"
        assert len((await world.payouts.page(creator_id, None, 10))[0]) == 1
        assert stripe.paid_to("acct_1") == 5000
        assert await world.booked(payout.id) == ["payout_asked", "payout_sent"]
        assert await world.account_balances(creator_id) == {"creator": 0, "transit": 0}
        assert (await Audit(db, Metrics()).check()).findings == []
