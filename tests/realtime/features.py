"""What tests of held messages, polls, reactions and raids stand on: a room on the real cluster, a channel in the real
database, and everything the room's channel carried."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from infra.errors import Unavailable
from infra.settings import RedisSettings
from infra.stores.redis import Functions, Redis
from realtime.cluster import open_channels
from realtime.entries import Message, User, without_offset
from realtime.moderation.deeds import Deed
from realtime.moderation.once import Once
from realtime.room.features import SOURCE, feature_functions
from realtime.room.log import Draft, Rank
from realtime.room.log_redis import RedisRoomLog, channel, room_functions
from realtime.room.rules import Change, Patch, Sanction
from tests.realtime.moderation.stage import Stage

END = b"x end"


class Heard:
    """What a node heard on a room's channel."""

    def __init__(self, redis: Redis, stream_id: str) -> None:
        self._redis = redis
        self._stream_id = stream_id
        self._payloads: list[bytes] = []
        self._ended = asyncio.Event()

    def received(self, payload: bytes) -> None:
        self._payloads.append(payload)
        if payload == END:
            self._ended.set()

    def resumed(self) -> None: ...

    async def all(self, kind: str) -> list[str]:
        """Everything of one kind so far, without the kind; messages of a channel come in the order they went out."""
        self._ended.clear()
        name = channel(self._stream_id)
        node = self._redis.get_node_from_key(name)
        await self._redis.execute_command("SPUBLISH", name, END, target_nodes=node)
        await self._ended.wait()
        texts = [payload.decode() for payload in self._payloads]
        return [text.partition(" ")[2] for text in texts if text.partition(" ")[0] == kind]

    async def bodies(self, kind: str, event: str) -> list[dict[str, Any]]:
        """The bodies of one event of the kinds `d` and `u`."""
        found = [text.partition(event + " ") for text in await self.all(kind)]
        return [msgspec.json.decode(body) for _, match, body in found if match]


@asynccontextmanager
async def listening(redis: Redis, settings: RedisSettings, stream_id: str) -> AsyncIterator[Heard]:
    heard = Heard(redis, stream_id)
    async with open_channels(redis, settings) as channels:
        await channels.subscribe(channel(stream_id), heard)
        yield heard
        await channels.unsubscribe(channel(stream_id), heard)


class WarmRooms:
    """The rooms of a stage, which know their rules from the beginning."""

    async def warm(self, stream_id: str, channel_id: str) -> int:
        return 0


class Scenery:
    """One channel, live in one room: `creator`, `stream_id`, the room's log, and the channel's own log."""

    def __init__(self, redis: Redis, stage: Stage, creator: User, stream_id: str) -> None:
        self.redis = redis
        self.stage = stage
        self.creator = creator
        self.stream_id = stream_id
        self.log = RedisRoomLog(room_functions(redis))
        self.record = Once(stage.records, WarmRooms()).record

    def functions(self) -> Functions:
        """The library, as one more node has it."""
        return feature_functions(self.redis)

    @classmethod
    async def built(cls, redis: Redis, stage: Stage) -> "Scenery":
        creator = await stage.person("Cleo", platform="creator", role="creator")
        return cls(redis, stage, creator, await stage.stream(creator))

    async def say(self, stream_id: str, message: Message) -> object:
        """What nodes do with a message that was let through."""
        draft = Draft(message.user.id, message.id, without_offset(message), rank=Rank.LET_THROUGH)
        return await self.log.append(stream_id, draft)

    async def said(self) -> list[str]:
        """The texts in the room's log."""
        return [msgspec.json.decode(line.entry)["text"] for line in await self.log.tail(self.stream_id, 100)]

    async def ban(self, user: User) -> None:
        """On the room alone: what its channel's truth would tell it."""
        known = await self.log.known(self.stream_id)
        patch = Patch(sanction=(user.id, Sanction(until=None, reason="spam")))
        revision = known.rules.revision + 1
        await self.log.control(self.stream_id, Change(id="ban", revision=revision, stream_id=None, patch=patch))

    async def actions(self, channel: User | None = None) -> list[str]:
        """What the channel's log has, in order."""
        rows = await self.stage.rows(
            "SELECT action FROM moderation_log WHERE channel_id = $1 ORDER BY revision", (channel or self.creator).id
        )
        return [row["action"] for row in rows]

    def entries(self, stream_id: str | None = None) -> list[dict[str, Any]]:
        """What rooms were given to show."""
        return [entry for _, entry in self.stage.rooms.entries(stream_id or self.stream_id)]


class SendsTwice(Functions):
    """Every answer is lost, so everything is sent again."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, SOURCE.read_text())

    async def call(self, *question: Any) -> Any:
        await super().call(*question)
        return await super().call(*question)


class Dies:
    """A node that is killed at a certain step: from the `step`th call on nothing it does succeeds."""

    def __init__(self, functions: Functions, after: str) -> None:
        self._functions = functions
        self._after = after
        self.dead = False

    async def call(self, function: str, *rest: Any) -> Any:
        if self.dead:
            raise Unavailable
        answer = await self._functions.call(function, *rest)
        self.dead = function == self._after
        return answer

    async def record(self, deed: Deed) -> None:
        raise Unavailable


async def together(*work: Any) -> list[Any]:
    """All at once; what each answered, or raised."""
    return await asyncio.gather(*work, return_exceptions=True)
