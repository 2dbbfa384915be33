"""The API on real servers, driven in process, with a middleware that stands in for the gateway."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.types import ASGIApp, Receive, Scope, Send

from accounts.accounts import Accounts
from api.app import create_api
from gateway.activity import RoomActivity
from gateway.replaying import open_replay
from infra.clock import system_clock
from infra.errors import FootlightError
from infra.events import Event
from infra.settings import MongoSettings, ObjectSettings, Settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import Objects, open_objects
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.catalog.indexes import ALL, make_indexes
from media.catalog.library import Library
from media.catalog.views import Views
from media.catalog.watching import Watching
from media.live.charts import Charts
from media.live.streams import Streams
from media.live.timeline import Timeline
from media.recording.repository import RecordingRepository
from media.vod.retrying import Retrying
from media.vod.transcodes import Transcodes
from realtime.archive.mongo import COLLECTION
from realtime.archive.replay import Replay
from realtime.channel_emotes import ChannelEmotes
from realtime.moderation.channels import Channels
from realtime.moderation.said import MongoSaid
from tests.accounts.world import World, open_world
from tests.media.delivery.passes import playback
from tests.realtime.moderation.stage import Stage

ORIGIN = "https://footlight.test"


class Bearer:
    """Does what the gateway does for the API: finds out who is asking."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = {"identity": None, "auth_error": None, "address": "192.0.2.7"}
        scope["state"] = state
        header = dict(scope["headers"]).get(b"authorization", b"").decode()
        if header.startswith("Bearer "):
            try:
                state["identity"] = await self._accounts.identify(header.removeprefix("Bearer "))
            except FootlightError as refused:
                state["auth_error"] = refused
        await self._app(scope, receive, send)


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "keys"


@pytest.fixture
async def world(keys_folder: Path, db: Postgres, redis: Redis) -> AsyncIterator[World]:
    async with open_world(keys_folder, db, redis) as world:
        yield world


class Viewers(dict[str, int]):
    """How many watch what, as the test says: the rooms are the real-time server's."""

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        return {stream_id: self.get(stream_id, 0) for stream_id in stream_ids}

    async def peaks(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        return {stream_id: 10 * self.get(stream_id, 0) for stream_id in stream_ids}


@pytest.fixture
def viewers() -> Viewers:
    return Viewers()


@pytest.fixture
def streams(world: World) -> Streams:
    return Streams.over(world.db, world.redis, world.outbox, Settings().live)


@pytest.fixture
async def timeline(mongo_settings: MongoSettings) -> AsyncIterator[Timeline]:
    async with open_mongo(mongo_settings) as mongo:
        yield Timeline(mongo)


@pytest.fixture
async def objects(objects_settings: ObjectSettings) -> AsyncIterator[Objects]:
    async with open_objects(objects_settings) as objects:
        yield objects


@pytest.fixture
def channel_emotes(world: World, objects: Objects) -> ChannelEmotes:
    return ChannelEmotes(world.db, objects, system_clock)


@pytest.fixture
async def stage(world: World) -> Stage:
    """The truth of channels, on the same accounts."""
    return Stage(world.db)


@pytest.fixture
async def channels(mongo_settings: MongoSettings, stage: Stage) -> AsyncIterator[Channels]:
    async with open_mongo(mongo_settings) as mongo:
        async with mongo.collection(COLLECTION) as entries:
            await entries.delete_many({})
        yield Channels.over(stage.db, stage.outbox, stage.moderation, MongoSaid(mongo), clock=stage.clock)


@pytest.fixture(scope="session")
async def shelves(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    """The catalogue's collections with their indexes, which take a second to make."""
    async with open_mongo(mongo_settings) as mongo:
        await make_indexes(mongo)
        yield mongo


@pytest.fixture
async def library(shelves: Mongo, objects: Objects) -> Library:
    """With an empty catalogue, which nobody follows."""

    async def unheard(_: Event) -> None:
        return

    for name in ALL:
        async with shelves.collection(name) as collection:
            if await collection.find_one({}, {"_id": 1}):  # a read is much quicker than a write that finds nothing
                await collection.delete_many({})
    return Library.over(shelves, objects, unheard, system_clock)


@pytest.fixture
async def replay(shelves: Mongo, library: Library) -> Replay:
    return open_replay(shelves, library.catalogue)


@pytest.fixture
async def client(
    world: World,
    streams: Streams,
    viewers: Viewers,
    timeline: Timeline,
    channel_emotes: ChannelEmotes,
    channels: Channels,
    library: Library,
    replay: Replay,
) -> AsyncIterator[httpx.AsyncClient]:
    charts = Charts(streams, timeline, RoomActivity(world.db, world.redis))
    api = create_api(
        accounts=world.accounts,
        streams=streams,
        viewers=viewers,
        charts=charts,
        channel_emotes=channel_emotes,
        channels=channels,
        library=library,
        replay=replay,
        playback=playback(),
        retrying=Retrying(
            world.db,
            library.catalogue,
            Transcodes(world.outbox, system_clock),
            RecordingRepository(),
            system_clock,
            world.outbox.nudge,
        ),
        watching=Watching(Views(world.redis, system_clock), library.history),
        settings=Settings(),
    )
    app = Bearer(api, world.accounts)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar and httpx type ASGI differently
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client
