"""Nodes with everything that channels decide: one channel, live in one room, with its truth in the real database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from infra.bus.port import Bus
from infra.clock import new_id, system_clock
from infra.outbox import Outbox
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.client import RoomClient, open_client
from realtime.desk import Desk, open_desk
from realtime.entries import User
from realtime.ports import StreamSnapshot
from realtime.room.log_redis import RedisRoomLog, key
from realtime.room.presence import Presence, presence_functions
from tests.realtime.moderation.conftest import moderator
from tests.realtime.moderation.stage import Stage
from tests.realtime.nodes import KnownStreams, TestNode, serving, snapshot, token_of


class ChannelStreams(KnownStreams):
    """The streams of one creator."""

    def __init__(self, creator: User) -> None:
        super().__init__()
        self._creator = creator

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        return snapshot(stream_id, creator_id=self._creator.id, creator_name=self._creator.name)


@dataclass
class Channel:
    """`cleo` broadcasts and `max` moderates in the room `stream_id`; all others watch."""

    stage: Stage
    redis: Redis
    cleo: User
    max: User
    stream_id: str
    nodes: list[TestNode] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)

    @property
    def log(self) -> RedisRoomLog:
        return self.desks[0].room_log

    @asynccontextmanager
    async def client(self, user: User | None, node: int = 0, **changes: Any) -> AsyncIterator[RoomClient]:
        """A socket of this user (None: of nobody) at a node, in the room; after a loss it tries the next node."""
        urls = [one.url for one in self.nodes]
        token = token_of(user.id, **changes) if user is not None else None
        async with open_client(urls[node:] + urls[:node], token=token) as client:
            await client.join(self.stream_id, desk=user is not None and user.role != "viewer")
            yield client

    async def act(self, client: RoomClient, event: str, **body: Any) -> dict[str, Any]:
        return await client.ask(event, {"stream_id": self.stream_id, **body})

    async def say(self, client: RoomClient, text: str, **body: Any) -> str:
        """The id of what was said."""
        name = new_id()
        await self.act(client, "chat:send", id=name, text=text, **body)
        return name

    async def raw(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Offset, mark and entry of everything in the log, as nobody is given it."""
        rows: Any = await self.redis.xrange(key(self.stream_id, "log"), "-", "+")
        return [
            (int(name.split(b"-")[0]), fields[b"m"].decode(), msgspec.json.decode(fields[b"e"]))
            for name, fields in rows
        ]

    async def end(self) -> None:
        await self.redis.hset(key(self.stream_id, "stream"), "status", "ended")


@asynccontextmanager
async def moderated(
    db: Postgres,
    redis: Redis,
    settings: RedisSettings,
    bus: Bus,
    *,
    nodes: int = 2,
    limits: RealtimeSettings | None = None,
) -> AsyncIterator[Channel]:
    """Two nodes, each with a desk of its own as in processes of their own."""
    stage = Stage(db)
    cleo = await stage.person("Cleo", platform="creator", role="creator")
    channel = Channel(stage, redis, cleo, await moderator(stage, cleo, "Max"), await stage.stream(cleo))
    streams = ChannelStreams(cleo)

    async def set_color(user_id: str, color: str | None) -> None: ...

    async with AsyncExitStack() as stack:
        for _ in range(nodes):
            desk = open_desk(
                db=db,
                redis=redis,
                outbox=Outbox(),
                streams=streams,
                viewers=Presence(presence_functions(redis)),
                set_color=set_color,
                clock=system_clock,
            )
            node = await stack.enter_async_context(
                serving(redis, settings, bus, moderating=desk, streams=streams, limits=limits)
            )
            channel.desks.append(desk)
            channel.nodes.append(node)
        yield channel
