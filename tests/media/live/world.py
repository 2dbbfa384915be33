"""People, streams and time for the tests of live streams."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from accounts.model import Identity, Role
from infra.clock import new_id
from infra.outbox import Outbox
from infra.settings import LiveSettings
from infra.stores.postgres import Postgres
from media.events import StreamDescribed
from media.live.health import HealthReports
from media.live.repository import StreamRepository
from media.live.state import Stream
from media.live.streams import Started, Streams
from media.live.sweeper import Sweeper
from media.ports import Health

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
SETTINGS = LiveSettings(edge_public_url="https://edge.example", rtmp_public_url="rtmp://in.example/live")


@dataclass
class Time:
    """A clock that moves when told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


def person(role: Role = "creator", name: str = "Ada") -> Identity:
    return Identity(
        user_id=new_id(),
        display_name=name,
        role=role,
        subscription_tier="free",
        session_id=new_id(),
        expires_at=NOON + timedelta(days=1),
    )


async def enrol(db: Postgres, role: Role = "creator", name: str = "Ada") -> Identity:
    """A person who has an account."""
    who = person(role, name)
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO users (id, email, display_name, password_hash, role, created_at, updated_at) "
            "VALUES ($1, $2, $3, '', $4, now(), now())",
            who.user_id, f"{who.user_id}@example.com", name, role,
        )  # fmt: skip
    return who


def a_stream(**changes: Any) -> Stream:
    values: dict[str, Any] = {
        "id": new_id(),
        "creator_id": new_id(),
        "creator_name": "Ada",
        "playback_id": "p" * 16,
        "title": "A morning by the sea",
        "category": None,
        "latency": "low",
        "status": "created",
        "created_at": NOON,
    }
    return Stream(**{**values, **changes})


def healthy(*, playable: bool = True, at: datetime = NOON) -> Health:
    return Health(
        bitrate_kbps=2500.0,
        fps=30.0,
        keyframe_interval_seconds=2.0,
        width=1280,
        height=720,
        video_codec="h264",
        audio_codec="aac",
        drift_ms=3.0,
        connected_at=at,
        playable=playable,
        warnings=[],
    )


@dataclass
class World:
    """The service on real stores, with its clock in our hand."""

    db: Postgres
    health: HealthReports
    time: Time = field(default_factory=Time)
    outbox: Outbox = field(default_factory=Outbox)
    repository: StreamRepository = field(default_factory=StreamRepository)

    def __post_init__(self) -> None:
        self.streams = self.another_process()

    def another_process(self) -> Streams:
        return Streams(self.repository, self.db, self.outbox, self.health, self.time, new_id, SETTINGS)

    def sweeper(self) -> Sweeper:
        return Sweeper(self.streams, self.time)

    async def started(self, who: Identity | None = None, title: str = "A morning by the sea") -> Started:
        return await self.streams.start(who or await enrol(self.db), title, None, "low")

    async def on_air(self, who: Identity | None = None) -> Started:
        started = await self.started(who)
        await self.streams.connected(started.stream.id)
        return started

    async def last_described(self) -> StreamDescribed:
        """What the newest `stream.described` tells."""
        async with self.db.connection() as connection:
            body = await connection.fetchval(
                "SELECT body FROM outbox WHERE topic = 'stream.described' ORDER BY sequence DESC LIMIT 1"
            )
        return msgspec.json.decode(body, type=StreamDescribed)

    async def told(self) -> list[str]:
        """The topics of all events, in the order in which they became true."""
        async with self.db.connection() as connection:
            return [row["topic"] for row in await connection.fetch("SELECT topic FROM outbox ORDER BY sequence")]
