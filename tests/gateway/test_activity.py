"""What charts are told of rooms and channels, from the tables and logs themselves."""

from datetime import UTC, datetime, timedelta

from gateway.activity import RoomActivity
from infra.clock import new_id
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.room.log_redis import key
from tests.media.live.world import enrol

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
SLOT = timedelta(seconds=10)


async def acted(
    db: Postgres, channel_id: str, at: datetime, revision: int, action: str = "delete", **more: str
) -> None:
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO channels (channel_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", channel_id, at
        )
        await connection.execute(
            "INSERT INTO moderation_log (id, channel_id, revision, stream_id, action, actor_id, actor, after, "
            "change, at) "
            "VALUES ($1, $2, $3, $4, $5, $8, '{}', $6, '', $7)",
            new_id(), channel_id, revision, more.get("stream_id"), action, more.get("after"), at, channel_id,
        )  # fmt: skip


async def test_actions_and_followers_are_counted_for_their_channel_and_slot(db: Postgres, redis: Redis) -> None:
    activity = RoomActivity(db, redis)
    ada, bea, fan = [(await enrol(db)).user_id for _ in range(3)]
    for revision, seconds in enumerate((-1, 0, 9.9, 10), 1):
        await acted(db, ada, NOON + timedelta(seconds=seconds), revision)
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO follows (channel_id, user_id, at) VALUES ($1, $3, $4), ($2, $3, $4)", ada, bea, fan, NOON
        )
    assert await activity.actions([ada, bea], NOON, NOON + SLOT) == {ada: 2}
    assert await activity.followers([ada], NOON, NOON + SLOT) == {ada: 1}
    assert await activity.followers([ada, bea], NOON + SLOT, NOON + 2 * SLOT) == {}


async def test_the_offset_of_each_room_is_read(db: Postgres, redis: Redis) -> None:
    rooms = [new_id() for _ in range(3)]
    for number, room in enumerate(rooms[:2], 1):
        await redis.hset(key(room, "meta"), "offset", str(number * 7))
    activity = RoomActivity(db, redis)
    assert await activity.entries(rooms) == {rooms[0]: 7, rooms[1]: 14}
    assert await activity.entries([]) == {}


async def test_raids_are_marked_with_where_they_went(db: Postgres, redis: Redis) -> None:
    creator = await enrol(db)
    stream_id = new_id()
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO streams (id, creator_id, playback_id, key_hash, title, latency, status, created_at) "
            "VALUES ($1, $2, 'noon', ''::bytea, 'Noon', 'low', 'live', $3)",
            stream_id, creator.user_id, NOON,
        )  # fmt: skip
    raid = {"stream_id": stream_id, "after": '{"raid": {"name": "Bea"}}'}  # as `realtime.room.raids` records it
    for revision, action in enumerate(("raid", "raid_cancel", "raid", "raid_gone"), 1):
        await acted(db, creator.user_id, NOON, revision, action, **raid)
    await acted(db, creator.user_id, NOON + SLOT, 5, "raid_gone", **raid)
    await acted(db, creator.user_id, NOON, 6, stream_id=stream_id)
    marks = await RoomActivity(db, redis).raids(stream_id, NOON, NOON + SLOT)
    assert [(mark.at, mark.kind, mark.text) for mark in marks] == [(NOON, "raid", "Raid to Bea")]
