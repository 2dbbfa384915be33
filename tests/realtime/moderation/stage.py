"""What tests of a channel's truth start from: the real database, a clock that can be set, rooms that remember."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from accounts.model import Role
from infra.clock import new_id
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from infra.stores.redis import RedisUnavailable
from realtime.entries import RoomRole, User
from realtime.moderation import repository
from realtime.moderation.actions import Moderation
from realtime.moderation.bodies import Acted, Command, Ruling
from realtime.moderation.truth import ChannelTruth
from realtime.room.rules import Change, Rules, patched

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class SetClock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class RememberingRooms:
    """Rooms that take in the truth as the real ones do: the missing changes, in order, each once."""

    def __init__(self, truth: ChannelTruth) -> None:
        self._truth = truth
        self.rules: dict[str, Rules] = {}
        self.changes: dict[str, list[Change]] = {}
        self.away = False

    async def warm(self, stream_id: str, channel_id: str) -> int:
        return self.of(stream_id).revision

    async def catch_up(self, stream_id: str, channel_id: str) -> int:
        if self.away:
            raise RedisUnavailable
        while missing := await self._truth.after(channel_id, self.of(stream_id).revision):
            for change in missing:
                if change.revision == self.of(stream_id).revision + 1:
                    self.rules[stream_id] = patched(self.of(stream_id), change)
                    self.changes.setdefault(stream_id, []).append(change)
        return self.of(stream_id).revision

    def of(self, stream_id: str) -> Rules:
        return self.rules.get(stream_id, Rules())

    def entries(self, stream_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Mark and entry of every change that has one."""
        changes = self.changes.get(stream_id, [])
        return [(change.mark, msgspec.json.decode(change.entry)) for change in changes if change.entry is not None]


class RememberingFeed:
    """What the desk was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Ruling]] = []

    async def acted(self, stream_id: str, ruling: Ruling) -> None:
        self.told.append((stream_id, ruling))


class SaidMessages:
    """What was said, as the room's log has it."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str, str], dict[str, Any]] = {}

    def say(self, stream_id: str, user: User, text: str, message_id: str | None = None) -> str:
        message_id = message_id or new_id()
        self.said[stream_id, user.id, message_id] = {
            "kind": "message",
            "id": message_id,
            "user": msgspec.to_builtins(user),
            "text": text,
        }
        return message_id

    async def find(self, stream_id: str, user_id: str, message_id: str) -> dict[str, Any] | None:
        return self.said.get((stream_id, user_id, message_id))


class Stage:
    """A channel with people; `cleo` broadcasts."""

    def __init__(self, db: Postgres) -> None:
        self.db = db
        self.clock = SetClock()
        self.outbox = Outbox()
        self.truth = ChannelTruth(db, clock=self.clock)
        self.rooms = RememberingRooms(self.truth)
        self.feed = RememberingFeed()
        self.messages = SaidMessages()
        self.moderation = Moderation(
            db, self.outbox, rooms=self.rooms, feed=self.feed, messages=self.messages, clock=self.clock
        )
        self.records = self.moderation.records

    async def person(self, name: str, *, platform: Role = "free", role: RoomRole = "viewer") -> User:
        """Somebody with an account; without the price of a real password."""
        user_id = new_id()
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO users (id, email, display_name, password_hash, role, created_at, updated_at) "
                "VALUES ($1, $2, $3, '', $4, $5, $5)",
                user_id, f"{user_id}@example.com", name, platform, self.clock() - timedelta(days=30),
            )  # fmt: skip
        return User(id=user_id, name=name, role=role)

    async def stream(self, creator: User, status: str = "live") -> str:
        """A stream of theirs."""
        stream_id = new_id()
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO streams (id, creator_id, playback_id, key_hash, title, latency, status, created_at) "
                "VALUES ($1, $2, $3, $4, 'Evening', 'low', $5, $6)",
                stream_id, creator.id, stream_id, stream_id.encode(), status, self.clock(),
            )  # fmt: skip
        return stream_id

    async def act(self, actor: User, channel: User, command: Command) -> Acted:
        return await self.moderation.act(actor, channel.id, command)

    async def log(self, channel: User) -> list[Ruling]:
        """The whole log, oldest first."""
        rows = await self.rows("SELECT id FROM moderation_log WHERE channel_id = $1 ORDER BY revision", channel.id)
        async with self.db.connection() as connection:
            found = [await repository.ruling(connection, channel.id, str(row["id"])) for row in rows]
        return [ruling for ruling in found if ruling is not None]

    async def rows(self, query: str, *values: object) -> Sequence[Any]:
        async with self.db.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def revisions(self, channel: User) -> list[int]:
        rows = await self.rows("SELECT revision FROM moderation_log WHERE channel_id = $1 ORDER BY 1", channel.id)
        return [row["revision"] for row in rows]

    async def told(self, topic: str) -> list[dict[str, Any]]:
        """The bodies of the stored events of one kind."""
        rows = await self.rows("SELECT body FROM outbox WHERE topic = $1 ORDER BY sequence", topic)
        return [msgspec.json.decode(row["body"]) for row in rows]
