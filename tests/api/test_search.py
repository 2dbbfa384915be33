"""Search over HTTP: the shape of answers, what is refused, and that the rest works when search does not."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_api
from gateway.activity import RoomActivity
from infra.clock import system_clock
from infra.local.parts import free_port
from infra.settings import MongoSettings, SearchSettings, Settings
from infra.stores.mongo import open_mongo
from infra.stores.search import Search, open_search
from media.catalog.indexer import Indexer, postgres_lock
from media.catalog.library import Library
from media.catalog.search import VideoSearch
from media.catalog.search_index import VideoIndex
from media.live.charts import Charts
from media.live.streams import Streams
from media.live.timeline import Timeline
from realtime.channel_emotes import ChannelEmotes
from tests.accounts.world import World
from tests.api.conftest import ORIGIN, Bearer, Viewers
from tests.api.test_videos import Person, code, person, put_video
from tests.media.delivery.passes import playback


@pytest.fixture
async def search(search_settings: SearchSettings) -> AsyncIterator[Search]:
    async with open_search(search_settings) as search:
        yield search


@pytest.fixture
async def indexer(world: World, search: Search, mongo_settings: MongoSettings) -> AsyncIterator[Indexer]:
    async with open_mongo(mongo_settings) as mongo:
        yield Indexer(VideoIndex(search), mongo, system_clock, postgres_lock(world.db))


@pytest.fixture
async def client(
    world: World,
    streams: Streams,
    viewers: Viewers,
    timeline: Timeline,
    channel_emotes: ChannelEmotes,
    library: Library,
    search: Search,
) -> AsyncIterator[httpx.AsyncClient]:
    api = create_api(
        accounts=world.accounts,
        streams=streams,
        viewers=viewers,
        charts=Charts(streams, timeline, RoomActivity(world.db, world.redis)),
        channel_emotes=channel_emotes,
        library=library,
        video_search=VideoSearch(search, library.catalogue, lambda: 0.0),
        playback=playback(),
        settings=Settings(),
    )
    transport = httpx.ASGITransport(app=Bearer(api, world.accounts))  # type: ignore[arg-type]  # typed differently
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
async def mara(world: World, client: httpx.AsyncClient) -> Person:
    return await person(world, client, "Mara")


async def found(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/videos/search", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_results_have_the_video_and_what_matched_in_pieces(
    client: httpx.AsyncClient, library: Library, indexer: Indexer, mara: Person
) -> None:
    video = await put_video(library, mara, "Calm <i>waves</i> at dusk")
    await indexer.rebuild(grace_seconds=0)
    body = await found(client, q="wavs")
    assert set(body) == {"results", "total", "next_cursor"}
    assert (body["total"], body["next_cursor"]) == (1, None)
    (result,) = body["results"]
    assert result["highlights"] == {
        "title": [
            {"text": "Calm <i>", "match": False},
            {"text": "waves", "match": True},
            {"text": "</i> at dusk", "match": False},
        ]
    }
    shown = (await client.get(f"/api/v1/videos/{video.id}")).json()
    assert result["video"] == shown
    assert not {"upload_url", "build", "failure", "stored_bytes"} & set(shown)
    mine = (await mara.call("GET", "/videos/search", params={"q": "waves"})).json()
    assert mine["results"][0]["video"]["liked"] is False


async def test_filters_sorting_and_pages_over_http(
    client: httpx.AsyncClient, library: Library, indexer: Indexer, mara: Person
) -> None:
    for number in range(5):
        await put_video(library, mara, f"Part {number}", "premium" if number % 2 else "public")
    await put_video(library, mara, "Part private", "private")
    await indexer.rebuild(grace_seconds=0)
    seen: list[str] = []
    params: dict[str, Any] = {"q": "part", "sort": "newest", "limit": 2}
    while True:
        body = await found(client, **params)
        assert body["total"] == 5
        seen += [result["video"]["title"] for result in body["results"]]
        if body["next_cursor"] is None:
            break
        params["cursor"] = body["next_cursor"]
    assert seen == [f"Part {number}" for number in (4, 3, 2, 1, 0)]
    assert (await found(client, premium="true"))["total"] == 2
    assert (await found(client, creator=mara.id, min_seconds=100, max_seconds=100))["total"] == 5
    assert (await found(client, min_seconds=101))["total"] == 0
    assert (await found(client, **{"from": "2020-01-01", "to": "2020-02-01"}))["total"] == 0
    assert (await found(client, **{"from": "2020-01-01T00:00:00+02:00"}))["total"] == 5
    own = (await mara.call("GET", "/videos/search", params={"q": "private"})).json()
    assert [result["video"]["visibility"] for result in own["results"]] == ["private"]


async def test_suggestions_over_http(
    client: httpx.AsyncClient, library: Library, indexer: Indexer, mara: Person
) -> None:
    video = await put_video(library, mara, "Marathon in the rain")
    await indexer.rebuild(grace_seconds=0)
    answer = await client.get("/api/v1/videos/suggest", params={"q": "mar"})
    assert answer.json() == {
        "suggestions": [{"text": "Mara", "video_id": None}, {"text": "Marathon in the rain", "video_id": video.id}]
    }
    assert (await client.get("/api/v1/videos/suggest")).json() == {"suggestions": []}


@pytest.mark.parametrize(
    "params",
    [
        {"q": "x" * 201},
        {"cursor": "garbage"},
        {"cursor": "x" * 301},
        {"limit": 0},
        {"limit": 51},
        {"sort": "random"},
        {"min_seconds": -1},
        {"min_seconds": "nan"},
        {"min_seconds": "inf"},
        {"min_seconds": 5, "max_seconds": 4},
        {"from": "yesterday"},
        {"premium": "perhaps"},
        {"creator": "x" * 65},
    ],
)
async def test_what_cannot_be_right_is_refused(
    client: httpx.AsyncClient, library: Library, indexer: Indexer, params: dict[str, Any]
) -> None:
    await indexer.rebuild(grace_seconds=0)
    assert code(await client.get("/api/v1/videos/search", params=params)) == (400, "request.invalid")


async def test_the_rest_works_when_search_is_down(
    world: World,
    streams: Streams,
    viewers: Viewers,
    timeline: Timeline,
    channel_emotes: ChannelEmotes,
    library: Library,
) -> None:
    async with open_search(SearchSettings(url=f"http://127.0.0.1:{free_port()}", plain_mime=True)) as nowhere:
        api = create_api(
            accounts=world.accounts,
            streams=streams,
            viewers=viewers,
            charts=Charts(streams, timeline, RoomActivity(world.db, world.redis)),
            channel_emotes=channel_emotes,
            library=library,
            video_search=VideoSearch(nowhere, library.catalogue, lambda: 0.0),
            playback=playback(),
            settings=Settings(),
        )
        transport = httpx.ASGITransport(app=Bearer(api, world.accounts))  # type: ignore[arg-type]  # typed differently
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            assert code(await client.get("/api/v1/videos/search", params={"q": "a"})) == (503, "service.search")
            assert code(await client.get("/api/v1/videos/suggest", params={"q": "ab"})) == (503, "service.search")
            video = await put_video(library, await person(world, client, "Mara"))
            assert (await client.get(f"/api/v1/videos/{video.id}")).status_code == 200
            assert (await client.get("/api/v1/videos")).status_code == 200
