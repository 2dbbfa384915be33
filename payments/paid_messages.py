"""Messages that are paid for: ordered here, after the channel's filters had their say; a refused text costs nothing.

draft -> paid -> shown, or held for a moderator -> shown or denied; denied -> withdrawn, once the money is back. A
refund or a lost dispute withdraws from every state, and an open dispute does too: the bank has the money then. What a
room does with a message is in `realtime/paid.py`, giving money back in `returning.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from stripe.params.checkout import SessionCreateParams

from accounts.model import Identity
from infra import cursors
from infra.clock import Clock
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from payments import gift_rows, paid_message_rows
from payments.customers import Customers
from payments.events import MessagePaid, MessageWithdrawn
from payments.model import Allowed, Order, PaidMessage, PaidMessageState
from payments.orders import Orders, Wanted
from payments.pages import payment_page
from payments.plans import Plans

ANY: Sequence[PaidMessageState] = ("draft", "paid", "held", "shown", "denied")


class Texts(Protocol):
    """What channels say to a text before anybody pays for it."""

    async def look(self, who: Identity, stream_id: str, text: str) -> Allowed:
        """Raises `StreamIsNotLive`, `PaidMessagesOff`, and what the room refuses a message for."""
        ...


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What is particular to an order of a message."""

    text: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A paid message in a list. `outcome`: why it was not shown."""

    message: PaidMessage
    outcome: str | None


class PaidMessages:
    """What people pay to say. `public_url` is where the payment page leads back to."""

    def __init__(
        self,
        db: Postgres,
        orders: Orders,
        customers: Customers,
        plans: Plans,
        texts: Texts,
        *,
        public_url: str,
    ) -> None:
        self._db = db
        self._orders = orders
        self._customers = customers
        self._plans = plans
        self._texts = texts
        self._return_url = f"{public_url.rstrip('/')}/checkout/"

    async def begin(
        self, who: Identity, stream_id: str, text: str, amount_minor: int, *, request_key: str | None = None
    ) -> Order:
        """The order for a message, with its payment page. The same `request_key` gives the same order again.

        Raises `AmountNotAllowed`, what `Texts.look` raises, and what `Orders.begin` raises.
        """
        self._plans.paid_messages.on_top_seconds(amount_minor)
        allowed = await self._texts.look(who, stream_id, text)
        wanted = Wanted(
            kind="paid_message", plan_id=None, creator_id=allowed.channel_id, stream_id=stream_id,
            amount_minor=amount_minor, currency=self._plans.currency,
            details=msgspec.to_builtins(Details(text=allowed.text)),
        )  # fmt: skip

        async def page(order: Order) -> SessionCreateParams:
            async with self._db.connection() as connection:
                await paid_message_rows.insert(connection, draft_of(order, self._plans))
            return payment_page(order, await self._customers.of(who.user_id), "Message in a stream", self._return_url)

        return await self._orders.begin(who.user_id, wanted, page, request_key=request_key)

    async def of(self, user_id: str, cursor: str | None, limit: int) -> tuple[list[Entry], str | None]:
        """One's own, newest first, also those that were not paid. Raises `Invalid` for a cursor that is not ours."""
        return await self._page(user_id, None, cursor, limit)

    async def of_channel(self, channel_id: str, cursor: str | None, limit: int) -> tuple[list[Entry], str | None]:
        """Those that were paid on a channel, as `of`."""
        return await self._page(None, channel_id, cursor, limit)

    async def _page(
        self, user_id: str | None, channel_id: str | None, cursor: str | None, limit: int
    ) -> tuple[list[Entry], str | None]:
        before = cursors.decode(cursor, tuple[datetime, str])
        async with self._db.connection() as connection:
            found = await paid_message_rows.listed(
                connection, user_id=user_id, channel_id=channel_id, before=before, limit=limit + 1
            )
        entries = [Entry(message=message, outcome=outcome) for message, outcome in found]
        return cursors.cut(entries, limit, lambda one: (one.message.created_at, one.message.order_id))


class Saying:
    """`payments.sync.Effects` for messages."""

    def __init__(self, plans: Plans, *, outbox: Outbox, clock: Clock) -> None:
        self._plans = plans
        self._outbox = outbox
        self._clock = clock

    async def paid(self, connection: Connection, order: Order) -> None:
        """Let the room have it; again changes nothing."""
        one = draft_of(order, self._plans)
        await paid_message_rows.insert(connection, one)
        now = self._clock()
        if await paid_message_rows.move(connection, order.id, "paid", since=("draft",), paid_at=now) is None:
            return
        names = await gift_rows.names(connection, [one.user_id])
        told = MessagePaid(
            at=now, order_id=one.order_id, stream_id=one.stream_id, channel_id=one.channel_id, user_id=one.user_id,
            user_name=names[one.user_id], text=one.text, amount_minor=one.amount_minor, currency=one.currency,
            on_top_seconds=one.on_top_seconds,
        )  # fmt: skip
        await self._outbox.add(connection, told)

    async def withdrawn(self, connection: Connection, order: Order, reason: str = "refunded") -> None:
        """Have it taken away from wherever it is; again changes nothing."""
        now = self._clock()
        before = await paid_message_rows.move(connection, order.id, "withdrawn", since=ANY, closed_at=now)
        if before not in ("paid", "held", "shown"):
            return
        told = MessageWithdrawn(
            at=now, order_id=order.id, stream_id=order.stream_id or "", channel_id=order.creator_id or "",
            user_id=order.user_id, reason=reason,
        )  # fmt: skip
        await self._outbox.add(connection, told)


def draft_of(order: Order, plans: Plans) -> PaidMessage:
    """The message as its order says it."""
    return PaidMessage(
        order_id=order.id,
        stream_id=order.stream_id or "",
        channel_id=order.creator_id or "",
        user_id=order.user_id,
        text=msgspec.convert(order.details, type=Details).text,
        amount_minor=order.amount_minor,
        currency=order.currency,
        on_top_seconds=plans.paid_messages.on_top_seconds(order.amount_minor),
        state="draft",
        created_at=order.created_at,
    )
