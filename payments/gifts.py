"""Ordering gifts, and lists of them. What comes of a paid order is in `giving.py`."""

from datetime import datetime

import msgspec
from stripe.params.checkout import SessionCreateParams

from infra import cursors
from infra.errors import Invalid
from infra.stores.postgres import Connection, Postgres
from payments import gift_rows
from payments.customers import Customers
from payments.entitlements import Rights
from payments.errors import CannotBeGiven, ChannelNotForSale, NameNotUnique, PlanDoesNotFit, RecipientUnknown
from payments.giving import GiftDetails, Rooms
from payments.model import Gift, Order, Plan
from payments.orders import Orders, Wanted
from payments.pages import payment_page
from payments.plans import Plans
from payments.rights import GIFT, in_turn


class WantedGift(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to give: to a person, by id or name, or without one to the room of `stream_id`.

    With a person, `stream_id` is where it is told, if anywhere. `creator_id` is the channel of a channel's plan.
    """

    plan_id: str
    creator_id: str | None = None
    recipient_id: str | None = None
    recipient_name: str | None = None
    stream_id: str | None = None
    quantity: int = 1
    months: int = 1


class Gifts:
    """What people give. `public_url` is where the payment page leads back to."""

    def __init__(
        self,
        db: Postgres,
        orders: Orders,
        customers: Customers,
        plans: Plans,
        rights: Rights,
        rooms: Rooms,
        *,
        public_url: str,
    ) -> None:
        self._db = db
        self._orders = orders
        self._customers = customers
        self._plans = plans
        self._rights = rights
        self._rooms = rooms
        self._return_url = f"{public_url.rstrip('/')}/checkout/"

    async def begin(self, giver_id: str, wanted: WantedGift, *, request_key: str | None = None) -> Order:
        """The order for gifts, with its payment page. The same `request_key` gives the same order again.

        Raises `PlanUnknown`, `PlanDoesNotFit`, `Invalid`, `RecipientUnknown`, `NameNotUnique`, `CannotBeGiven`,
        `StreamIsNotLive`, and what `Orders.begin` raises.
        """
        plan = self._plans.get(wanted.plan_id)
        self._require_possible(plan, wanted)
        if wanted.stream_id is not None:
            channel_id = await self._rooms.channel_of(wanted.stream_id)
            if wanted.creator_id not in (None, channel_id):
                raise ChannelNotForSale
        details = GiftDetails(months=wanted.months, recipient_id=await self._recipient(giver_id, wanted))
        ordered = Wanted(
            kind="gift", plan_id=plan.id, creator_id=wanted.creator_id, stream_id=wanted.stream_id,
            quantity=wanted.quantity, amount_minor=plan.amount_minor * wanted.months, currency=plan.currency,
            details=msgspec.to_builtins(details),
        )  # fmt: skip

        async def page(order: Order) -> SessionCreateParams:
            name = f"Gift: {plan.name}, {_months(wanted.months)}"
            return payment_page(order, await self._customers.of(giver_id), name, self._return_url)

        return await self._orders.begin(giver_id, ordered, page, request_key=request_key)

    async def given(self, user_id: str, cursor: str | None, limit: int) -> tuple[list[Gift], str | None]:
        """What somebody gave, newest first, and where the list goes on. Raises `Invalid` for a cursor of others."""
        async with self._db.connection() as connection:
            return await _page(connection, "giver_id", user_id, cursor, limit)

    async def of_channel(self, creator_id: str, cursor: str | None, limit: int) -> tuple[list[Gift], str | None]:
        """What was given of a channel's plans, as `given`."""
        async with self._db.connection() as connection:
            return await _page(connection, "creator_id", creator_id, cursor, limit)

    async def received(self, user_id: str, cursor: str | None, limit: int) -> tuple[list[Gift], str | None]:
        """What somebody got, as `given`; each with the time that it has in the row of gifts."""
        async with self._db.connection() as connection:
            gifts, following = await _page(connection, "recipient_id", user_id, cursor, limit)
            turns = {right.source: right for right in in_turn(await self._rights.of(connection, user_id))}
        return [
            msgspec.structs.replace(one, starts_at=turn.starts_at, until=turn.until)
            if (turn := turns.get(GIFT + one.id))
            else one
            for one in gifts
        ], following

    def _require_possible(self, plan: Plan, wanted: WantedGift) -> None:
        if plan.interval != "month" or (plan.scope == "channel") != (wanted.creator_id is not None):
            raise PlanDoesNotFit(plan_id=plan.id)
        rules = self._plans.gifts
        names_somebody = wanted.recipient_id is not None or wanted.recipient_name is not None
        wrong: dict[str, str] = {}
        if not 1 <= wanted.months <= rules.max_months:
            wrong["months"] = f"is 1 to {rules.max_months}"
        if not 1 <= wanted.quantity <= (1 if names_somebody else rules.max_quantity):
            wrong["quantity"] = "is 1 for a person" if names_somebody else f"is 1 to {rules.max_quantity}"
        if wanted.recipient_id is not None and wanted.recipient_name is not None:
            wrong["recipient_name"] = "is not needed with an id"
        if not names_somebody and wanted.stream_id is None:
            wrong["stream_id"] = "is needed without a recipient"
        if wrong:
            raise Invalid(fields=wrong)

    async def _recipient(self, giver_id: str, wanted: WantedGift) -> str | None:
        async with self._db.connection() as connection:
            found = await _person(connection, wanted)
        if found is not None and found in (giver_id, wanted.creator_id):
            raise CannotBeGiven
        return found


async def _person(connection: Connection, wanted: WantedGift) -> str | None:
    if wanted.recipient_id is not None:
        found = list(await gift_rows.names(connection, [wanted.recipient_id]))
    elif wanted.recipient_name is not None:
        found = await gift_rows.named(connection, wanted.recipient_name)
    else:
        return None
    if not found:
        raise RecipientUnknown
    if len(found) > 1:
        raise NameNotUnique
    return found[0]


async def _page(
    connection: Connection, column: str, user_id: str, cursor: str | None, limit: int
) -> tuple[list[Gift], str | None]:
    before = cursors.decode(cursor, tuple[datetime, str])
    found = await gift_rows.listed(connection, column, user_id, before, limit + 1)
    return cursors.cut(found, limit, lambda one: (one.created_at, one.id))


def _months(months: int) -> str:
    return "1 month" if months == 1 else f"{months} months"
