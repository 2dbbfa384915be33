"""A replica takes a room over that lacks the last decisions: they are brought again, and what they removed stays so."""

from collections.abc import AsyncIterator

import pytest

from infra.bus.port import Bus
from infra.settings import RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.client import Refused
from realtime.room.log_redis import key
from tests.realtime.moderated import Channel, moderated
from tests.realtime.nodes import until

KEPT = ("meta", "log", "rules", "bans", "removed", "removals")


@pytest.fixture
async def channel(db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[Channel]:
    async with moderated(db, redis, redis_settings, bus, nodes=1) as one:
        yield one


async def test_a_ban_holds_although_the_replica_never_heard_of_it(channel: Channel, redis: Redis) -> None:
    ada, room = await channel.stage.person("Ada"), channel.stream_id
    async with channel.client(channel.cleo) as cleo, channel.client(ada) as client:
        await channel.say(client, "hello")
        before = {part: await redis.dump(key(room, part)) for part in KEPT}
        await channel.act(cleo, "mod:ban", user_id=ada.id)
        for part, kept in before.items():  # what the replica has
            await redis.delete(key(room, part))
            if kept is not None:
                await redis.restore(key(room, part), 0, kept)
        await redis.hset(key(room, "meta"), "owner", "the one that died")
        assert not await redis.hexists(key(room, "bans"), ada.id)
        view = cleo.views[room]
        await channel.act(cleo, "chat:send", id="message-1", text="anybody here?")  # nodes hear of another epoch
        await until(lambda: [entry["kind"] for entry in view.entries][1:] == ["message", "moderation"])
        assert b"hello" not in b"".join(line.entry for line in await channel.log.tail(room, 3))
        with pytest.raises(Refused, match="may not write"):
            await channel.say(client, "I am back")
