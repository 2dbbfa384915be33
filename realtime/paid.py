"""Paid messages on their way into the room, and out of it again: each exactly once, for all time.

A message is shown by a row of the channel's log whose id is the order's: in one transaction, under the locks of the
channel and of the message's own row, its state becomes `shown` and the row is written; rooms take in each row once
(docs/moderation-design.md). The room's own check for duplicates forgets after ten minutes, which is too soon for a
payment that is told again days later. So whatever is delivered twice, late, by several nodes or after a crash finds
the state as it is and changes nothing.

- Held for a moderator when the channel holds all of them, or its filters would hold or by now refuse this one.
- What could not be shown within `IN_TIME` of the payment never is: its money goes back, as that of a message which a
  moderator denied, whose author is banned by then, or whose stream is over.
- A refund or a dispute removes the message with an entry like that of a moderator's delete, so that it is gone from
  screens, recovery, history, archive and replay.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import msgspec

from accounts import repository as accounts
from infra.clock import Clock, NewId, milliseconds, new_id
from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.postgres import Connection, Postgres
from media.live.repository import StreamRepository
from payments import paid_message_rows as rows
from payments.events import MessageWithdrawn
from payments.model import PaidMessage, PaidMessageState
from payments.paid_message_rows import Outcome
from realtime.entries import Message, Paid, User
from realtime.errors import ChatBanned, RoomEnded
from realtime.moderation import repository
from realtime.moderation.bodies import Finding
from realtime.moderation.deeds import Deed, mark_of_message
from realtime.moderation.once import Warming
from realtime.moderation.record import Held, Records
from realtime.moderation.scene import Scene, unpin_removed
from realtime.paid_texts import ON_AIR, PaidTexts
from realtime.room.features import id_of
from realtime.room.rules import ChannelRules

IN_TIME = timedelta(minutes=30)
SWEEP_SECONDS = 10.0
LEFT_BEHIND = timedelta(seconds=10)  # by then whoever was told has shown it
SWEPT = 50
PAID_BACK = "The payment was given back."

log = get_logger(__name__)


class Holding(Protocol):
    """The queue of held messages."""

    async def add(
        self, channel_id: str, message: Message, findings: Sequence[Finding], held_seconds: float | None = None
    ) -> None: ...


class PaidLog:
    """Shows, refuses and withdraws: what counts is the state of the message's row."""

    def __init__(self, db: Postgres, records: Records, rooms: Warming, *, clock: Clock, new_id: NewId = new_id) -> None:
        self._db = db
        self._records = records
        self._rooms = rooms
        self._clock = clock
        self._new_id = new_id
        self._streams = StreamRepository()

    async def show(self, order_id: str, *, since: Sequence[PaidMessageState]) -> PaidMessageState | None:
        """Put it into its room if it is in one of these states and may be shown; its state then, None for no message.

        Raises `ChannelNotFound`, `Unavailable`.
        """
        async with self._db.connection() as connection:
            one = await rows.find(connection, order_id)
        if one is None:
            return None
        await self._rooms.warm(one.stream_id, one.channel_id)

        async def decided(held: Held) -> Sequence[Deed]:
            found = await rows.lock(held.connection, order_id)
            if found is None or found.state not in since:
                return []
            if outcome := await self._obstacle(held.connection, found):
                await rows.refuse(held.connection, order_id, outcome, self._clock())
                return []
            await rows.move(held.connection, order_id, "shown", since=since)
            return [await self._deed(held.connection, found)]

        await self._records.decide(one.channel_id, decided)
        return await self.state_of(order_id)

    async def approve(self, message: Message) -> None:
        """A moderator let it through. Raises `ChatBanned` when its author is banned by now, `RoomEnded` when it may not
        be shown any more, `Unavailable`."""
        state = await self.show(message.id, since=("paid", "held"))
        if state == "shown":
            return
        async with self._db.connection() as connection:
            standing = await repository.sanction(
                connection, await self._channel_of(connection, message), message.user.id, self._clock()
            )
        raise ChatBanned if standing is not None else RoomEnded

    async def deny(self, message: Message) -> None:
        """A moderator refused it, or it may not be shown: its money goes back."""
        await self.refuse(message.id, "denied")

    async def refuse(self, order_id: str, outcome: Outcome) -> None:
        """It will not be shown. Nothing changes when it is, or when that was decided before."""
        async with self._db.transaction() as connection:
            await rows.refuse(connection, order_id, outcome, self._clock())

    async def hold(self, order_id: str) -> bool:
        """It waits for a moderator; whether it does now."""
        async with self._db.transaction() as connection:
            return await rows.move(connection, order_id, "held", since=("paid", "held")) is not None

    async def withdraw(self, event: MessageWithdrawn) -> None:
        """Take a message away that was shown; again changes nothing. Raises `Unavailable`."""
        await self._rooms.warm(event.stream_id, event.channel_id)

        async def decided(held: Held) -> Sequence[Deed]:
            return await removal(
                held, event.order_id, event.user_id, "paid_withdrawn", clock=self._clock, new_id=self._new_id
            )

        await self._records.decide(event.channel_id, decided)

    async def state_of(self, order_id: str) -> PaidMessageState | None:
        async with self._db.connection() as connection:
            found = await rows.find(connection, order_id)
        return found.state if found is not None else None

    async def _channel_of(self, connection: Connection, message: Message) -> str:
        found = await rows.find(connection, message.id)
        return found.channel_id if found is not None else ""

    async def _obstacle(self, connection: Connection, one: PaidMessage) -> Outcome | None:
        """Why it may not be shown now."""
        if await repository.sanction(connection, one.channel_id, one.user_id, self._clock()) is not None:
            return "banned"
        stream = await self._streams.get(connection, one.stream_id)
        if stream is None or stream.status not in ON_AIR:
            return "stream_over"
        return "not_in_time" if is_late(one, self._clock) else None

    async def _deed(self, connection: Connection, one: PaidMessage) -> Deed:
        at = milliseconds(self._clock())
        user = await buyer(connection, one.channel_id, one.user_id)
        message = message_of(one, user, at)
        return Deed(
            id=one.order_id,
            channel_id=one.channel_id,
            at=at,
            action="paid_message",
            actor=user,
            stream_id=one.stream_id,
            message_id=one.order_id,
            snapshot={"user": msgspec.to_builtins(user), "text": one.text, "at": at},
            after={"paid": msgspec.to_builtins(message.paid)},
            mark=f"{user.id} {one.order_id}",  # as what somebody said, so that it can be removed like that
            entry=message,
        )


class PaidDelivery:
    """Brings what is paid to its room; any number of processes may do it at once."""

    def __init__(
        self, db: Postgres, paid: PaidLog, texts: PaidTexts, truth: ChannelRules, holding: Holding, *, clock: Clock
    ) -> None:
        self._db = db
        self._paid = paid
        self._texts = texts
        self._truth = truth
        self._holding = holding
        self._clock = clock

    async def offer(self, order_id: str) -> None:
        """Show a paid message, or hold it for a moderator; again changes nothing. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            one = await rows.find(connection, order_id)
            user = await buyer(connection, one.channel_id, one.user_id) if one is not None else None
        if one is None or user is None or one.state not in ("paid", "held"):
            return
        if is_late(one, self._clock):
            await self._paid.refuse(order_id, "not_in_time")
            return
        findings = await self._findings(one, user)
        if one.state == "paid" and not findings:
            await self._paid.show(order_id, since=("paid",))
        elif await self._paid.hold(order_id):
            await self._hold(one, user, findings)

    async def sweep(self) -> None:
        """Go on where a process died, and end what waits too long. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            left = await rows.to_offer(connection, self._clock() - LEFT_BEHIND, SWEPT)
            held = await rows.held(connection, SWEPT)
            over = await _over(connection, held)
        for one in held:
            if one.order_id in over:
                await self._paid.refuse(one.order_id, "stream_over")
        for order_id in (*left, *(one.order_id for one in held if one.order_id not in over)):
            await self.offer(order_id)

    async def _findings(self, one: PaidMessage, user: User) -> list[Finding]:
        """Why a moderator has to see it first; nothing when nobody has to. A filter may have changed since."""
        rules = await self._truth.rules(one.channel_id)
        if rules.settings.paid_messages != "open":
            return [Finding(code="paid", detail="Paid messages are looked at first.", start=0, end=0)]
        screened = await self._texts.judge(rules, one.channel_id, user, one.text)
        refused = [Finding(code="filters", detail=words, start=0, end=0) for words in screened.refused]
        return [*screened.held, *refused]

    async def _hold(self, one: PaidMessage, user: User, findings: list[Finding]) -> None:
        """The queue knows what it holds, and for some minutes what was decided; later the row's state does."""
        paid_at = one.paid_at or one.created_at
        left = paid_at + IN_TIME - self._clock()
        message = message_of(one, user, milliseconds(paid_at))
        try:
            await self._holding.add(one.channel_id, message, findings, held_seconds=left.total_seconds())
        except ChatBanned:
            await self._paid.refuse(one.order_id, "banned")


def is_late(one: PaidMessage, clock: Clock) -> bool:
    """Whether it is too late to show it."""
    return one.paid_at is not None and one.paid_at + IN_TIME <= clock()


def message_of(one: PaidMessage, user: User, at: int) -> Message:
    """The message as the room shows it, without its place."""
    paid = Paid(amount_minor=one.amount_minor, currency=one.currency, pin_seconds=one.on_top_seconds)
    return Message(offset=0, stream_id=one.stream_id, id=one.order_id, at=at, user=user, text=one.text, paid=paid)


async def buyer(connection: Connection, channel_id: str, user_id: str) -> User:
    """Somebody who paid, as the channel sees them. Raises `Unavailable` for nobody: accounts are not deleted."""
    account = await accounts.find(connection, user_id)
    person = await repository.person(connection, channel_id, user_id)
    if account is None or person is None:
        raise Unavailable
    subscriber = account.subscription_tier == "premium" or channel_id in account.channels
    return msgspec.structs.replace(person, subscriber=subscriber, color=account.chat_color)


async def removal(held: Held, order_id: str, user_id: str, action: str, *, clock: Clock, new_id: NewId) -> list[Deed]:
    """What takes away that which an order showed; nothing when it showed nothing, or that is removed already."""
    shown = await repository.ruling(held.connection, held.channel.id, order_id)
    removal_id = id_of(action, order_id)
    if shown is None or shown.stream_id is None:
        return []
    if await repository.ruling(held.connection, held.channel.id, removal_id) is not None:
        return []
    scene = Scene(
        connection=held.connection, channel=held.channel, actor=shown.actor, at=milliseconds(clock()), id=removal_id,
        new_id=new_id, stream_id=shown.stream_id, target=shown.actor,
    )  # fmt: skip
    deed = scene.deed(
        action,
        message_id=order_id,
        reason=PAID_BACK,
        snapshot=shown.snapshot,
        mark=mark_of_message(user_id, order_id),
        entry=scene.entry("delete", message_id=order_id),
    )
    return [deed, *unpin_removed(scene, user_id=user_id, message_id=order_id)]


async def _over(connection: Connection, held: Sequence[PaidMessage]) -> set[str]:
    """Those whose stream is over."""
    streams = StreamRepository()
    found = {one.stream_id: await streams.get(connection, one.stream_id) for one in held}
    ended = {stream_id for stream_id, stream in found.items() if stream is None or stream.status == "ended"}
    return {one.order_id for one in held if one.stream_id in ended}
