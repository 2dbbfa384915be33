"""What administrators may do besides giving back (`refunds.py`): look somebody up, give rights away, stop payouts.

Each needs what `gate.py` asks for, and leaves a row in `payment_audit` with what was before and after, in the
transaction that does it.
"""

from datetime import datetime
from typing import Protocol

import msgspec

from accounts import repository as accounts
from accounts.model import Identity, User
from accounts.roles import may_create
from infra import cursors
from infra.clock import Clock, new_id
from infra.errors import Invalid
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import audit_rows, customer_rows
from payments import payout_rows as rows
from payments.audit_rows import Deed
from payments.errors import (
    ChannelNotForSale,
    CustomerNotFound,
    GivenNotFound,
    OwnChannel,
    PlanDoesNotFit,
)
from payments.gate import Gate
from payments.ledger.journal import Balance, Journal
from payments.model import Payout, PayoutAccount, Plan, Right
from payments.plans import Plans
from payments.rights import right_of_comp


class Rights(Protocol):
    """Who may do what. What is changed reaches sessions before the commit: called last."""

    async def put(self, connection: Connection, *rights: Right) -> None: ...

    async def of(self, connection: Connection, user_id: str) -> list[Right]: ...


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that payments know of somebody: as a buyer, and as a creator."""

    user: User
    stripe_customer_id: str | None
    orders: list[customer_rows.ShownOrder]
    subscriptions: list[customer_rows.ShownSubscription]
    payments: list[customer_rows.ShownPayment]
    rights: list[Right]
    payout_account: PayoutAccount | None
    balances: list[Balance]
    payouts: list[Payout]
    deeds: list[Deed]


class Admin:
    """The desk of administrators. Every method raises `AdminsOnly` and `FreshSignInNeeded` first."""

    def __init__(
        self,
        db: Postgres,
        journal: Journal,
        plans: Plans,
        rights: Rights,
        gate: Gate,
        *,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._db = db
        self._journal = journal
        self._plans = plans
        self._rights = rights
        self._gate = gate
        self._outbox = outbox
        self._clock = clock

    async def look_up(self, actor: Identity, text: str) -> Dossier:
        """Somebody by e-mail, name, or any id of ours or Stripe's. Raises `CustomerNotFound`, `NameNotUnique`."""
        await self._gate.require(actor)
        async with self._db.transaction() as connection:
            user = await customer_rows.find_user(connection, text)
            if user is None:
                raise CustomerNotFound
            await audit_rows.record(connection, self._gate.deed(actor, "look_up", user.id))
            return await self._dossier(connection, user)

    async def deeds(
        self, actor: Identity, user_id: str | None, cursor: str | None, limit: int
    ) -> tuple[list[Deed], str | None]:
        """What administrators did, the newest first. Raises `Invalid` for a cursor that is not ours."""
        await self._gate.require(actor)
        before = cursors.decode(cursor, tuple[datetime, str])
        async with self._db.connection() as connection:
            found = await audit_rows.deeds(connection, user_id, before, limit + 1)
        return cursors.cut(found, limit, lambda one: (one.at, one.id))

    async def comp(
        self, actor: Identity, user_id: str, plan_id: str, creator_id: str | None, until: datetime | None, reason: str
    ) -> Right:
        """Give a right away; `until` None is until it is taken back.

        Raises `CustomerNotFound`, `PlanUnknown`, `PlanDoesNotFit`, `ChannelNotForSale`, `OwnChannel`, `Invalid`.
        """
        await self._gate.require(actor)
        plan, now, comp_id = self._plans.get(plan_id), self._clock(), new_id()
        if until is not None and until <= now:
            raise Invalid(fields={"until": "must be ahead"})
        async with self._db.transaction() as connection:
            await self._require_givable(connection, user_id, plan, creator_id)
            given = right_of_comp(comp_id, user_id, plan, creator_id, now, until)
            before = [one for one in await self._rights.of(connection, user_id) if one.scope == given.scope]
            deed = self._gate.deed(
                actor, "comp", user_id, about=given.source, reason=reason, before=before, after=given
            )
            await audit_rows.record(connection, deed)
            await self._rights.put(connection, given)
        self._outbox.nudge()
        return given

    async def end_comp(self, actor: Identity, user_id: str, source: str, reason: str) -> Right:
        """Take back what was given away (`comp:<id>`), from now on. Raises `GivenNotFound`."""
        await self._gate.require(actor)
        async with self._db.transaction() as connection:
            await accounts.lock(connection, user_id)
            there = next((one for one in await self._rights.of(connection, user_id) if one.source == source), None)
            now = self._clock()
            if there is None or not source.startswith("comp:") or (there.until is not None and there.until <= now):
                raise GivenNotFound
            ended = msgspec.structs.replace(there, until=max(now, there.starts_at))
            deed = self._gate.deed(actor, "end_comp", user_id, about=source, reason=reason, before=there, after=ended)
            await audit_rows.record(connection, deed)
            await self._rights.put(connection, ended)
        self._outbox.nudge()
        return ended

    async def freeze(self, actor: Identity, creator_id: str, reason: str) -> PayoutAccount:
        """Stop a creator's payouts. When this returns, nothing more is sent. Raises `CustomerNotFound`."""
        return await self._set_frozen(actor, creator_id, reason, is_frozen=True)

    async def unfreeze(self, actor: Identity, creator_id: str, reason: str) -> PayoutAccount:
        """Let them go; what was asked for before is sent now. Raises `CustomerNotFound`."""
        return await self._set_frozen(actor, creator_id, reason, is_frozen=False)

    # --- pieces

    async def _dossier(self, connection: Connection, user: User) -> Dossier:
        return Dossier(
            user=user,
            stripe_customer_id=await customer_rows.customer_id_of(connection, user.id),
            orders=await customer_rows.orders_of(connection, user.id),
            subscriptions=await customer_rows.subscriptions_of(connection, user.id),
            payments=await customer_rows.payments_of(connection, user.id),
            rights=(await self._rights.of(connection, user.id))[: customer_rows.MOST],
            payout_account=await rows.find_account(connection, user.id),
            balances=await self._journal.balances(connection, user.id),
            payouts=await rows.payouts_of(connection, user.id, None, customer_rows.MOST),
            deeds=await audit_rows.deeds(connection, user.id, None, customer_rows.MOST),
        )

    async def _require_givable(self, connection: Connection, user_id: str, plan: Plan, creator_id: str | None) -> None:
        if await accounts.lock(connection, user_id) is None:
            raise CustomerNotFound
        if (plan.scope == "channel") != (creator_id is not None):
            raise PlanDoesNotFit
        if creator_id is None:
            return
        creator = await accounts.find(connection, creator_id)
        if creator is None or not may_create(creator.role):
            raise ChannelNotForSale
        if creator_id == user_id:
            raise OwnChannel

    async def _set_frozen(self, actor: Identity, creator_id: str, reason: str, *, is_frozen: bool) -> PayoutAccount:
        await self._gate.require(actor)
        now = self._clock()
        async with self._db.transaction() as connection:
            if await accounts.find(connection, creator_id) is None:
                raise CustomerNotFound
            await rows.hold_sending(connection, creator_id)
            before = await rows.find_account(connection, creator_id)
            by_id = actor.user_id if is_frozen else None
            after = await rows.set_frozen(connection, creator_id, by_id, reason if is_frozen else None, now)
            if not is_frozen:
                await rows.wake_payouts(connection, creator_id, now)
            action = "freeze_payouts" if is_frozen else "unfreeze_payouts"
            deed = self._gate.deed(
                actor, action, creator_id, reason=reason, before=_frozen(before), after=_frozen(after)
            )
            await audit_rows.record(connection, deed)
        return after


def _frozen(account: PayoutAccount | None) -> dict[str, object]:
    return {
        "frozen_at": account.frozen_at if account else None,
        "frozen_reason": account.frozen_reason if account else None,
    }
