"""Channels that are live, as PostgreSQL knows them: for raids, and for the list of held messages."""

from accounts.model import Identity
from infra.clock import Clock
from infra.stores.postgres import Postgres
from media.live.repository import StreamRepository
from realtime.moderation import repository
from realtime.moderation.access import admitted
from realtime.moderation.bodies import HeldMessage
from realtime.moderation.held import HeldQueue
from realtime.room.raids import LiveChannel

ON_AIR = ("live", "interrupted")


class LiveChannels:
    """See `realtime.room.raids.Channels`."""

    def __init__(self, db: Postgres, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._streams = StreamRepository()

    async def live_stream_of(self, channel_id: str) -> LiveChannel | None:
        if not repository.is_id(channel_id):
            return None
        async with self._db.connection() as connection:
            stream = await self._streams.open_of(connection, channel_id)
            if stream is None or stream.status not in ON_AIR:
                return None
            creator = await repository.person(connection, channel_id, channel_id)
        return LiveChannel(channel_id=channel_id, name=creator.name, stream_id=stream.id) if creator else None

    async def is_banned(self, channel_id: str, user_id: str) -> bool:
        async with self._db.connection() as connection:
            return await repository.sanction(connection, channel_id, user_id, self._clock()) is not None


class HeldInChannels:
    """The held messages of a channel, for who moderates it."""

    def __init__(self, db: Postgres, queue: HeldQueue) -> None:
        self._db = db
        self._queue = queue
        self._streams = StreamRepository()

    async def held_in(self, channel_id: str, identity: Identity) -> list[HeldMessage]:
        """Oldest first, none when no stream is open; raises `ChannelNotFound`, `NotAllowed`, `Unavailable`."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "moderate")
            stream = await self._streams.open_of(connection, channel_id)
        return await self._queue.list(stream.id) if stream else []
