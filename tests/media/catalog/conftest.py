"""A catalogue on a real store, with a clock that the test moves and a bus that remembers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts.model import Identity, Role
from infra.clock import new_id
from infra.errors import Unavailable
from infra.events import Event
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from media.catalog.indexes import make_indexes
from media.catalog.model import Metadata, Rendition, Video, Visibility
from media.catalog.videos import Catalogue

START = datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
COLLECTIONS = ("videos", "video_likes", "watch_history")
LOW = Rendition("240p", "240p.m3u8", 426, 240, 300_000)
HIGH = Rendition("480p", "480p.m3u8", 854, 480, 900_000)


class Clock:
    """Stands still until told to move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Heard:
    """What was published; while `away`, nothing can be."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False

    async def __call__(self, event: Event) -> None:
        if self.away:
            raise Unavailable
        self.events.append(event)

    def topics(self) -> list[str]:
        return [event.topic for event in self.events]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    """Emptied of what the test before put in."""
    async with open_mongo(mongo_settings) as mongo:
        for name in COLLECTIONS:
            async with mongo.collection(name) as collection:
                await collection.delete_many({})
        yield mongo


@pytest.fixture
async def catalogue(mongo: Mongo, heard: Heard, clock: Clock) -> Catalogue:
    catalogue = Catalogue(mongo, heard, clock)
    await make_indexes(mongo)
    return catalogue


def person(role: Role = "creator", user_id: str | None = None) -> Identity:
    return Identity(
        user_id=user_id or new_id(),
        display_name="Mara",
        role=role,
        subscription_tier="free",
        session_id=new_id(),
        expires_at=START + timedelta(days=1),
    )


def video_of(who: Identity, at: datetime, title: str = "Waves", visibility: Visibility = "public") -> Video:
    return Video(
        id=new_id(),
        creator_id=who.user_id,
        creator_name=who.display_name,
        title=title,
        visibility=visibility,
        created_at=at,
        updated_at=at,
    )


async def finished_video(
    catalogue: Catalogue, who: Identity, clock: Clock, title: str = "Waves", visibility: Visibility = "public"
) -> Video:
    """A video that is ready."""
    video = await catalogue.create(video_of(who, clock(), title, visibility))
    await catalogue.stored(video.id, f"uploads/{video.id}/0123456789abcdef/source", 1000)
    return await catalogue.finished(video.id, "build0000000", [LOW, HIGH], Metadata(duration=100, file_size=1000))
