"""What a room is told of gifts: one entry for each order, for all time (see `paid.py`), and its removal when the money
goes back."""

from collections.abc import Sequence

import msgspec

from infra.clock import Clock, NewId, milliseconds, new_id
from infra.stores.postgres import Postgres
from media.live.repository import StreamRepository
from payments import repository as orders
from payments.events import GiftGiven, GiftWithdrawn
from realtime.entries import Gift, Person
from realtime.moderation import repository
from realtime.moderation.deeds import Deed, mark_of_quote
from realtime.moderation.once import Warming
from realtime.moderation.record import Held, Records
from realtime.paid import buyer, removal
from realtime.paid_texts import ON_AIR

FIRST_FEW = 5


class GiftLog:
    """Tells rooms. Every method may be called again, and raises `Unavailable`."""

    def __init__(self, db: Postgres, records: Records, rooms: Warming, *, clock: Clock, new_id: NewId = new_id) -> None:
        self._db = db
        self._records = records
        self._rooms = rooms
        self._clock = clock
        self._new_id = new_id
        self._streams = StreamRepository()

    async def tell(self, event: GiftGiven) -> None:
        """Show who gave what. Not in a room that is over, and not of who is silenced there."""
        channel_id = await self._channel_of(event.stream_id)
        if event.stream_id is None or channel_id is None:
            return
        stream_id = event.stream_id
        await self._rooms.warm(stream_id, channel_id)

        async def decided(held: Held) -> Sequence[Deed]:
            connection = held.connection
            stream = await self._streams.get(connection, stream_id)
            order = await orders.lock_order(connection, event.order_id)
            if stream is None or stream.status not in ON_AIR or order is None or order.state != "paid":
                return []
            if await repository.ruling(connection, channel_id, event.order_id) is not None:
                return []
            if await repository.sanction(connection, channel_id, event.giver_id, self._clock()) is not None:
                return []
            return [await self._deed(held, event, stream_id)]

        await self._records.decide(channel_id, decided)

    async def take_back(self, event: GiftWithdrawn) -> None:
        """Remove what the room was told."""
        channel_id = await self._channel_of(event.stream_id)
        if channel_id is None:
            return
        await self._rooms.warm(event.stream_id, channel_id)

        async def decided(held: Held) -> Sequence[Deed]:
            return await removal(
                held, event.order_id, event.giver_id, "gift_withdrawn", clock=self._clock, new_id=self._new_id
            )

        await self._records.decide(channel_id, decided)

    async def _channel_of(self, stream_id: str | None) -> str | None:
        if stream_id is None:
            return None
        async with self._db.connection() as connection:
            stream = await self._streams.get(connection, stream_id)
        return stream.creator_id if stream is not None else None

    async def _deed(self, held: Held, event: GiftGiven, stream_id: str) -> Deed:
        giver = await buyer(held.connection, held.channel.id, event.giver_id)
        at = milliseconds(self._clock())
        entry = Gift(
            offset=0, stream_id=stream_id, id=event.order_id, at=at, user=giver, text=words(event), count=event.count,
            level=event.level if event.creator_id is not None else 0, months=event.months,
            recipients=[Person(id=one.id, name=one.name) for one in event.recipients[:FIRST_FEW]],
        )  # fmt: skip
        return Deed(
            id=event.order_id,
            channel_id=held.channel.id,
            at=at,
            action="gift",
            actor=giver,
            stream_id=stream_id,
            message_id=event.order_id,
            snapshot={"user": msgspec.to_builtins(giver), "text": entry.text, "at": at},
            mark=mark_of_quote(giver.id, event.order_id),  # so that it can be removed like a message
            entry=entry,
        )


def words(event: GiftGiven) -> str:
    """What was given, as a sentence without its subject."""
    kind = f"tier {event.level} " if event.creator_id is not None else "premium "
    length = "" if event.months == 1 else f" for {event.months} months"
    if event.count == 1:
        whom = event.recipients[0].name if event.recipients else "this room"
        return f"gave a {kind}subscription{length} to {whom}."
    return f"gave {event.count} {kind}subscriptions{length} to this room."
