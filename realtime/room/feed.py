"""Words for some in a room, on its channel: the desk, or one user. Hints that may be missed; the truth can be read."""

import msgspec

from infra.stores.redis import Redis, asked
from realtime.moderation.bodies import ModActed, Ruling
from realtime.room.log_redis import channel


class RoomFeed:
    """`realtime.moderation.record.DeskFeed`, and more."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def acted(self, stream_id: str, ruling: Ruling) -> None:
        await self._publish(stream_id, b"d mod:acted ", ModActed(stream_id=stream_id, ruling=ruling))

    async def tell(self, stream_id: str, user_id: str, event: str, body: msgspec.Struct) -> None:
        """To the sockets of one user."""
        await self._publish(stream_id, f"u {user_id} {event} ".encode(), body)

    async def _publish(self, stream_id: str, head: bytes, body: msgspec.Struct) -> None:
        name, payload = channel(stream_id), head + msgspec.json.encode(body)
        node = self._redis.get_node_from_key(name)
        await asked(lambda: self._redis.execute_command("SPUBLISH", name, payload, target_nodes=node))
