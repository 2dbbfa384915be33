"""Who is in a room and could be given something: for gifts to the room (`payments.giving.Rooms`)."""

from infra.clock import Clock, milliseconds
from infra.stores.postgres import Postgres
from infra.stores.redis import Functions
from media.live.repository import StreamRepository
from payments.errors import StreamIsNotLive
from realtime.moderation.repository import is_id
from realtime.paid_texts import ON_AIR
from realtime.room.people import people_in
from realtime.room.rules import ChannelRules

MOST = 20_000  # of a larger room those are chosen from whose names come first


class RoomsWithPeople:
    """Asks PostgreSQL about streams and the room's shard about people."""

    def __init__(self, db: Postgres, presence: Functions, truth: ChannelRules, clock: Clock) -> None:
        self._db = db
        self._presence = presence
        self._truth = truth
        self._clock = clock
        self._streams = StreamRepository()

    async def channel_of(self, stream_id: str) -> str:
        """Whose stream it is; raises `StreamIsNotLive`, `Unavailable`."""
        if not is_id(stream_id):
            raise StreamIsNotLive
        async with self._db.connection() as connection:
            stream = await self._streams.get(connection, stream_id)
        if stream is None or stream.status not in ON_AIR:
            raise StreamIsNotLive
        return stream.creator_id

    async def present(self, stream_id: str) -> list[str]:
        """Who is signed in and not silenced in that room, or in the channel's open one when that is over; in no
        particular order. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            stream = await self._streams.get(connection, stream_id)
            if stream is not None and stream.status not in ON_AIR:
                stream = await self._streams.open_of(connection, stream.creator_id)
        if stream is None or stream.status not in ON_AIR:
            return []
        sanctions, now = (await self._truth.rules(stream.creator_id)).sanctions, milliseconds(self._clock())
        silenced = {user for user, one in sanctions.items() if one.until is None or one.until > now}
        people = await people_in(self._presence, stream.id, MOST)
        return [user.id for user in people if user.id not in silenced]
