"""Gifts and paid messages over everything real but Stripe: a channel that is live, people in its room, a counter."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from accounts.model import Identity
from infra.clock import new_id, system_clock
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.live.repository import StreamRepository
from payments import gift_rows, paid_message_rows
from payments.customers import Customers
from payments.effects import PaidOnce
from payments.errors import StripeRefused
from payments.events import GiftGiven, GiftWithdrawn, MessagePaid, MessageWithdrawn
from payments.gifts import Gifts, WantedGift
from payments.giving import Giving
from payments.model import Gift, Order, PaidMessage
from payments.orders import Orders
from payments.paid_messages import PaidMessages, Saying
from payments.plans import load_plans
from payments.returning import Returning
from payments.stripe import shapes
from payments.stripe.errors import NoSuchObject
from payments.stripe.reads import ASKED_AS
from realtime.desk import Desk, open_desk
from realtime.entries import RoomSettings, User
from realtime.moderation import repository as channels
from realtime.moderation.bodies import ChangeSettings
from realtime.ports import StreamSnapshot
from realtime.room.log_redis import key
from realtime.room.people import line_of
from realtime.room.presence import Presence, presence_functions
from tests.accounts.world import MovedClock
from tests.payments.counter import Counter
from tests.payments.till import Till, open_till, unix
from tests.realtime.moderation.stage import Stage

SITE = "https://footlight.test"
TAX_PERCENT = 20


class Stall(Counter):
    """A counter where things are paid once, and paid back. `amounts` is what each page asks for, before tax."""

    def __init__(self) -> None:
        super().__init__()
        self.amounts: dict[str, int] = {}

    def pay_once(self, checkout_id: str) -> str:
        """Somebody types a good card; the payment's id."""
        seen = self.objects[checkout_id]
        assert isinstance(seen, shapes.Checkout)
        assert seen.status == "open"
        amount = self.amounts[checkout_id]
        tax, now, payment_id = amount * TAX_PERCENT // 100, unix(system_clock()), self.named("pi")
        charge = shapes.Charge(
            id=self.named("ch"), amount=amount + tax, currency="eur", created=now, status="succeeded",
            payment_intent=payment_id,
        )  # fmt: skip
        payment = shapes.PaymentIntent(
            id=payment_id, status="succeeded", amount=amount + tax, amount_received=amount + tax, currency="eur",
            created=now, latest_charge=charge, metadata=seen.metadata or {},
        )  # fmt: skip
        self.put(payment, charge)
        self.change(
            checkout_id, status="complete", payment_status="paid", url=None, payment_intent=payment_id,
            total_details=shapes.TotalDetails(amount_tax=tax),
        )  # fmt: skip
        return payment_id

    async def create_checkout(self, wanted: Any, *, key: str) -> shapes.Checkout:
        made = await super().create_checkout(wanted, key=key)
        line = wanted["line_items"][0]
        if "price_data" in line:
            self.amounts[made.id] = line["price_data"]["unit_amount"] * line["quantity"]
        return made

    def give_back(self, payment_id: str, amount: int | None = None, **more: Any) -> str:
        """As an operator does at Stripe."""
        payment = self.objects.get(payment_id)
        if not isinstance(payment, shapes.PaymentIntent):
            raise NoSuchObject
        left = payment.amount_received - self.refunded(payment_id)
        if left <= 0:
            raise StripeRefused
        made = shapes.Refund(
            id=self.named("re"), amount=left if amount is None else amount, currency="eur",
            created=unix(system_clock()), status="succeeded", payment_intent=payment_id, **more,
        )  # fmt: skip
        self.put(made)
        return made.id

    def refunded(self, payment_id: str) -> int:
        return sum(one.amount for one in self.all(shapes.Refund) if one.payment_intent == payment_id)

    def complain(self, payment_id: str, status: str = "needs_response") -> str:
        payment = self.objects[payment_id]
        assert isinstance(payment, shapes.PaymentIntent)
        made = shapes.Dispute(
            id=self.named("dp"), amount=payment.amount_received, currency="eur", created=unix(system_clock()),
            status=status, charge="ch", payment_intent=payment_id,
        )  # fmt: skip
        self.put(made)
        return made.id

    async def refund_payment(self, payment_id: str, amount_minor: int | None, *, key: str) -> shapes.Refund:
        def make() -> shapes.Refund:
            made = self.objects[self.give_back(payment_id, amount_minor, metadata={ASKED_AS: key})]
            assert isinstance(made, shapes.Refund)
            return made

        return self.once(key, make)


class StreamsHere:
    """`StreamLookup` over the rows of streams."""

    def __init__(self, db: Postgres) -> None:
        self._db = db

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        async with self._db.connection() as connection:
            found = await StreamRepository().get(connection, stream_id)
        if found is None:
            return None
        return StreamSnapshot(
            id=found.id, title=found.title, category=None, status=found.status, creator_id=found.creator_id,
            creator_name=found.creator_name, visibility=found.visibility, at=found.changed_at,
        )  # fmt: skip


def desk_over(db: Postgres, redis: Redis, outbox: Outbox, clock: Any = system_clock) -> Desk:
    """What one more process has."""

    async def set_color(user_id: str, color: str | None) -> None: ...

    return open_desk(
        db=db, redis=redis, outbox=outbox, streams=StreamsHere(db), viewers=Presence(presence_functions(redis)),
        set_color=set_color, clock=clock,
    )  # fmt: skip


@dataclass
class Market:
    """`cleo` is live in `stream_id`; `ada` pays."""

    till: Till
    stripe: Stall
    stage: Stage
    clock: MovedClock
    desk: Desk
    orders: Orders
    gifts: Gifts
    paid_messages: PaidMessages
    giving: Giving
    returning: Returning
    presence: Presence
    cleo: User
    ada: User
    stream_id: str
    payments: dict[str, str] = field(default_factory=dict)

    @property
    def db(self) -> Postgres:
        return self.till.db

    # --- people and rooms

    async def people(self, *names: str) -> list[User]:
        return [await self.stage.person(name) for name in names]

    async def come(self, *users: User) -> None:
        for user in users:
            self.presence.enter(self.stream_id, user.id, line_of(user))
        await self.presence.tick()

    async def end_stream(self) -> None:
        async with self.db.connection() as connection:
            await connection.execute(
                "UPDATE streams SET status = 'ended', ended_at = $2, end_reason = 'stopped' WHERE id = $1",
                self.stream_id, self.clock(),
            )  # fmt: skip

    async def begin_stream(self) -> str:
        self.stream_id = await self.stage.stream(self.cleo)
        return self.stream_id

    async def settings(self, **changes: Any) -> RoomSettings:
        await self.desk.moderation.act(self.cleo, self.cleo.id, ChangeSettings(stream_id=self.stream_id, **changes))
        async with self.db.connection() as connection:
            return (await channels.channel(connection, self.cleo.id)).settings

    async def filter_word(self, text: str, action: str) -> None:
        """`hold` or `refuse` what has this word in it."""
        async with self.db.transaction() as connection:
            await channels.lock(connection, self.cleo.id, self.clock())
            await connection.execute(
                "INSERT INTO channel_terms (id, channel_id, text, kind, action, by_id, at) "
                "VALUES ($1, $2, $3, 'blocked', $4, $2, $5)",
                new_id(), self.cleo.id, text, action, self.clock(),
            )  # fmt: skip

    async def log(self) -> list[tuple[str, dict[str, Any]]]:
        """Mark and entry of everything in the room's log, as nobody is given it."""
        rows: Any = await self.till.world.redis.xrange(key(self.stream_id, "log"), "-", "+")
        return [(fields[b"m"].decode(), msgspec.json.decode(fields[b"e"])) for _, fields in rows]

    async def shown(self, kind: str = "message") -> list[dict[str, Any]]:
        """What readers are given of one kind."""
        lines = await self.desk.room_log.tail(self.stream_id, 1000)
        return [entry for line in lines if (entry := msgspec.json.decode(line.entry))["kind"] == kind]

    # --- buying

    def identity(self, user: User, **changes: Any) -> Identity:
        fields: dict[str, Any] = {
            "user_id": user.id, "display_name": user.name, "role": "free", "subscription_tier": "free",
            "session_id": "s1", "expires_at": system_clock(), **changes,
        }  # fmt: skip
        return Identity(**fields)

    async def give(self, giver: User | None = None, *, request_key: str | None = None, **wanted: Any) -> Order:
        fields: dict[str, Any] = {"plan_id": "channel-1", "creator_id": self.cleo.id, **wanted}
        return await self.gifts.begin((giver or self.ada).id, WantedGift(**fields), request_key=request_key)

    async def say(
        self, text: str = "For the tea!", amount_minor: int = 1000, who: User | None = None,
        request_key: str | None = None,
    ) -> Order:  # fmt: skip
        identity = self.identity(who or self.ada)
        return await self.paid_messages.begin(identity, self.stream_id, text, amount_minor, request_key=request_key)

    async def pay(self, order: Order) -> Order:
        """The card is good, and we look at it."""
        assert order.stripe_session_id is not None
        self.payments[order.id] = self.stripe.pay_once(order.stripe_session_id)
        return await self.orders.find(order.user_id, order.id)

    async def look(self, order: Order) -> None:
        await self.till.sync.look("payment", self.payments[order.id])

    async def refund(self, order: Order) -> None:
        self.stripe.give_back(self.payments[order.id])
        await self.look(order)

    # --- what came of it

    async def order(self, order: Order) -> Order:
        return await self.orders.find(order.user_id, order.id)

    async def message(self, order: Order) -> PaidMessage:
        async with self.db.connection() as connection:
            found = await paid_message_rows.find(connection, order.id)
        assert found is not None
        return found

    async def gifts_of(self, order: Order) -> list[Gift]:
        async with self.db.transaction() as connection:
            return await gift_rows.of_order(connection, order.id)

    async def channels_of(self, user: User) -> dict[str, int]:
        async with self.db.connection() as connection:
            found = await connection.fetchval("SELECT channels FROM users WHERE id = $1", user.id)
        return msgspec.json.decode(found, type=dict[str, int])

    async def told(self) -> list[Any]:
        """The events of what was bought, as stored."""
        kinds = {one.topic: one for one in (GiftGiven, GiftWithdrawn, MessagePaid, MessageWithdrawn)}
        return [msgspec.convert(body, kinds[topic]) for topic, body in await self.till.world.told() if topic in kinds]

    async def deliver(self, times: int = 1, desks: Sequence[Desk] = ()) -> None:
        """Everything that was told so far, so often, in any order, by several processes at once."""
        events = [event for event in await self.told() for _ in range(times)]
        if times > 1:
            random.Random(times).shuffle(events)  # noqa: S311  # an order, not a secret
        who = [self.desk, *desks]
        for start in range(0, len(events), 8):
            await asyncio.gather(*(hear(who[n % len(who)], event) for n, event in enumerate(events[start : start + 8])))


async def hear(desk: Desk, event: Any) -> None:
    """What `follow_bought` does."""
    match event:
        case MessagePaid():
            await desk.paid_delivery.offer(event.order_id)
        case MessageWithdrawn():
            await desk.paid.withdraw(event)
        case GiftGiven():
            await desk.gifts.tell(event)
        case GiftWithdrawn():
            await desk.gifts.take_back(event)


@asynccontextmanager
async def open_market(keys: Path, db: Postgres, redis: Redis) -> AsyncIterator[Market]:
    clock, stripe, plans, outbox = MovedClock(), Stall(), load_plans(), Outbox()
    desk = desk_over(db, redis, outbox, clock)
    holder: list[PaidOnce] = []

    class Later:
        """Effects need the rights, which the till makes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(holder[0], name)

    async with open_till(keys, db, redis, clock=clock, shelf=stripe, effects=Later()) as till:
        rights = till.rights
        giving = Giving(db, rights, plans, desk.people, outbox=outbox, clock=clock)
        holder.append(PaidOnce(giving, Saying(plans, outbox=outbox, clock=clock)))
        orders, customers = Orders(db, stripe, till.sync, clock), Customers(db, stripe, clock)
        stage = Stage(db)
        cleo = await stage.person("Cleo", platform="creator", role="creator")
        yield Market(
            till=till, stripe=stripe, stage=stage, clock=clock, desk=desk, orders=orders,
            gifts=Gifts(db, orders, customers, plans, rights, desk.people, public_url=SITE),
            paid_messages=PaidMessages(db, orders, customers, plans, desk.paid_texts, public_url=SITE),
            giving=giving, returning=Returning(db, stripe, till.sync, clock),
            presence=Presence(presence_functions(redis)),
            cleo=cleo, ada=await stage.person("Ada"), stream_id=await stage.stream(cleo),
        )  # fmt: skip
