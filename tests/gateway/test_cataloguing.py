"""What a worker does for the catalogue, wired as it is in the program."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.model import Identity
from gateway.asgi import Receive, Scope, Send, respond
from gateway.cataloguing import cataloguing
from gateway.core import Core, open_core
from infra.bus.port import Message
from infra.clock import new_id, system_clock
from infra.settings import Settings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import Objects, open_objects
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from media.catalog.announcing import to_bus
from media.catalog.details import VideoChange
from media.catalog.library import Library
from media.catalog.model import Metadata, Rendition, Video
from tests.gateway.conftest import Serve

PATIENCE_SECONDS = 30


@pytest.fixture
def purged() -> list[str]:
    """What the edge was asked to forget."""
    return []


@pytest.fixture
async def core(
    node_settings: Settings, db: Postgres, redis: Redis, served: Serve, purged: list[str]
) -> AsyncIterator[Core]:
    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        purged.append(scope["path"])
        await respond(send, 200, b"{}", "application/json")

    live = replace(node_settings.live, edge_public_url=f"http://127.0.0.1:{await served(edge)}")
    async with open_core(replace(node_settings, live=live)) as core:
        yield core


@pytest.fixture
async def mongo(node_settings: Settings) -> AsyncIterator[Mongo]:
    async with open_mongo(node_settings.mongo) as mongo:
        async with mongo.collection("videos") as videos:
            await videos.delete_many({})
        yield mongo


@pytest.fixture
async def objects(node_settings: Settings) -> AsyncIterator[Objects]:
    async with open_objects(node_settings.objects) as objects:
        yield objects


@pytest.fixture
async def library(core: Core, mongo: Mongo, objects: Objects) -> AsyncIterator[Library]:
    """As a node of the API has it, with a worker beside it."""
    async with cataloguing(core, mongo, objects):
        yield Library.over(mongo, objects, to_bus(core.bus), system_clock)


async def mara(core: Core) -> Identity:
    signed = await core.accounts.sign_up("mara@example.com", "seven green kites", "Mara")
    return await core.accounts.identify(signed.access_token)


async def finished(library: Library, who: Identity) -> Video:
    now = system_clock()
    draft = Video(
        id=new_id(),
        creator_id=who.user_id,
        creator_name=who.display_name,
        title="Waves",
        created_at=now - timedelta(seconds=1),
        updated_at=now,
    )
    await library.catalogue.create(draft)
    rendition = Rendition("480p", "480p.m3u8")
    return await library.catalogue.finished(draft.id, "abcdefghijkl", [rendition], Metadata(duration=10))


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await wanted():  # noqa: ASYNC110 - of another process as far as this one knows
            await asyncio.sleep(0.05)


async def test_files_of_a_deleted_video_go_and_its_end_is_heard(
    core: Core, library: Library, objects: Objects, purged: list[str]
) -> None:
    heard: list[str] = []

    async def take(message: Message) -> None:
        heard.append(message.topic)

    listening = await core.bus.listen(["video.*"], take)
    who = await mara(core)
    video = await finished(library, who)
    key = f"vod/{video.id}/abcdefghijkl/index.m3u8"
    await objects.call("put_object", Key=key, Body=b"#EXTM3U")
    await library.catalogue.delete(who, video.id)

    async def gone() -> bool:
        page = await objects.call("list_objects_v2", Prefix=f"vod/{video.id}/")
        return not page.get("Contents") and "/__edge/purge" in purged

    await until(gone)
    await listening.close()
    assert heard == ["video.changed", "video.changed", "video.deleted"]


async def test_a_video_that_becomes_private_takes_its_poster_along(
    core: Core, library: Library, objects: Objects, purged: list[str]
) -> None:
    who = await mara(core)
    video = await finished(library, who)
    path = f"posters/{video.id}/0123456789abcdef.jpg"
    await objects.call("put_object", Key=path, Body=b"a picture")
    await library.catalogue.set_poster(video.id, f"/{path}")
    await library.catalogue.change(who, video.id, VideoChange(visibility="private"))

    async def hidden() -> bool:
        page = await objects.call("list_objects_v2", Prefix=f"posters/{video.id}/")
        return path not in [one["Key"] for one in page["Contents"]] and "/__edge/purge" in purged

    await until(hidden)


async def test_videos_follow_the_name_of_their_creator(core: Core, library: Library) -> None:
    who = await mara(core)
    video = await finished(library, who)
    await core.accounts.rename(who, "Mara B.")

    async def renamed() -> bool:
        found = await library.catalogue.get(video.id)
        return found.creator_name == "Mara B."

    await until(renamed)
