"""Payments, wired: what the API offers, and what a worker does. Off without a key of Stripe."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from gateway.core import Core, running
from gateway.selling import Selling, delivering, effects_of, looking_after, open_selling
from infra.clock import system_clock
from infra.forever import forever
from infra.logs import get_logger
from payments import orders as ordering
from payments.creators import Creators
from payments.customers import Customers
from payments.disputes import Disputes
from payments.entitlements import Rights
from payments.inbox import Inbox, Webhooks, Worker, backlog
from payments.ledger.audit import Audit
from payments.ledger.journal import Journal
from payments.orders import Orders
from payments.payouts import SCHEDULE_SECONDS, Payouts
from payments.plans import Plans, load_plans
from payments.reconcile import Reconciliation
from payments.sending import Sender
from payments.stripe.calls import Calls
from payments.stripe.client import NOBODY_WAITS, SOMEBODY_WAITS, Patience, open_stripe
from payments.subscriptions import Subscriptions
from payments.sweeping import RightsSweeper
from payments.sync import Sync

TIDY_SECONDS = 3600.0
MEASURE_SECONDS = 15.0

log = get_logger(__name__)


@dataclass(frozen=True)
class Paying:
    """What stands on Stripe. `webhooks` is None without a signing secret."""

    plans: Plans
    calls: Calls
    rights: Rights
    journal: Journal
    sync: Sync
    orders: Orders
    subscriptions: Subscriptions
    creators: Creators
    payouts: Payouts
    sender: Sender
    selling: Selling
    webhooks: Webhooks | None
    reconciliation: Reconciliation


@asynccontextmanager
async def open_paying(core: Core, patience: Patience = SOMEBODY_WAITS) -> AsyncIterator[Paying | None]:
    """None, and a line in the log, without a key."""
    settings, public_url = core.settings.stripe, core.settings.web.public_url
    if not settings.secret_key:
        log.info("payments.off", variable="FOOTLIGHT_STRIPE_SECRET_KEY")
        yield None
        return
    plans = load_plans()
    rights = Rights(core.accounts, system_clock)
    journal = Journal(system_clock, pending=timedelta(days=plans.payouts.pending_days))
    async with open_stripe(settings, core.metrics, patience=patience) as stripe:
        calls = Calls(stripe, collect_tax=settings.collect_tax)
        giving, effects = effects_of(core, rights, plans)
        sync = Sync(core.db, calls, rights, journal, plans, outbox=core.outbox, clock=system_clock, effects=effects)
        creators = Creators(core.db, journal, calls, public_url=public_url, clock=system_clock)
        payouts = Payouts(core.db, journal, plans.payouts, outbox=core.outbox, clock=system_clock)
        sender = Sender(core.db, payouts, calls, outbox=core.outbox, clock=system_clock)
        sync.also("account.updated", creators.look, connected=True)
        sync.also("transfer.", sender.look)
        sync.also("customer.deleted", Customers(core.db, calls, system_clock).look)
        sync.also("charge.dispute.", Disputes(core.db, calls, sync).look)
        orders = Orders(core.db, calls, sync, system_clock)
        yield Paying(
            plans=plans,
            calls=calls,
            rights=rights,
            journal=journal,
            sync=sync,
            orders=orders,
            subscriptions=Subscriptions(core.db, calls, sync, orders, plans, public_url=public_url, clock=system_clock),
            creators=creators,
            payouts=payouts,
            sender=sender,
            selling=open_selling(core, calls, sync, orders, plans, rights, giving),
            webhooks=_webhooks(core),
            reconciliation=Reconciliation(core.db, calls, sync, rights),
        )


@asynccontextmanager
async def working_on_payments(core: Core) -> AsyncIterator[None]:
    """Until the block is left: events are worked off, rights end in time, the books are checked every night."""
    async with AsyncExitStack() as stack:
        rights = Rights(core.accounts, system_clock)  # gifts and what an admin gave end also where nothing is sold
        await stack.enter_async_context(running(RightsSweeper(core.db, rights, core.outbox).run()))
        await stack.enter_async_context(running(Audit(core.db, core.metrics).run()))
        await stack.enter_async_context(delivering(core))
        paying = await stack.enter_async_context(open_paying(core, NOBODY_WAITS))
        if paying is not None:
            await stack.enter_async_context(looking_after(paying.selling))
            worker = Worker(core.db, paying.sync, system_clock)
            await stack.enter_async_context(running(worker.run()))
            await stack.enter_async_context(running(paying.sender.run()))
            for name, work, seconds in (
                ("inbox.tidying", worker.tidy, TIDY_SECONDS),
                ("inbox.measuring", lambda: _measure(core), MEASURE_SECONDS),
                ("orders.sweeping", paying.orders.sweep, ordering.SWEEP_SECONDS),
                ("payouts.scheduling", paying.payouts.pay_due, SCHEDULE_SECONDS),
            ):
                await stack.enter_async_context(running(forever(name, work, every_seconds=seconds)))
        yield


async def _measure(core: Core) -> None:
    for state, count in (await backlog(core.db)).items():
        core.metrics.inbox_events.labels(state).set(count)


def _webhooks(core: Core) -> Webhooks | None:
    secrets = core.settings.stripe.webhook_secrets
    if not secrets:
        log.error("webhooks.off", variable="FOOTLIGHT_STRIPE_WEBHOOK_SECRETS")
        return None
    return Webhooks(Inbox(core.db, system_clock), secrets, system_clock)
