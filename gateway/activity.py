"""What charts need of rooms and channels, read where the real-time layer keeps it.

Implements `media.live.sampler.Activity` and `media.live.charts.ChannelOffice`.
"""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime

from accounts.model import Identity
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis, asked
from media.live.samples import Mark
from realtime.moderation.capabilities import may, role_in
from realtime.room.log_redis import key


class RoomActivity:
    """Questions for all streams on air together, and for one channel. All raise `Unavailable`."""

    def __init__(self, db: Postgres, redis: Redis) -> None:
        self._db = db
        self._redis = redis

    async def entries(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """The newest offset of each room's log; a room without one is left out."""
        if not stream_ids:
            return {}

        def ask_all() -> Awaitable[list[bytes | None]]:
            pipeline = self._redis.pipeline()
            for stream_id in stream_ids:
                pipeline.hget(key(stream_id, "meta"), "offset")
            return pipeline.execute()

        answers = await asked(ask_all)
        return {stream_id: int(answer) for stream_id, answer in zip(stream_ids, answers, strict=True) if answer}

    async def actions(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        return await self._count("moderation_log", channel_ids, since, until)

    async def followers(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        return await self._count("follows", channel_ids, since, until)

    async def raids(self, stream_id: str, since: datetime, until: datetime) -> Sequence[Mark]:
        """The raids that a stream sent, oldest first."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT l.at, l.after -> 'raid' ->> 'name' AS name FROM moderation_log l "
                "JOIN streams s ON s.creator_id = l.channel_id "
                "WHERE s.id = $1 AND l.stream_id = s.id::text AND l.action = 'raid_gone' AND l.at >= $2 AND l.at < $3 "
                "ORDER BY l.at",
                stream_id, since, until,
            )  # fmt: skip
        return [Mark(row["at"], "raid", f"Raid to {row['name']}" if row["name"] else "Raid") for row in rows]

    async def may_see(self, channel_id: str, who: Identity) -> bool:
        """Whether somebody may see what only the channel's moderators may."""
        async with self._db.connection() as connection:
            given = await connection.fetchval(
                "SELECT role FROM channel_roles WHERE channel_id = $1 AND user_id = $2", channel_id, who.user_id
            )
        roles = {who.user_id: given} if given else {}
        return may(role_in(channel_id, roles, who.user_id, who.role), "see_private")

    async def _count(
        self, table: str, channel_ids: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[str, int]:
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                f"SELECT channel_id, count(*) AS count FROM {table} "  # noqa: S608  # one of our two
                "WHERE channel_id = ANY($1::uuid[]) AND at >= $2 AND at < $3 GROUP BY channel_id",
                list(channel_ids), since, until,
            )  # fmt: skip
        return {str(row["channel_id"]): row["count"] for row in rows}
