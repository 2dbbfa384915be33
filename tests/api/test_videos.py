"""Videos over HTTP: who sees and changes what, in which words; on real stores."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from infra.clock import new_id, system_clock
from infra.stores.mongo import MongoUnavailable
from infra.stores.objects import NoSuchObject, Objects
from media.catalog.library import Library
from media.catalog.model import Failure, Metadata, Rendition, Video, Visibility
from tests.accounts.world import World
from tests.realtime.pictures import claiming, drawn

CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
EDGE = "http://localhost:8001"


@dataclass
class Person:
    """Somebody signed in."""

    id: str
    name: str
    token: str
    client: httpx.AsyncClient

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    async def send(self, path: str, body: bytes, content_type: str) -> httpx.Response:
        return await self.call("PUT", path, content=body, headers={"content-type": content_type})


async def person(world: World, client: httpx.AsyncClient, name: str) -> Person:
    signed = await world.person(f"{name.lower()}@example.com", name)
    return Person(signed.user.id, name, signed.access_token, client)


@pytest.fixture
async def mara(world: World, client: httpx.AsyncClient) -> Person:
    return await person(world, client, "Mara")


@pytest.fixture
async def ben(world: World, client: httpx.AsyncClient) -> Person:
    return await person(world, client, "Ben")


async def put_video(library: Library, owner: Person, title: str = "Waves", visibility: Visibility = "public") -> Video:
    """One that is ready."""
    now, video_id = system_clock(), new_id()
    video = Video(
        id=video_id,
        creator_id=owner.id,
        creator_name=owner.name,
        title=title,
        visibility=visibility,
        created_at=now,
        updated_at=now,
    )
    await library.catalogue.create(video)
    await library.catalogue.stored(video_id, f"uploads/{video_id}/secret/source", 1000)
    made = Metadata(duration=100, file_size=1000, thumbnails=[f"/posters/{video_id}/made.jpg"], stored_bytes=2000)
    rendition = Rendition("480p", f"/vod/{video_id}/abcdefghijkl/480p.m3u8", 854, 480, 900_000)
    return await library.catalogue.finished(video_id, "abcdefghijkl", [rendition], made)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [video["title"] for video in answer.json()["videos"]]


async def test_a_video_is_shown_without_what_is_ours(
    client: httpx.AsyncClient, library: Library, mara: Person, ben: Person
) -> None:
    video = await put_video(library, mara)
    answer = await client.get(f"/api/v1/videos/{video.id}")
    assert answer.status_code == 200
    body = answer.json()
    assert {"upload_url", "build", "announced", "failure", "stored_bytes", "liked", "resume_seconds"} & set(
        body
    ) == set()
    assert body["creator"] == {"id": mara.id, "display_name": "Mara"}
    assert (body["playable"], body["metadata"]["duration"]) == (True, 100)
    assert body["metadata"]["thumbnails"] == [f"{EDGE}/posters/{video.id}/made.jpg"]
    mine = (await mara.call("GET", f"/videos/{video.id}")).json()
    assert (mine["failure"], mine["stored_bytes"], mine["liked"], mine["resume_seconds"]) == (None, 2000, False, 0)
    theirs = (await ben.call("GET", f"/videos/{video.id}")).json()
    assert "failure" not in theirs
    assert theirs["liked"] is False


async def test_lists_and_pages(client: httpx.AsyncClient, library: Library, mara: Person, ben: Person) -> None:
    for number in range(5):
        await put_video(library, mara, f"Mara's {number}")
    await put_video(library, mara, "Premium", "premium")
    await put_video(library, mara, "Unlisted", "unlisted")
    await put_video(library, mara, "Private", "private")
    await put_video(library, ben, "Ben's")
    first = await client.get("/api/v1/videos", params={"creator": mara.id, "limit": 4})
    assert titles(first) == ["Premium", "Mara's 4", "Mara's 3", "Mara's 2"]
    rest = await client.get("/api/v1/videos", params={"creator": mara.id, "cursor": first.json()["next_cursor"]})
    assert titles(rest) == ["Mara's 1", "Mara's 0"]
    assert rest.json()["next_cursor"] is None
    assert titles(await client.get("/api/v1/videos"))[:2] == ["Ben's", "Premium"]
    assert len(titles(await mara.call("GET", "/videos/mine?limit=50"))) == 8
    assert titles(await mara.call("GET", "/videos/mine?status=failed")) == []
    assert code(await client.get("/api/v1/videos/mine")) == (401, "auth.required")
    assert code(await client.get("/api/v1/videos?cursor=garbage!")) == (400, "request.invalid")
    assert (await client.get("/api/v1/videos?limit=51")).status_code == 400


@pytest.mark.parametrize(
    ("visibility", "sees"), [("public", 200), ("unlisted", 200), ("premium", 200), ("private", 404)]
)
async def test_who_sees_what(
    client: httpx.AsyncClient, library: Library, mara: Person, ben: Person, visibility: Visibility, sees: int
) -> None:
    video = await put_video(library, mara, visibility=visibility)
    path = f"/videos/{video.id}"
    assert (await client.get(f"/api/v1{path}")).status_code == sees
    assert (await ben.call("GET", path)).status_code == sees
    assert (await ben.call("PUT", f"{path}/like")).status_code == sees
    assert (await mara.call("GET", path)).status_code == 200
    refused = code(await ben.call("PATCH", path, json={"title": "Mine"}))
    assert refused == ((404, "video.not_found") if sees == 404 else (403, "video.not_yours"))


async def test_a_failed_video_says_why_to_its_owner_alone(
    library: Library, mara: Person, ben: Person, client: httpx.AsyncClient
) -> None:
    now = system_clock()
    video = Video(id=new_id(), creator_id=mara.id, creator_name="Mara", title="Bad", created_at=now, updated_at=now)
    await library.catalogue.create(video)
    await library.catalogue.failed(video.id, Failure("transcode.broken", "It cannot be read.", True, now))
    assert (await mara.call("GET", f"/videos/{video.id}")).json()["failure"]["message"] == "It cannot be read."
    assert code(await ben.call("GET", f"/videos/{video.id}")) == (404, "video.not_found")
    assert code(await client.get(f"/api/v1/videos/{new_id()}")) == (404, "video.not_found")


async def test_a_video_is_described_anew(library: Library, mara: Person) -> None:
    video = await put_video(library, mara)
    path = f"/videos/{video.id}"
    change = {"title": " New ", "description": "a\r\nb", "tags": ["#Sea", "sea"], "category": "Nature"}
    body = (await mara.call("PATCH", path, json=change)).json()
    assert (body["title"], body["description"], body["tags"], body["category"]) == ("New", "a\nb", ["Sea"], "Nature")
    for wrong in ({"title": ""}, {"title": "a\u202eb"}, {"tags": ["a"] * 11}, {"visibility": "secret"}, {"x": 1}):
        answer = await mara.call("PATCH", path, json=wrong)
        assert code(answer) == (400, "request.invalid"), wrong
        assert answer.json()["error"]["details"]["fields"], wrong


async def test_a_deleted_video_is_gone_at_once(client: httpx.AsyncClient, library: Library, mara: Person) -> None:
    video = await put_video(library, mara)
    assert (await mara.call("DELETE", f"/videos/{video.id}")).status_code == 204
    assert code(await mara.call("GET", f"/videos/{video.id}")) == (404, "video.not_found")
    assert code(await mara.call("DELETE", f"/videos/{video.id}")) == (404, "video.not_found")
    assert titles(await client.get("/api/v1/videos")) == []


async def test_likes_are_counted(library: Library, mara: Person, ben: Person) -> None:
    path = f"/videos/{(await put_video(library, mara)).id}"
    assert (await ben.call("PUT", f"{path}/like")).json() == {"liked": True, "like_count": 1}
    assert (await ben.call("PUT", f"{path}/like")).json() == {"liked": True, "like_count": 1}
    assert (await mara.call("PUT", f"{path}/like")).json() == {"liked": True, "like_count": 2}
    shown = (await ben.call("GET", path)).json()
    assert (shown["liked"], shown["like_count"]) == (True, 2)
    assert (await ben.call("DELETE", f"{path}/like")).json() == {"liked": False, "like_count": 1}
    assert (await ben.call("DELETE", f"{path}/like")).json() == {"liked": False, "like_count": 1}


async def test_captions_come_and_go_with_their_files(library: Library, objects: Objects, mara: Person) -> None:
    path = f"/videos/{(await put_video(library, mara)).id}"
    first = await mara.send(f"{path}/captions/pt-BR?label=Português", CAPTIONS, "text/vtt")
    assert first.status_code == 200, first.text
    [entry] = first.json()["captions"]
    assert (entry["language"], entry["label"]) == ("pt-br", "Português")
    assert (await objects.read(entry["path"][1:])).startswith(b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello")
    head = await objects.call("head_object", Key=entry["path"][1:])
    assert head["ContentType"].startswith("text/vtt")
    [second] = (await mara.send(f"{path}/captions/pt-br", CAPTIONS, "text/vtt")).json()["captions"]
    assert second["path"] != entry["path"]
    with pytest.raises(NoSuchObject):
        await objects.read(entry["path"][1:])
    assert (await mara.call("DELETE", f"{path}/captions/pt-br")).json()["captions"] == []
    assert code(await mara.call("DELETE", f"{path}/captions/pt-br")) == (404, "captions.not_found")
    with pytest.raises(NoSuchObject):
        await objects.read(second["path"][1:])


async def test_captions_that_cannot_be_used_are_refused(library: Library, mara: Person, ben: Person) -> None:
    path = f"/videos/{(await put_video(library, mara)).id}/captions"
    assert code(await mara.send(f"{path}/en", b"hello", "text/vtt")) == (400, "captions.invalid")
    assert code(await mara.send(f"{path}/e_n", CAPTIONS, "text/vtt")) == (400, "captions.invalid")
    assert code(await mara.send(f"{path}/en", b"x" * (2**21 + 1), "text/vtt")) == (413, "request.too_large")
    assert code(await mara.send(f"{path}/en", CAPTIONS, "text/plain")) == (415, "request.content_type")
    assert code(await ben.send(f"{path}/en", CAPTIONS, "text/vtt")) == (403, "video.not_yours")


@pytest.mark.parametrize(
    ("change", "path", "file", "kind"),
    [
        ("set_captions", "captions/en", CAPTIONS, "text/vtt"),
        ("set_poster", "poster", drawn("PNG", (300, 300)), "image/png"),
    ],
)
async def test_a_file_stays_when_the_answer_that_it_was_named_is_lost(
    library: Library,
    objects: Objects,
    mara: Person,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    path: str,
    file: bytes,
    kind: str,
) -> None:
    video = await put_video(library, mara)
    changed = getattr(library.catalogue, change)

    async def and_lost(*arguments: Any) -> None:
        await changed(*arguments)
        raise MongoUnavailable

    monkeypatch.setattr(library.catalogue, change, and_lost)
    assert (await mara.send(f"/videos/{video.id}/{path}", file, kind)).status_code == 503
    now = await library.catalogue.get(video.id)
    [named] = [captions.path for captions in now.captions] if kind == "text/vtt" else now.metadata.thumbnails
    assert await objects.read(named.removeprefix("/"))


async def test_a_poster_is_drawn_anew_and_replaces_the_one_before(
    library: Library, objects: Objects, mara: Person
) -> None:
    video = await put_video(library, mara)
    path = f"/videos/{video.id}/poster"
    answer = await mara.send(path, drawn("PNG", (2000, 500)), "image/png")
    assert answer.status_code == 200, answer.text
    [first] = answer.json()["metadata"]["thumbnails"]
    key = first.removeprefix(f"{EDGE}/")
    with Image.open(BytesIO(await objects.read(key))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1280, 320))
    [second] = (await mara.send(path, drawn("WEBP", (300, 300)), "image/webp")).json()["metadata"]["thumbnails"]
    assert second != first
    with pytest.raises(NoSuchObject):
        await objects.read(key)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"GIF89a", "type"),
        (b"\x89PNG\r\n\x1a\nbroken", "broken"),
        (claiming(20_000, 20_000), "dimensions"),
        (drawn("PNG", (20, 20)), "dimensions"),
    ],
    ids=["another type", "broken", "huge", "tiny"],
)
async def test_a_picture_that_cannot_be_used_is_refused(
    library: Library, mara: Person, picture: bytes, reason: str
) -> None:
    answer = await mara.send(f"/videos/{(await put_video(library, mara)).id}/poster", picture, "image/png")
    assert code(answer) == (400, "poster.invalid")
    assert answer.json()["error"]["details"]["reason"] == reason


async def test_history_shows_what_can_still_be_seen(library: Library, mara: Person, ben: Person) -> None:
    videos = [await put_video(library, mara, str(number)) for number in range(4)]
    for place, video in enumerate(videos):
        await library.history.save(ben.id, video.id, 20.0 * place + 39, 100)
    assert (await mara.call("DELETE", f"/videos/{videos[0].id}")).status_code == 204
    page = (await ben.call("GET", "/history?limit=2")).json()
    assert [(e["video"]["title"], e["position_seconds"], e["finished"]) for e in page["entries"]] == [
        ("3", 99, True),
        ("2", 79, False),
    ]
    rest = (await ben.call("GET", f"/history?cursor={page['next_cursor']}")).json()
    assert [e["video"]["title"] for e in rest["entries"]] == ["1"]
    assert (await ben.call("GET", f"/videos/{videos[2].id}")).json()["resume_seconds"] == 79
    assert (await ben.call("GET", f"/videos/{videos[3].id}")).json()["resume_seconds"] == 0
    assert (await ben.call("DELETE", f"/history/{videos[2].id}")).status_code == 204
    assert len((await ben.call("GET", "/history")).json()["entries"]) == 2
    assert (await ben.call("DELETE", "/history")).status_code == 204
    assert (await ben.call("GET", "/history")).json() == {"entries": [], "next_cursor": None}
    assert code(await ben.call("GET", "/history?cursor=é")) == (400, "request.invalid")


async def test_a_creators_page(client: httpx.AsyncClient, library: Library, mara: Person, ben: Person) -> None:
    await mara.call("POST", "/auth/creator")
    await put_video(library, mara)
    await put_video(library, mara, visibility="private")
    assert (await ben.call("PUT", f"/channels/{mara.id}/follow")).status_code < 300
    page = (await client.get(f"/api/v1/creators/{mara.id}")).json()
    assert page == {"id": mara.id, "display_name": "Mara", "followers": 1, "live": None, "videos": 1}
    assert (await client.get(f"/api/v1/creators/{new_id()}")).status_code == 404
    assert (await client.get("/api/v1/creators/nobody")).status_code == 404
