"""Gifts and paid messages, wired: ordered through the API, brought about by whoever looks at a payment, looked after by
the worker."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.core import Core, running
from infra.clock import system_clock
from infra.forever import forever
from payments import giving as giving_gifts
from payments import returning as returning_money
from payments.customers import Customers
from payments.effects import PaidOnce
from payments.entitlements import Rights
from payments.gifts import Gifts
from payments.giving import Giving
from payments.orders import Orders
from payments.paid_messages import PaidMessages, Saying
from payments.plans import Plans
from payments.returning import Returning
from payments.stripe.calls import Calls
from payments.sync import Sync
from realtime import paid as showing
from realtime.bought import follow_bought


@dataclass(frozen=True)
class Selling:
    """What is paid once."""

    gifts: Gifts
    paid_messages: PaidMessages
    giving: Giving
    returning: Returning


def effects_of(core: Core, rights: Rights, plans: Plans) -> tuple[Giving, PaidOnce]:
    """What payments bring about, for every process that looks at them."""
    giving = Giving(core.db, rights, plans, core.desk.people, outbox=core.outbox, clock=system_clock)
    return giving, PaidOnce(giving, Saying(plans, outbox=core.outbox, clock=system_clock))


def open_selling(
    core: Core, calls: Calls, sync: Sync, orders: Orders, plans: Plans, rights: Rights, giving: Giving
) -> Selling:
    """It owns nothing that has to be closed."""
    public_url, customers = core.settings.web.public_url, Customers(core.db, calls, system_clock)
    return Selling(
        gifts=Gifts(core.db, orders, customers, plans, rights, core.desk.people, public_url=public_url),
        paid_messages=PaidMessages(core.db, orders, customers, plans, core.desk.paid_texts, public_url=public_url),
        giving=giving,
        returning=Returning(core.db, calls, sync),
    )


@asynccontextmanager
async def delivering(core: Core) -> AsyncIterator[None]:
    """Until the block is left, what was bought reaches its rooms, and leaves them when the money goes back."""
    desk = core.desk
    following = await follow_bought(core.bus, desk.paid_delivery, desk.paid, desk.gifts)
    try:
        sweeping = forever("paid_messages.sweeping", desk.paid_delivery.sweep, every_seconds=showing.SWEEP_SECONDS)
        async with running(sweeping):
            yield
    finally:
        await following.close()


@asynccontextmanager
async def looking_after(selling: Selling) -> AsyncIterator[None]:
    """Until the block is left, gifts that wait are given, and what could not be had is paid back."""
    async with AsyncExitStack() as stack:
        for name, work, seconds in (
            ("gifts.giving", selling.giving.sweep, giving_gifts.SWEEP_SECONDS),
            ("payments.returning", selling.returning.sweep, returning_money.SWEEP_SECONDS),
        ):
            await stack.enter_async_context(running(forever(name, work, every_seconds=seconds)))
        yield
