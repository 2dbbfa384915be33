"""Earnings and the desk of administrators, wired for the API."""

from api.payments_admin import PaymentDesk
from gateway.core import Core
from gateway.paying import Paying
from gateway.streams_seen import ChartedStreams
from infra.clock import system_clock
from infra.stores.mongo import Mongo
from payments.admin import Admin
from payments.earnings import Earnings
from payments.gate import Gate
from payments.refunds import Refunds


def earnings_of(core: Core, paying: Paying, mongo: Mongo) -> Earnings:
    """What creators are shown."""
    return Earnings.over(
        core.db,
        paying.journal,
        paying.plans,
        paying.creators,
        paying.payouts,
        streams=ChartedStreams(core.db, mongo),
        clock=system_clock,
    )


def desk_of(core: Core, paying: Paying) -> PaymentDesk:
    """What administrators may do."""
    gate = Gate(core.accounts, system_clock)
    return PaymentDesk(
        admin=Admin(core.db, paying.journal, paying.plans, paying.rights, gate, outbox=core.outbox, clock=system_clock),
        refunds=Refunds(core.db, paying.journal, paying.calls, paying.sync, gate),
    )
