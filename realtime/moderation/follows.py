"""Following channels."""

from infra.clock import Clock
from infra.outbox import Outbox
from infra.stores.postgres import Connection, Postgres
from realtime.moderation import repository
from realtime.moderation.access import person_here
from realtime.moderation.errors import AlreadySo, RestrictedHere
from realtime.moderation.events import ChannelFollowed, ChannelUnfollowed


class Follows:
    """Who follows whom, and since when; times in Unix milliseconds."""

    def __init__(self, db: Postgres, outbox: Outbox, *, clock: Clock) -> None:
        self._db = db
        self._outbox = outbox
        self._clock = clock

    async def follow(self, channel_id: str, user_id: str) -> int:
        """Since when they follow; following twice changes nothing.

        Raises `ChannelNotFound`, `UnknownUser`, `AlreadySo` for one's own channel, `RestrictedHere` for the banned.
        """
        if channel_id == user_id:
            raise AlreadySo("This is your own channel.")
        async with self._db.transaction() as connection:
            user = await person_here(connection, channel_id, user_id)
            sanction = await repository.sanction(connection, channel_id, user_id, self._clock())
            if sanction is not None and sanction.kind == "ban":
                raise RestrictedHere
            added = await connection.fetchval(
                "INSERT INTO follows (channel_id, user_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING at",
                channel_id, user_id, self._clock(),
            )  # fmt: skip
            if added is not None:
                event = ChannelFollowed(at=added, channel_id=channel_id, user_id=user_id, user_name=user.name)
                await self._outbox.add(connection, event)
            since = await following_since(connection, channel_id, user_id)
        self._outbox.nudge()
        return since or 0

    async def unfollow(self, channel_id: str, user_id: str) -> None:
        """Not to follow is fine too."""
        if not repository.is_id(channel_id):
            return
        async with self._db.transaction() as connection:
            status = await connection.execute(
                "DELETE FROM follows WHERE channel_id = $1 AND user_id = $2", channel_id, user_id
            )
            if status == "DELETE 1":
                event = ChannelUnfollowed(at=self._clock(), channel_id=channel_id, user_id=user_id)
                await self._outbox.add(connection, event)
        self._outbox.nudge()

    async def since(self, channel_id: str, user_id: str) -> int | None:
        """Since when they follow; None when they do not."""
        if not repository.is_id(channel_id) or not repository.is_id(user_id):
            return None
        async with self._db.connection() as connection:
            return await following_since(connection, channel_id, user_id)


async def following_since(connection: Connection, channel_id: str, user_id: str) -> int | None:
    at = await connection.fetchval("SELECT at FROM follows WHERE channel_id = $1 AND user_id = $2", channel_id, user_id)
    return None if at is None else repository.in_ms(at)


async def count(connection: Connection, channel_id: str) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM follows WHERE channel_id = $1", channel_id))
