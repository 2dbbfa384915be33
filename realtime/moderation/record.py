"""Recording: one transaction for what was decided, then the rooms are told.

The channel's row is locked while it is decided, so of two moderators one decides after the other, and the channel's
revisions have no gaps. What is committed holds: when the room's shard does not answer, the outbox event brings the
room up to date as soon as it does.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.bus.port import Bus, Message, Subscription
from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import correlation_id, get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from media.live.repository import StreamRepository
from realtime.entries import PinChanged
from realtime.moderation import repository
from realtime.moderation.bodies import Ruling
from realtime.moderation.deeds import Deed, ruling_of
from realtime.moderation.events import ChannelModerated
from realtime.moderation.repository import Channel, Pinned

GROUP = "moderation"

log = get_logger(__name__)


class Projections(Protocol):
    """The part of `realtime.room.rules.RoomRules` that is needed here."""

    async def warm(self, stream_id: str, channel_id: str) -> int: ...

    async def catch_up(self, stream_id: str, channel_id: str) -> int: ...


class DeskFeed(Protocol):
    """Tells moderators who look on what was done; a hint, they can read the log."""

    async def acted(self, stream_id: str, ruling: Ruling) -> None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A channel that nobody else can change until the transaction ends."""

    connection: Connection
    channel: Channel


Decide = Callable[[Held], Awaitable[Sequence[Deed]]]


class Records:
    """The only writer of the moderation log."""

    def __init__(self, db: Postgres, outbox: Outbox, rooms: Projections, feed: DeskFeed, *, clock: Clock) -> None:
        self._db = db
        self._outbox = outbox
        self._rooms = rooms
        self._feed = feed
        self._clock = clock
        self._streams = StreamRepository()

    async def record(self, deed: Deed) -> Ruling:
        """Record what is decided already; raises `ChannelNotFound`, `Unavailable`."""

        async def decided(_: Held) -> Sequence[Deed]:
            return [deed]

        return (await self.decide(deed.channel_id, decided))[0]

    async def decide(self, channel_id: str, decide: Decide) -> list[Ruling]:
        """Let `decide` look and write under the channel's lock, and record the deeds it returns.

        What it raises undoes all of it. Without deeds nothing is recorded, but its writes are kept. Cancelling it
        after the commit leaves the rooms to the outbox event.
        """
        await self._warm(channel_id)
        async with self._db.transaction() as connection:
            channel = await repository.lock(connection, channel_id, self._clock())
            deeds = await decide(Held(connection, channel))
            if not deeds:
                return []
            rulings = await self._write(connection, channel, deeds)
            rooms = await self._rooms_of(connection, channel_id, deeds)
            at = repository.moment(deeds[-1].at)
            await self._outbox.add(
                connection,
                ChannelModerated(at=at, channel_id=channel_id, revision=rulings[-1].revision, stream_ids=rooms),
            )
        self._outbox.nudge()
        await self._tell(channel_id, rooms, rulings)
        return rulings

    async def _warm(self, channel_id: str) -> None:
        """A room that learns its rules after the decision would have no entry of it."""
        if not repository.is_id(channel_id):
            return
        async with self._db.connection() as connection:
            opened = await self._streams.open_of(connection, channel_id)
        if opened is not None:
            try:
                await self._rooms.warm(opened.id, channel_id)
            except FootlightError as failure:
                log.warning("moderation.room_cold", code=failure.code, stream_id=opened.id)

    async def _write(self, connection: Connection, channel: Channel, deeds: Sequence[Deed]) -> list[Ruling]:
        rulings = []
        for revision, deed in enumerate(deeds, channel.revision + 1):
            await repository.apply(connection, deed)
            if isinstance(deed.entry, PinChanged):
                pin = deed.entry.pin
                pinned = Pinned(stream_id=deed.entry.stream_id, pin=pin) if pin else None
                await repository.set_pinned(connection, channel.id, pinned)
            await repository.insert_row(connection, deed, revision, correlation_id())
            rulings.append(ruling_of(deed, revision))
        await repository.set_revision(connection, channel.id, rulings[-1].revision, self._clock())
        return rulings

    async def _rooms_of(self, connection: Connection, channel_id: str, deeds: Sequence[Deed]) -> list[str]:
        """The rooms it was done in, and the channel's open one."""
        opened = await self._streams.open_of(connection, channel_id)
        done_in = [deed.stream_id for deed in deeds if deed.stream_id]
        return list(dict.fromkeys([*done_in, *([opened.id] if opened else [])]))

    async def _tell(self, channel_id: str, rooms: Iterable[str], rulings: Sequence[Ruling]) -> None:
        for stream_id in rooms:
            try:
                await self._rooms.catch_up(stream_id, channel_id)
                for ruling in rulings:
                    await self._feed.acted(stream_id, ruling)
            except FootlightError as failure:
                # It is committed and holds; the event in the outbox is there for this.
                log.warning("moderation.room_behind", code=failure.code, stream_id=stream_id)

    async def heal(self, event: ChannelModerated) -> None:
        """Bring the rooms of an event up to date; most often they are. Raises `Unavailable`."""
        for stream_id in event.stream_ids:
            await self._rooms.catch_up(stream_id, event.channel_id)


async def follow_moderation(bus: Bus, records: Records) -> Subscription:
    """Heal rooms that a crash between commit and Redis left behind; one node of all does it."""

    async def heard(message: Message) -> None:
        await records.heal(ChannelModerated.from_message(message))

    return await bus.subscribe(GROUP, [ChannelModerated.topic], heard)
