"""Uploads over HTTP: both ways, what is refused and how, and what a form that ends badly leaves (nothing)."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from accounts.model import SignIn
from api.app import create_api
from gateway.activity import RoomActivity
from gateway.middleware import BodyCutShort
from infra.settings import MongoSettings, ObjectSettings, Settings, VodSettings
from media.catalog.library import Library
from media.live.charts import Charts
from media.live.streams import Streams
from media.live.timeline import Timeline
from realtime.channel_emotes import ChannelEmotes
from tests.accounts.world import World
from tests.api.conftest import ORIGIN, Bearer, Viewers
from tests.media.delivery.passes import playback
from tests.media.vod.upload_stage import MIB, UploadStage, open_stage, video_file

VIDEOS = "/api/v1/videos"
FILE = video_file(9 * MIB)
SETTINGS = Settings(vod=replace(VodSettings(), upload_max_bytes=20 * MIB, upload_quota_bytes=30 * MIB))
BOUNDARY = "a-boundary"
AFTER_THE_FILE = (
    f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--{BOUNDARY}--\r\n'.encode()
)


@pytest.fixture
async def stage(
    world: World, mongo_settings: MongoSettings, objects_settings: ObjectSettings
) -> AsyncIterator[UploadStage]:
    async with open_stage(world.db, mongo_settings, objects_settings, SETTINGS.vod) as stage:
        yield stage


@pytest.fixture
async def client(
    world: World,
    stage: UploadStage,
    streams: Streams,
    viewers: Viewers,
    timeline: Timeline,
    channel_emotes: ChannelEmotes,
) -> AsyncIterator[httpx.AsyncClient]:
    async def unheard(_: object) -> None:
        """Nobody listens here."""

    api = create_api(
        accounts=world.accounts,
        streams=streams,
        viewers=viewers,
        charts=Charts(streams, timeline, RoomActivity(world.db, world.redis)),
        channel_emotes=channel_emotes,
        library=Library.over(stage.mongo, stage.objects, unheard, stage.clock),
        uploads=stage.uploads,
        playback=playback(),
        settings=SETTINGS,
    )
    transport = httpx.ASGITransport(app=Bearer(api, world.accounts))  # type: ignore[arg-type]  # see conftest.py
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
async def mara(world: World) -> SignIn:
    await world.person("mara@example.com", "Mara")
    await world.accounts.grant("mara@example.com", "creator")
    return await world.accounts.sign_in("mara@example.com", "seven green kites", "192.0.2.7")


def bearer(who: SignIn) -> dict[str, str]:
    return {"authorization": f"Bearer {who.access_token}"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def wish(file: bytes = FILE, **more: Any) -> dict[str, Any]:
    return {"title": "Waves", "file_name": "waves.mp4", "size_bytes": len(file), **more}


async def sent(client: httpx.AsyncClient, who: SignIn, opened: dict[str, Any], file: bytes) -> None:
    """Every part, as a browser sends them."""
    length, path = opened["upload"]["part_bytes"], f"{VIDEOS}/{opened['video']['id']}/upload/parts"
    pieces = {n: file[(n - 1) * length : n * length] for n in range(1, opened["upload"]["parts"] + 1)}
    parts = [{"number": n, "sha256": hashlib.sha256(piece).hexdigest()} for n, piece in pieces.items()]
    signed = await client.post(path, json={"parts": parts}, headers=bearer(who))
    assert signed.status_code == 200, signed.text
    async with httpx.AsyncClient() as browser:
        for one in signed.json()["urls"]:
            put = await browser.put(one["url"], content=pieces[one["number"]], headers=one["headers"])
            assert put.status_code == 200, put.text


def form_of(file: bytes, fields: dict[str, str] | None = None, *, end: bytes = b"") -> bytes:
    """A form as curl writes it: the fields, the file, the end."""
    lines = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (fields if fields is not None else {"title": "Waves"}).items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="waves.mp4"\r\n\r\n'
    return "".join([*lines, head]).encode() + file + (end or f"\r\n--{BOUNDARY}--\r\n".encode())


async def post_form(client: httpx.AsyncClient, who: SignIn, content: Any, **headers: str) -> httpx.Response:
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await client.post(VIDEOS, content=content, headers={**bearer(who), **kind, **headers})


async def test_a_video_is_opened_sent_and_completed(
    client: httpx.AsyncClient, mara: SignIn, stage: UploadStage
) -> None:
    answer = await client.post(VIDEOS, json=wish(tags=["sea"], visibility="private"), headers=bearer(mara))
    assert answer.status_code == 201
    opened = answer.json()
    assert (opened["video"]["status"], opened["video"]["tags"]) == ("uploading", ["sea"])
    assert "upload_url" not in opened["video"]
    upload = opened["upload"]
    assert (upload["state"], upload["parts"], upload["part_bytes"], upload["received"]) == ("open", 2, 8 * MIB, [])
    unfinished = (await client.get("/api/v1/uploads", headers=bearer(mara))).json()
    assert unfinished == {"uploads": [opened], "quota": {"used_bytes": len(FILE), "limit_bytes": 30 * MIB}}
    path = f"{VIDEOS}/{opened['video']['id']}"
    early = await client.post(f"{path}/complete", headers=bearer(mara))
    assert code(early) == (409, "upload.incomplete")
    assert early.json()["error"]["details"]["missing"] == [1, 2]
    await sent(client, mara, opened, FILE)
    state = (await client.get(f"{path}/upload", headers=bearer(mara))).json()
    assert [(part["number"], part["size_bytes"]) for part in state["received"]] == [(1, 8 * MIB), (2, MIB)]
    assert state["received"][1]["sha256"] == hashlib.sha256(FILE[8 * MIB :]).hexdigest()
    whole = {"sha256": hashlib.sha256(FILE).hexdigest()}
    for body in (whole, whole, {}):
        done = await client.post(f"{path}/complete", json=body, headers=bearer(mara))
        assert (done.status_code, done.json()["status"]) == (200, "processing")
    assert code(await client.delete(f"{path}/upload", headers=bearer(mara))) == (409, "upload.stored")
    assert [source.sha256 for source in stage.transcoding.sources] == [hashlib.sha256(FILE).digest()]


async def test_a_form_is_a_video_at_once(client: httpx.AsyncClient, mara: SignIn, stage: UploadStage) -> None:
    fields = {"title": "Waves", "description": "of the sea", "visibility": "unlisted"}
    files = {"file": ("C:\\films\\waves.mp4", FILE, "text/plain")}
    answer = await client.post(VIDEOS, data={**fields, "tags": ["sea", "calm"]}, files=files, headers=bearer(mara))
    assert answer.status_code == 201, answer.text
    video = answer.json()["video"]
    assert (video["status"], video["tags"], video["visibility"]) == ("processing", ["sea", "calm"], "unlisted")
    assert set(answer.json()) == {"video"}
    (key,) = await stage.files()
    assert await stage.content(key) == FILE
    row = await stage.row(video["id"])
    assert row is not None
    assert (row["file_name"], row["size_bytes"]) == ("waves.mp4", len(FILE))
    (source,) = stage.transcoding.sources
    assert (source.sha256, len(source.part_sums)) == (hashlib.sha256(FILE).digest(), 2)


async def test_a_form_without_a_length_is_taken_too(
    client: httpx.AsyncClient, mara: SignIn, stage: UploadStage
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        form = form_of(FILE)
        for at in range(0, len(form), 100_000):
            yield form[at : at + 100_000]

    assert (await post_form(client, mara, chunks())).status_code == 201
    assert (await stage.uploads.usage(mara.user.id)).used_bytes == len(FILE)


BAD_FORMS = {
    "no end": (form_of(FILE, end=b"\r\n"), (400, "upload.form_invalid")),
    "cut short": (form_of(FILE)[: 6 * MIB], (400, "upload.form_invalid")),
    "file not last": (form_of(FILE, end=AFTER_THE_FILE), (400, "upload.form_invalid")),
    "no title": (form_of(FILE, {}), (400, "request.invalid")),
    "unknown field": (form_of(FILE, {"title": "Waves", "size": "5"}), (400, "request.invalid")),
    "long field": (form_of(FILE, {"title": "Waves", "description": "x" * 70_000}), (400, "upload.form_invalid")),
    "bad choice": (form_of(FILE, {"title": "Waves", "visibility": "secret"}), (400, "request.invalid")),
    "bad title": (form_of(FILE, {"title": "\u202eevil"}), (400, "request.invalid")),
    "page": (form_of(b"<html>" * 1000), (400, "upload.not_a_video")),
    "empty": (form_of(b""), (400, "upload.not_a_video")),
    "garbage first": (form_of(bytes(10) + FILE), (400, "upload.not_a_video")),
    "nothing in it": (f"--{BOUNDARY}--\r\n".encode(), (400, "upload.form_invalid")),
    "no form": (b"no form at all", (400, "upload.form_invalid")),
    "too large": (form_of(video_file(20 * MIB + 1000)), (413, "upload.too_large")),
    "far too large": (form_of(video_file(21 * MIB)), (413, "request.too_large")),
}


async def test_a_form_that_is_refused_leaves_nothing(
    client: httpx.AsyncClient, mara: SignIn, stage: UploadStage
) -> None:
    for name, (content, expected) in BAD_FORMS.items():
        assert code(await post_form(client, mara, content)) == expected, name
        assert (await stage.files(), await stage.parts_lying_about(), stage.transcoding.sources) == ([], 0, []), name
        assert (await stage.uploads.usage(mara.user.id)).used_bytes == 0, name
    assert (await client.get(f"{VIDEOS}/mine", headers=bearer(mara))).json()["videos"] == []


async def test_a_client_that_vanishes_leaves_nothing(
    client: httpx.AsyncClient, mara: SignIn, stage: UploadStage
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        form = form_of(FILE)
        for at in range(0, 7 * MIB, 100_000):
            yield form[at : at + 100_000]
        raise BodyCutShort  # as the gateway does when the connection ends

    assert code(await post_form(client, mara, chunks())) == (400, "request.body_cut_short")
    assert (await stage.files(), await stage.parts_lying_about()) == ([], 0)
    assert (await stage.uploads.usage(mara.user.id)).used_bytes == 0


async def test_the_same_form_twice_is_one_video(client: httpx.AsyncClient, mara: SignIn, stage: UploadStage) -> None:
    answers = [await post_form(client, mara, form_of(FILE), **{"idempotency-key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["video"]["id"] for answer in answers}) == 1
    assert (len(await stage.files()), len(stage.transcoding.sources)) == (1, 1)


async def test_a_wish_that_cannot_be_is_refused(client: httpx.AsyncClient, mara: SignIn) -> None:
    for change in (
        {"size_bytes": 0},
        {"size_bytes": -1},
        {"size_bytes": "5"},
        {"title": ""},
        {"title": "a\u0000b"},
        {"visibility": "secret"},
        {"tags": "sea"},
        {"key": "uploads/x"},
    ):
        answer = await client.post(VIDEOS, json=wish(**change), headers=bearer(mara))
        assert code(answer) == (400, "request.invalid"), change
        assert list(answer.json()["error"]["details"]["fields"]) == list(change)
    answer = await client.post(VIDEOS, json=wish(size_bytes=21 * MIB), headers=bearer(mara))
    assert code(answer) == (413, "upload.too_large")
    assert code(await client.post(VIDEOS, headers=bearer(mara)))[0] == 400


async def test_the_quota_is_kept(client: httpx.AsyncClient, mara: SignIn) -> None:
    large = video_file(18 * MIB)
    opened = await client.post(VIDEOS, json=wish(large), headers=bearer(mara))
    assert opened.status_code == 201
    answer = await client.post(VIDEOS, json=wish(large), headers=bearer(mara))
    assert code(answer) == (409, "upload.quota")
    assert answer.json()["error"]["details"] == {"used_bytes": 18 * MIB, "limit_bytes": 30 * MIB}
    assert code(await post_form(client, mara, form_of(large))) == (409, "upload.quota")
    gone = await client.delete(f"{VIDEOS}/{opened.json()['video']['id']}/upload", headers=bearer(mara))
    assert gone.status_code == 204
    assert (await client.post(VIDEOS, json=wish(large), headers=bearer(mara))).status_code == 201


async def test_who_may_upload_and_who_may_know(client: httpx.AsyncClient, mara: SignIn, world: World) -> None:
    ada = await world.person()
    assert code(await client.post(VIDEOS, json=wish(), headers=bearer(ada))) == (403, "upload.creators_only")
    assert code(await post_form(client, ada, form_of(FILE))) == (403, "upload.creators_only")
    assert code(await client.post(VIDEOS, json=wish())) == (401, "auth.required")
    opened = (await client.post(VIDEOS, json=wish(), headers=bearer(mara))).json()
    path = f"{VIDEOS}/{opened['video']['id']}"
    part = {"parts": [{"number": 1, "sha256": "0" * 64}]}
    for answer in (
        await client.get(f"{path}/upload", headers=bearer(ada)),
        await client.post(f"{path}/upload/parts", json=part, headers=bearer(ada)),
        await client.post(f"{path}/complete", headers=bearer(ada)),
        await client.delete(f"{path}/upload", headers=bearer(ada)),
    ):
        assert code(answer) == (404, "video.not_found")


async def test_parts_that_cannot_be_are_not_signed(client: httpx.AsyncClient, mara: SignIn) -> None:
    opened = (await client.post(VIDEOS, json=wish(), headers=bearer(mara))).json()
    path = f"{VIDEOS}/{opened['video']['id']}/upload/parts"
    for name, parts in {
        "none": [],
        "short sum": [{"number": 1, "sha256": "0" * 63}],
        "twice": [{"number": 1, "sha256": "0" * 64}] * 2,
        "zeroth": [{"number": 0, "sha256": "0" * 64}],
        "beyond": [{"number": 3, "sha256": "0" * 64}],
        "too many": [{"number": n, "sha256": "0" * 64} for n in range(1, 102)],
    }.items():
        answer = await client.post(path, json={"parts": parts}, headers=bearer(mara))
        assert code(answer) == (400, "request.invalid"), name


async def test_the_document_knows_both_bodies(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    body = paths["/api/v1/videos"]["post"]["requestBody"]
    assert set(body["content"]) == {"application/json", "multipart/form-data"}
