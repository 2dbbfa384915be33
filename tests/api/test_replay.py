"""A recording's chat over HTTP, for those who may watch the recording."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from infra import cursors
from infra.clock import milliseconds, new_id
from infra.settings import MongoSettings
from infra.stores.mongo import open_mongo
from media.catalog.library import Library
from media.catalog.model import Recording, Span, Video, Visibility
from realtime.archive.entries import Row, document
from realtime.archive.mongo import MongoArchive
from tests.accounts.world import World
from tests.api.test_videos import Person, code, person

FORGED = [(0, -1), (-1, 0), (2**63, 0), (0, 2**63), (2**64 - 1, 2**64 - 1)]
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def mara(world: World, client: httpx.AsyncClient) -> Person:
    return await person(world, client, "Mara")


@pytest.fixture
async def ben(world: World, client: httpx.AsyncClient) -> Person:
    return await person(world, client, "Ben")


async def recording_of(owner: Person, library: Library, visibility: Visibility = "public") -> Video:
    """Ten seconds of a stream."""
    video = Video(
        id=new_id(), creator_id=owner.id, creator_name=owner.name, title="Waves", visibility=visibility, status="ready",
        build="abcdefghijkl", created_at=NOON, updated_at=NOON, published_at=NOON,
        recording=Recording(new_id(), [Span(NOON, 0.0, 10.0)]),
    )  # fmt: skip
    return await library.catalogue.create(video)


async def say(settings: MongoSettings, video: Video, *seconds: float) -> None:
    assert video.recording is not None
    room = video.recording.stream_id
    rows = []
    for offset, second in enumerate(seconds, 1):
        entry: dict[str, Any] = {"offset": offset, "kind": "message", "text": f"at {second}"}
        entry["at"] = milliseconds(NOON + timedelta(seconds=second))
        rows.append(document(room, Row(offset, "e1", msgspec.json.encode(entry), f"ada {offset}".encode())))
    async with open_mongo(settings) as mongo:
        await MongoArchive(mongo).keep(rows)


async def test_pages_of_a_recordings_chat(
    client: httpx.AsyncClient, library: Library, mara: Person, mongo_settings: MongoSettings
) -> None:
    video = await recording_of(mara, library)
    await say(mongo_settings, video, 1, 2.5, 4, 20)
    path = f"/api/v1/videos/{video.id}/chat"
    first = (await client.get(path, params={"limit": 2})).json()
    assert [(line["at_seconds"], line["entry"]["text"]) for line in first["lines"]] == [(1.0, "at 1"), (2.5, "at 2.5")]
    rest = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([line["at_seconds"] for line in rest["lines"]], rest["next_cursor"]) == ([4.0], None)
    sought = (await client.get(path, params={"from_seconds": 3})).json()
    assert [line["at_seconds"] for line in sought["lines"]] == [4.0]
    for cursor in ("nonsense", *(cursors.encode(place) for place in FORGED)):
        assert code(await client.get(path, params={"cursor": cursor})) == (400, "request.invalid")


@pytest.mark.parametrize(
    ("visibility", "anonymous", "other"),
    [
        ("public", 200, 200),
        ("unlisted", 200, 200),
        ("premium", 401, 403),
        ("private", 404, 404),
    ],
)
async def test_who_may_not_watch_may_not_read(
    client: httpx.AsyncClient,
    library: Library,
    mara: Person,
    ben: Person,
    visibility: Visibility,
    anonymous: int,
    other: int,
) -> None:
    video = await recording_of(mara, library, visibility)
    path = f"/videos/{video.id}/chat"
    assert (await client.get("/api/v1" + path)).status_code == anonymous
    assert (await ben.call("GET", path)).status_code == other
    assert (await mara.call("GET", path)).status_code == 200
