"""Live streams over HTTP, as docs/api.md has it, with every documented refusal."""

import asyncio
from typing import Any

import httpx
import pytest

from accounts.model import Role
from infra.clock import new_id
from media.live.streams import Streams
from tests.accounts.world import World
from tests.api.conftest import Viewers
from tests.media.live.world import healthy

STREAMS = "/api/v1/streams"
SEA = {"title": "A morning by the sea", "category": "Nature", "latency": "low"}
FIELDS = {
    "record", "visibility",
    "id", "title", "category", "latency", "status", "creator", "viewers", "peak_viewers", "created_at", "started_at",
    "ended_at",
}  # fmt: skip


class Person:
    """Somebody with an account and a client that is signed in."""

    def __init__(self, client: httpx.AsyncClient, user_id: str, token: str) -> None:
        self.client = client
        self.user_id = user_id
        self.headers = {"authorization": f"Bearer {token}"}

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.client.post(STREAMS + path, headers=self.headers, json=body)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.client.patch(STREAMS + path, headers=self.headers, json=body)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(STREAMS + path, headers=self.headers)

    async def start(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/start", {**SEA, **changes})
        assert answer.status_code == 201, answer.text
        started: dict[str, Any] = answer.json()
        return started


@pytest.fixture
async def ada(client: httpx.AsyncClient, world: World) -> Person:
    return await enrol(client, world, "ada@example.com", "creator")


async def enrol(client: httpx.AsyncClient, world: World, email: str, role: Role) -> Person:
    signed = await world.person(email, email.partition("@")[0].title())
    if role != "free":
        await world.accounts.grant(email, role)
    return Person(client, signed.user.id, signed.access_token)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check a refusal; returns its details."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    details: dict[str, Any] = answer.json()["error"]["details"]
    return details


async def test_a_started_stream_is_what_the_contract_says(ada: Person) -> None:
    answer = await ada.post("/start", SEA)
    started = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert set(started) == FIELDS | {"ingest"}
    assert set(started["ingest"]) == {"url", "key"}
    assert started["ingest"]["key"].startswith("live_")
    assert {name: started[name] for name in SEA} == SEA
    assert started["creator"] == {"id": ada.user_id, "display_name": "Ada"}
    assert (started["status"], started["viewers"], started["started_at"], started["ended_at"]) == (
        "created", 0, None, None,
    )  # fmt: skip
    shown = (await ada.get(f"/{started['id']}")).json()
    assert shown == {name: started[name] for name in FIELDS}


async def test_the_whole_story_over_http(ada: Person, streams: Streams, viewers: Viewers) -> None:
    stream_id = (await ada.start())["id"]
    refused(await ada.get(f"/{stream_id}/manifest"), 404, "stream.nothing_to_play")
    assert (await ada.get("")).json() == {"streams": [], "next_cursor": None}

    await streams.connected(stream_id)
    await streams.report(stream_id, healthy())
    viewers[stream_id] = 7
    assert [(s["id"], s["viewers"], s["status"]) for s in (await ada.get("")).json()["streams"]] == [
        (stream_id, 7, "live")
    ]
    url = (await ada.get(f"/{stream_id}/manifest")).json()["url"]
    playback_id = (await streams.get(stream_id)).playback_id
    assert url == f"http://localhost:8001/live/{playback_id}/index.m3u8"
    mine = (await ada.get("/mine")).json()
    assert (mine["stream"]["id"], mine["stream"]["viewers"]) == (stream_id, 7)
    assert (await ada.get(f"/{stream_id}")).json()["peak_viewers"] == 70
    assert set(mine["health"]) == {
        "bitrate_kbps", "fps", "keyframe_interval_seconds", "width", "height", "video_codec", "audio_codec", "drift_ms",
        "connected_at", "warnings",
    }  # fmt: skip

    stopped = await ada.post(f"/{stream_id}/stop")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "ended")
    assert stopped.json()["ended_at"]
    assert (await ada.post(f"/{stream_id}/stop")).json() == stopped.json(), "stopping twice is fine"
    refused(await ada.get(f"/{stream_id}/manifest"), 409, "stream.ended")
    refused(await ada.post(f"/{stream_id}/key"), 409, "stream.ended")
    assert (await ada.get("/mine")).json() == {"stream": None, "health": None}
    assert (await ada.get("")).json()["streams"] == []


async def test_of_twenty_starts_at_once_one_is_created(ada: Person) -> None:
    answers = await asyncio.gather(*(ada.post("/start", SEA) for _ in range(20)))
    [created] = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer is not created]
    assert {refused(answer, 409, "stream.already_open")["stream_id"] for answer in others} == {created.json()["id"]}


async def test_only_creators_start(client: httpx.AsyncClient, world: World) -> None:
    viewer = await enrol(client, world, "vera@example.com", "free")
    refused(await viewer.post("/start", SEA), 403, "stream.creators_only")
    refused(await viewer.get("/mine"), 403, "stream.creators_only")


async def test_what_needs_a_user_says_so(client: httpx.AsyncClient, ada: Person) -> None:
    stream_id = (await ada.start())["id"]
    for attempt in (
        client.post(f"{STREAMS}/start", json=SEA),
        client.get(f"{STREAMS}/mine"),
        client.post(f"{STREAMS}/{stream_id}/stop"),
        client.post(f"{STREAMS}/{stream_id}/key"),
    ):
        refused(await attempt, 401, "auth.required")


async def test_anybody_may_look(client: httpx.AsyncClient, ada: Person) -> None:
    stream_id = (await ada.start())["id"]
    assert (await client.get(f"{STREAMS}/{stream_id}")).status_code == 200
    assert (await client.get(STREAMS)).status_code == 200


async def test_a_stranger_may_not_stop_a_stream_but_an_admin_may(
    client: httpx.AsyncClient, world: World, ada: Person
) -> None:
    stream_id = (await ada.start())["id"]
    eve = await enrol(client, world, "eve@example.com", "creator")
    root = await enrol(client, world, "root@example.com", "admin")
    refused(await eve.post(f"/{stream_id}/stop"), 403, "stream.not_yours")
    for person in (eve, root):
        refused(await person.post(f"/{stream_id}/key"), 403, "stream.not_yours")
    assert (await root.post(f"/{stream_id}/stop")).json()["status"] == "ended"


async def test_a_new_key_replaces_the_old_one(ada: Person, streams: Streams) -> None:
    started = await ada.start()
    fresh = await ada.post(f"/{started['id']}/key")
    assert (fresh.status_code, fresh.headers["cache-control"]) == (200, "no-store")
    key = fresh.json()["ingest"]["key"]
    assert (await streams.admit(key)).stream_id == started["id"]
    assert await streams.unwanted({started["id"]: started["ingest"]["key"]}) == {started["id"]}


async def test_title_and_category_change_and_what_is_left_out_stays(ada: Person, streams: Streams) -> None:
    stream_id = (await ada.start())["id"]
    await streams.connected(stream_id)
    answer = await ada.patch(f"/{stream_id}", {"title": " An evening by the sea "})
    shown = answer.json()
    assert (answer.status_code, set(shown)) == (200, FIELDS)
    assert (shown["title"], shown["category"], shown["status"]) == ("An evening by the sea", "Nature", "live")
    assert (await ada.get(f"/{stream_id}")).json() == shown
    assert (await ada.patch(f"/{stream_id}", {"category": None})).json()["category"] is None
    assert (await ada.patch(f"/{stream_id}", {})).json()["title"] == "An evening by the sea"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"category": "x" * 61}, "category"),
        ({"latency": "low"}, "latency"),
    ],
)
async def test_a_wrong_description_is_refused_by_field(ada: Person, body: dict[str, Any], field: str) -> None:
    started = await ada.start()
    assert field in refused(await ada.patch(f"/{started['id']}", body), 400, "request.invalid")["fields"]
    assert (await ada.get(f"/{started['id']}")).json()["title"] == SEA["title"]


async def test_only_its_creator_and_admins_describe_a_stream_and_only_until_it_ends(
    client: httpx.AsyncClient, world: World, ada: Person
) -> None:
    stream_id = (await ada.start())["id"]
    eve = await enrol(client, world, "eve@example.com", "creator")
    root = await enrol(client, world, "root@example.com", "admin")
    refused(await client.patch(f"{STREAMS}/{stream_id}", json={"title": "x"}), 401, "auth.required")
    refused(await eve.patch(f"/{stream_id}", {"title": "Mine"}), 403, "stream.not_yours")
    assert (await root.patch(f"/{stream_id}", {"title": "Seemly"})).json()["title"] == "Seemly"
    await ada.post(f"/{stream_id}/stop")
    refused(await ada.patch(f"/{stream_id}", {"title": "Late"}), 409, "stream.ended")
    refused(await ada.patch(f"/{new_id()}", {"title": "Nowhere"}), 404, "stream.not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SEA, "title": ""}, "title"),
        ({**SEA, "title": "   "}, "title"),
        ({**SEA, "title": "x" * 141}, "title"),
        ({**SEA, "title": "a\x00b"}, "title"),
        ({**SEA, "title": 7}, "title"),
        ({**SEA, "category": "x" * 61}, "category"),
        ({**SEA, "latency": "none"}, "latency"),
        ({"title": "x"}, "latency"),
        ({**SEA, "key": "mine"}, "key"),
    ],
)
async def test_a_wrong_field_is_named(ada: Person, body: dict[str, Any], field: str) -> None:
    assert field in refused(await ada.post("/start", body), 400, "request.invalid")["fields"]
    assert (await ada.get("/mine")).json()["stream"] is None


@pytest.mark.parametrize("stream_id", ["01a20632-bd85-7be7-8aef-e9720e501eb9", "nothing", "%00", "..%2f..", "x" * 3000])
async def test_what_is_no_stream_is_not_found(ada: Person, stream_id: str) -> None:
    for attempt in (ada.get(f"/{stream_id}"), ada.get(f"/{stream_id}/manifest"), ada.post(f"/{stream_id}/stop")):
        answer = await attempt
        assert (answer.status_code, answer.json()["error"]["code"].endswith("not_found")) == (404, True), answer.text


async def test_pages_follow_each_other_most_viewers_first(
    client: httpx.AsyncClient, world: World, streams: Streams, viewers: Viewers
) -> None:
    expected: list[str] = []
    for number in range(5):
        person = await enrol(client, world, f"creator{number}@example.com", "creator")
        stream_id = (await person.start())["id"]
        await streams.connected(stream_id)
        viewers[stream_id] = number * 10
        expected.insert(0, stream_id)
    seen: list[str] = []
    cursor: str | None = ""
    for length in (2, 2, 1):
        page = (await client.get(STREAMS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        assert len(page["streams"]) == length
        seen += [stream["id"] for stream in page["streams"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (expected, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x", "cursor=nonsense", "cursor=" + "x" * 500])
async def test_a_page_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: str) -> None:
    details = refused(await client.get(f"{STREAMS}?{query}"), 400, "request.invalid")
    assert query.partition("=")[0] in details["fields"]
