"""Buying: an order is written before Stripe is asked, and its id is the idempotency key of what is asked.

So a double click, a back button or a crash in between all end at one payment page: an open order for the same
subscription is given again. Whoever has what they want to buy is refused before a card is asked for.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from stripe.params.checkout import SessionCreateParams

from accounts import repository as accounts
from infra.clock import Clock, new_id
from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from infra.stores.postgres import Connection, Postgres
from payments import repository
from payments.errors import (
    AlreadySubscribed,
    ChannelNotForSale,
    OrderDiffers,
    OrderIsOver,
    OrderNotFound,
    OwnChannel,
    StripeRefused,
    TooManyOrders,
)
from payments.model import Order, OrderKind
from payments.stripe.calls import Calls
from payments.stuck import Stuck
from payments.sync import Sync

OPEN_FOR = timedelta(hours=2)  # how long the payment page stays; Stripe allows 30 minutes to 24 hours
ASKED_WITHIN = timedelta(hours=1)  # later Stripe would refuse to make the page that an order lacks
LATE = timedelta(minutes=1)  # the page's last payment may still be on its way to us
MOST_OPEN = 10
SWEEP_SECONDS = 30.0
SWEPT = 50
SELLERS = ("creator", "admin")

Page = Callable[[Order], Awaitable[SessionCreateParams]]

log = get_logger(__name__)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to buy. `amount_minor` is for one of `quantity`; `details` is what is particular to it."""

    kind: OrderKind
    plan_id: str | None
    creator_id: str | None
    amount_minor: int
    currency: str
    quantity: int = 1
    stream_id: str | None = None
    details: dict[str, Any] = {}

    def digest(self) -> bytes:
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).digest()

    def is_of(self, order: Order) -> bool:
        return Wanted(**{name: getattr(order, name) for name in self.__struct_fields__}) == self


class Orders:
    """Writes orders, finds them, and ends those whose time is over."""

    def __init__(self, db: Postgres, calls: Calls, sync: Sync, clock: Clock) -> None:
        self._db = db
        self._calls = calls
        self._sync = sync
        self._clock = clock
        self._stuck = Stuck(clock)

    async def begin(self, user_id: str, wanted: Wanted, page: Page, *, request_key: str | None = None) -> Order:
        """An open order with its payment page, which `page` describes.

        The same `request_key` gives the same order again. Raises `OwnChannel`, `ChannelNotForSale`,
        `AlreadySubscribed`, `OrderDiffers`, `OrderIsOver`, `TooManyOrders`, and what `Stripe.ask` raises.
        """
        order, rivals = await self._write(user_id, wanted, request_key)
        if order.checkout_url is not None:
            # It may have been paid or closed a moment ago, and we not been told yet.
            order = await self.find(user_id, order.id)
            if order.state == "paid":
                raise AlreadySubscribed if order.kind == "subscription" else OrderIsOver(state=order.state)
            if order.state != "open":
                order, rivals = await self._write(user_id, wanted, request_key)
        for rival in rivals:
            await self._give_up(rival)
        return order if order.checkout_url is not None else await self._make_page(order, page)

    async def find(self, user_id: str, order_id: str) -> Order:
        """Somebody's own order. An open one is looked at, as far as Stripe answers. Raises `OrderNotFound`."""
        order = await self._own(user_id, order_id)
        if order.state != "open" or order.stripe_session_id is None:
            return order
        try:
            await self._sync.look("checkout", order.stripe_session_id)
        except FootlightError as failure:  # the worker looks too, and does not give up
            log.info("orders.not_looked_at", code=failure.code)
            return order
        return await self._own(user_id, order_id)

    async def sweep(self) -> None:
        """Find out about orders whose page has closed: paid without our being told, or left. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            found = await repository.orders_out_of_time(
                connection, self._clock() - LATE, SWEPT, without=self._stuck.now()
            )
        for order in found:
            try:
                await self._end(order)
            except Unavailable:
                raise
            except FootlightError as failure:  # of one order: the others go on
                log.error("orders.stuck", order=order.id, code=failure.code)
                self._stuck.failed(order.id)

    async def _write(self, user_id: str, wanted: Wanted, request_key: str | None) -> tuple[Order, list[Order]]:
        """The order, found or new, and others for another plan of the same: only one of them is to be paid."""
        async with self._db.transaction() as connection:
            await repository.hold(connection, f"buyer:{user_id}")
            if request_key is not None and (asked := await self._asked(connection, user_id, wanted, request_key)):
                return asked, []
            await self._require_sellable(connection, user_id, wanted.creator_id)
            opened = await repository.open_orders(connection, user_id)
            rivals: list[Order] = []
            if wanted.kind == "subscription":
                await self._require_none_running(connection, user_id, wanted.creator_id)
                rivals = [one for one in opened if (one.kind, one.creator_id) == (wanted.kind, wanted.creator_id)]
                if again := next((one for one in rivals if wanted.is_of(one) and self._usable(one)), None):
                    return again, [one for one in rivals if one != again]
            if len(opened) - len(rivals) >= MOST_OPEN:
                raise TooManyOrders(retry_after_ms=int(OPEN_FOR.total_seconds() * 1000))
            order = self._new(user_id, wanted, request_key)
            await repository.insert_order(connection, order, wanted.digest() if request_key else None)
            return order, rivals

    async def _asked(self, connection: Connection, user_id: str, wanted: Wanted, key: str) -> Order | None:
        found = await repository.order_of_request(connection, user_id, key)
        if found is None:
            return None
        order, digest = found
        if digest != wanted.digest():
            raise OrderDiffers
        if order.state != "open":
            raise OrderIsOver(state=order.state)
        return order

    async def _require_sellable(self, connection: Connection, user_id: str, creator_id: str | None) -> None:
        if creator_id is None:
            return
        if creator_id == user_id:
            raise OwnChannel
        creator = await accounts.find(connection, creator_id)
        if creator is None or creator.role not in SELLERS:
            raise ChannelNotForSale

    async def _require_none_running(self, connection: Connection, user_id: str, creator_id: str | None) -> None:
        running = await repository.running_subscription(connection, user_id, creator_id)
        if running is not None:
            raise AlreadySubscribed(subscription_id=running.id)

    def _usable(self, order: Order) -> bool:
        now = self._clock()
        if order.checkout_url is None:
            return now < order.created_at + ASKED_WITHIN
        return now < order.expires_at - LATE

    def _new(self, user_id: str, wanted: Wanted, request_key: str | None) -> Order:
        now = self._clock()
        return Order(
            id=new_id(), user_id=user_id, state="open", created_at=now, expires_at=now + OPEN_FOR,
            request_key=request_key, **msgspec.structs.asdict(wanted),
        )  # fmt: skip

    async def _make_page(self, order: Order, page: Page) -> Order:
        made = await self._calls.create_checkout(await page(order), key=f"order:{order.id}")
        async with self._db.connection() as connection:
            await repository.set_checkout(connection, order.id, made.id, made.url)
        return msgspec.structs.replace(order, stripe_session_id=made.id, checkout_url=made.url)

    async def _give_up(self, rival: Order) -> None:
        """Close the page of an order that another one replaces. Raises `AlreadySubscribed` if it was just paid."""
        if rival.stripe_session_id is not None:
            try:
                await self._calls.expire_checkout(rival.stripe_session_id, key=f"expire:{rival.id}")
            except StripeRefused:
                log.info("orders.page_closed_already", order=rival.id)
        await self._end(rival)
        if (await self._own(rival.user_id, rival.id)).state == "paid":
            raise AlreadySubscribed

    async def _end(self, order: Order) -> None:
        if order.stripe_session_id is not None:
            await self._sync.look("checkout", order.stripe_session_id)
            return
        async with self._db.transaction() as connection:
            await self._sync.close(connection, order.id, "canceled")

    async def _own(self, user_id: str, order_id: str) -> Order:
        async with self._db.connection() as connection:
            order = await repository.find_order(connection, order_id)
        if order is None or order.user_id != user_id:
            raise OrderNotFound
        return order
