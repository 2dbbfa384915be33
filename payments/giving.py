"""What paid gifts bring about: recipients, their rights, and what the room is told. The ordering is in `gifts.py`.

- A gift to the room goes to viewers who are there, signed in and without such a subscription (`choosing.py`), as soon
  as it is paid. With fewer of them than gifts the rest waits, and goes to who comes next into that room, or into any
  later one of the channel, for 30 days; then what nobody took is given back.
- Who has the right already gets the gift added: it begins when the period they paid for ends, and gifts follow
  one another (`rights.py`). Beside a right without an end, which nothing can be added to, it begins at once.
- When all of the money goes back, so do the gifts, as if they had never been.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid5

import msgspec

from infra.clock import Clock
from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import gift_rows, repository
from payments.choosing import chosen
from payments.entitlements import Rights
from payments.events import GiftGiven, GiftWithdrawn, Recipient
from payments.model import PREMIUM, Gift, Order, Plan, Right, scope_of
from payments.plans import Plans
from payments.rights import GIFT, months_after, right_of_gift

OURS = UUID("0b6f4c54-5a0b-5f0e-8d7e-6c1f5ff0a2d1")  # a namespace of our own, RFC 9562 section 5.5
LOOK_SECONDS = 1.0  # a room that does not answer must not keep a payment from being booked
SWEEP_SECONDS = 3.0
SWEPT = 50
WAITS_FOR = timedelta(days=30)

log = get_logger(__name__)


class Rooms(Protocol):
    """What gifts ask about rooms."""

    async def channel_of(self, stream_id: str) -> str:
        """Whose stream it is; raises `StreamIsNotLive`."""
        ...

    async def present(self, stream_id: str) -> list[str]:
        """Who is signed in and may take part in that room, or in the channel's open one if that is over. Raises
        `Unavailable`."""
        ...


class GiftDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is particular to an order of gifts; without a recipient they are for the room."""

    months: int
    recipient_id: str | None = None


class Giving:
    """`payments.sync.Effects` for gifts, and what looks after those that wait."""

    def __init__(
        self, db: Postgres, rights: Rights, plans: Plans, rooms: Rooms, *, outbox: Outbox, clock: Clock
    ) -> None:
        self._db = db
        self._rights = rights
        self._plans = plans
        self._rooms = rooms
        self._outbox = outbox
        self._clock = clock
        self._looked_at: tuple[datetime, str] | None = None

    async def paid(self, connection: Connection, order: Order) -> None:
        """Make the gifts of an order, and give those that can be given; again changes nothing."""
        await self._hold(connection, order)
        if await gift_rows.of_order(connection, order.id):
            return
        details = msgspec.convert(order.details, type=GiftDetails)
        gifts = [self._gift(order, details, number) for number in range(1, order.quantity + 1)]
        await gift_rows.insert(connection, gifts)
        who = [details.recipient_id] if details.recipient_id else await self._choose(connection, order, gifts)
        rights = await self._give(connection, order, gifts, who)
        await self._outbox.add(connection, await self._given(connection, order, details, who))
        await self._rights.put(connection, *rights)  # last: sessions hear of it before the commit

    async def withdrawn(self, connection: Connection, order: Order) -> None:
        """Take all gifts of an order back; again changes nothing."""
        await self._hold(connection, order)
        gifts = await gift_rows.withdraw(connection, order.id, self._clock())
        if gifts and order.stream_id is not None:
            await self._outbox.add(
                connection,
                GiftWithdrawn(
                    at=self._clock(), order_id=order.id, stream_id=order.stream_id, giver_id=order.user_id
                ),
            )  # fmt: skip
        # All at once: people are locked in one order everywhere, or two refunds would wait for each other for ever.
        await self._rights.withdraw(connection, *(GIFT + gift.id for gift in gifts))

    async def sweep(self) -> None:
        """Give what waits to who has come since; what waited too long is given up. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            waiting = await gift_rows.orders_waiting(connection, self._looked_at, SWEPT)
        # In turns: rooms that nobody comes to must not keep the gifts of others waiting.
        self._looked_at = waiting[-1] if len(waiting) == SWEPT else None
        for _, order_id in waiting:
            try:
                await self._look_again(order_id)
            except Unavailable:
                raise
            except FootlightError as failure:  # of one order: the others go on
                log.warning("gifts.stuck", order=order_id, code=failure.code)

    async def _look_again(self, order_id: str) -> None:
        async with self._db.transaction() as connection:
            order = await repository.find_order(connection, order_id)
            if order is None:
                return
            await self._hold(connection, order)
            gifts = await gift_rows.of_order(connection, order_id)
            free = [one for one in gifts if one.state == "waiting"]
            if free and free[0].created_at + WAITS_FOR <= self._clock():
                await self._give_up(connection, order)
                return
            who = await self._choose(connection, order, gifts)
            await self._rights.put(connection, *await self._give(connection, order, free, who))
        if who:
            self._outbox.nudge()

    async def _give_up(self, connection: Connection, order: Order) -> None:
        """The money follows (`returning.py`)."""
        left = await gift_rows.withdraw(connection, order.id, self._clock(), only_waiting=True)
        await repository.note_on_order(connection, order.id, {"lapsed": len(left)})
        log.info("gifts.lapsed", order=order.id, count=len(left))

    async def _hold(self, connection: Connection, order: Order) -> None:
        """One at a time gives what is of this channel: two orders must not choose the same viewer."""
        await repository.hold(connection, f"gifts:{order.creator_id or PREMIUM}")

    def _gift(self, order: Order, details: GiftDetails, number: int) -> Gift:
        return Gift(
            id=str(uuid5(OURS, f"{order.id}:{number}")), order_id=order.id, number=number, plan_id=order.plan_id or "",
            creator_id=order.creator_id, giver_id=order.user_id, recipient_id=None, months=details.months,
            state="waiting", starts_at=None, until=None, created_at=self._clock(),
        )  # fmt: skip

    async def _choose(self, connection: Connection, order: Order, gifts: Sequence[Gift]) -> list[str]:
        """Who of the room gets those that wait: nobody twice of one order, and not who gave it."""
        count = sum(one.state == "waiting" for one in gifts)
        if not count or order.stream_id is None:
            return []
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                present = await self._rooms.present(order.stream_id)
        except (TimeoutError, FootlightError) as failure:  # they wait a little longer
            log.info("gifts.room_unknown", order=order.id, why=type(failure).__name__)
            return []
        without = {order.user_id, order.creator_id, *(one.recipient_id for one in gifts)}
        return chosen(order.id, await gift_rows.lacking(connection, present, order.creator_id), count, without=without)

    async def _give(
        self, connection: Connection, order: Order, gifts: Sequence[Gift], who: Sequence[str]
    ) -> list[Right]:
        """The first gifts to these people; the rights that come of it."""
        plan, rights = self._plans.get(order.plan_id or ""), []
        for gift, user_id in zip(gifts, who, strict=False):
            begins = begins_at(await self._rights.of(connection, user_id), plan, order.creator_id, self._clock())
            taken = msgspec.structs.replace(
                gift, recipient_id=user_id, state="taken", starts_at=begins, until=months_after(begins, gift.months)
            )
            await gift_rows.take(connection, taken)
            if right := right_of_gift(taken, plan):
                rights.append(right)
        return rights

    async def _given(self, connection: Connection, order: Order, details: GiftDetails, who: Sequence[str]) -> GiftGiven:
        names = await gift_rows.names(connection, [order.user_id, *who])
        plan = self._plans.get(order.plan_id or "")
        return GiftGiven(
            at=self._clock(), order_id=order.id, creator_id=order.creator_id, stream_id=order.stream_id,
            giver_id=order.user_id, giver_name=names[order.user_id], plan_id=plan.id, level=plan.level,
            months=details.months, count=order.quantity, amount_minor=order.amount_minor * order.quantity,
            currency=order.currency, recipients=[Recipient(id=one, name=names.get(one, "")) for one in who],
        )  # fmt: skip


def begins_at(rights: Iterable[Right], plan: Plan, creator_id: str | None, now: datetime) -> datetime:
    """From when a gift counts: behind what is paid for already. Pure."""
    same = [
        right.until
        for right in rights
        if right.scope == scope_of(creator_id) and right.level >= plan.level and not right.source.startswith(GIFT)
    ]
    if None in same:
        return now
    return max([now, *(until for until in same if until is not None)])
