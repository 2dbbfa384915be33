"""Files of videos through the edge, from the real object store."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from yarl import URL

from gateway.commands.edge import reading
from infra.clock import new_id
from infra.errors import Forbidden, Invalid
from infra.settings import LiveSettings, ObjectSettings
from infra.stores.objects import Objects, open_objects
from media.delivery.edge import open_edge
from media.delivery.purging import EdgePurging, PurgeRefused, purged_by, signature_of
from media.errors import OriginUnreachable
from tests.media.delivery.passes import PURGE_KEY, cookie_header, doorkeeper, signer
from tests.media.delivery.stage import WEB, Reply, Seconds, serving, until

BUILD = "abcdefghijkl"
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
FOREVER = "public, max-age=31536000, immutable"
SEGMENT_BYTES = bytes(range(256)) * 4


@dataclass
class Shelf:
    """A video's files, an edge before them, and how often the edge asked for one."""

    objects: Objects
    url: str
    clock: Seconds
    web: aiohttp.ClientSession
    asked: list[str]
    ahead: list[float]
    video_id: str = field(default_factory=new_id)

    @property
    def cookie(self) -> str:
        return cookie_header(signer().for_video(self.video_id))

    def path(self, name: str) -> str:
        return f"/vod/{self.video_id}/{BUILD}/{name}"

    async def put(self, path: str, body: bytes, cache: str = FOREVER, kind: str = "video/mp4") -> None:
        await self.objects.call("put_object", Key=path.lstrip("/"), Body=body, CacheControl=cache, ContentType=kind)

    async def ask(self, target: str, cookie: str | None = None, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"cookie": cookie if cookie is not None else self.cookie}
        async with self.web.get(URL(self.url + target, encoded=True), headers=sent) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, await answer.read())


@pytest.fixture
async def shelf(objects_settings: ObjectSettings) -> AsyncIterator[Shelf]:
    asked: list[str] = []
    clock, ahead = Seconds(), [0.0]

    async with open_objects(objects_settings) as objects:
        address = reading(objects)

        def counted(key: str) -> str:
            asked.append(key)
            return address(key)

        async with (
            open_edge(
                LiveSettings(),
                [WEB],
                doorkeeper(lambda: time.time() + ahead[0]),
                counted,
                purge_key=PURGE_KEY,
                clock=clock,
            ) as edge,
            serving(edge) as url,
            aiohttp.ClientSession(auto_decompress=False) as web,
        ):
            shelf = Shelf(objects, url, clock, web, asked, ahead)
            await shelf.put(shelf.path("480p/0.m4s"), SEGMENT_BYTES)
            await shelf.put(
                shelf.path("index.m3u8"), b"#EXTM3U", "public, max-age=3600", "application/vnd.apple.mpegurl"
            )
            yield shelf


async def test_a_segment_is_fetched_once_and_then_answered_from_memory(shelf: Shelf) -> None:
    segment = shelf.path("480p/0.m4s")
    first, *others = [await shelf.ask(segment) for _ in range(3)]
    assert (first.status, first.body, first.headers["x-cache"]) == (200, SEGMENT_BYTES, "MISS")
    assert first.headers["content-type"] == "video/mp4"
    assert first.headers["cache-control"] == FOREVER
    assert {reply.headers["x-cache"] for reply in others} == {"HIT"}
    assert shelf.asked == [segment.lstrip("/")]
    stranger = cookie_header(signer().for_video(new_id()))
    assert (await shelf.ask(segment, stranger)).status == 403, "what is in memory is as guarded"


async def test_a_part_of_a_segment(shelf: Shelf) -> None:
    for _ in range(2):
        reply = await shelf.ask(shelf.path("480p/0.m4s"), range="bytes=10-19")
        assert (reply.status, reply.body) == (206, SEGMENT_BYTES[10:20])
        assert reply.headers["content-range"] == f"bytes 10-19/{len(SEGMENT_BYTES)}"
    assert len(shelf.asked) == 1


async def test_without_a_right_nothing_is_even_asked_for(shelf: Shelf) -> None:
    mine, other = shelf.cookie, cookie_header(signer().for_video(new_id()))
    stream = cookie_header(signer().for_stream(shelf.video_id, open_to_all=True))
    halves = [part for part in mine.split("; ") if "Signature" not in part]
    for name in ("480p/0.m4s", "index.m3u8", "storyboard.vtt", "9p.m3u8"):
        for cookie in ("", other, stream, "; ".join(halves), mine.swapcase()):
            reply = await shelf.ask(shelf.path(name), cookie)
            assert (reply.status, b"media.denied" in reply.body) == (403, True)
            assert SEGMENT_BYTES[:16] not in reply.body
    assert shelf.asked == []


async def test_a_right_that_is_not_renewed_ends_within_a_minute(shelf: Shelf) -> None:
    cookie = shelf.cookie
    assert (await shelf.ask(shelf.path("480p/0.m4s"), cookie)).status == 200
    shelf.ahead[0] = 61.0
    assert (await shelf.ask(shelf.path("480p/0.m4s"), cookie)).status == 403
    assert (await shelf.ask(shelf.path("index.m3u8"), cookie)).status == 403
    assert len(shelf.asked) == 1


async def test_no_other_spelling_of_a_path_leads_anywhere(shelf: Shelf) -> None:
    other = new_id()
    await shelf.put(f"/vod/{other}/{BUILD}/480p/0.m4s", b"not yours")
    await shelf.put(f"/uploads/{shelf.video_id}/{'s' * 16}/source", b"the source")
    mine = f"/vod/{shelf.video_id}"
    for target in (
        f"{mine}/../{other}/{BUILD}/480p/0.m4s",
        f"{mine}/%2e%2e/{other}/{BUILD}/480p/0.m4s",
        f"{mine}/..%2f{other}/{BUILD}/480p/0.m4s",
        f"{mine}/{BUILD}/..%5c..%5c{other}/480p/0.m4s",
        f"{mine}//{BUILD}/480p/0.m4s",
        f"/vod//{shelf.video_id}/{BUILD}/480p/0.m4s",
        f"{mine}/{BUILD}/480p/00.m4s",
        f"{mine}/{BUILD}/480p/0.m4s/",
        f"{mine}/{BUILD}/480p/0.m4s%00",
        f"{mine}/{BUILD}/480p/0.m4s;x",
        f"/VOD/{shelf.video_id}/{BUILD}/480p/0.m4s",
        f"/vod/{shelf.video_id.upper()}/{BUILD}/480p/0.m4s",
        f"{mine}/../../uploads/{shelf.video_id}/{'s' * 16}/source",
        f"/uploads/{shelf.video_id}/{'s' * 16}/source",
        f"/posters/{shelf.video_id}/../../vod/{other}/{BUILD}/480p/0.m4s",
    ):
        reply = await shelf.ask(target)
        assert (reply.status, b"not yours" in reply.body, b"source" in reply.body) == (404, False, False), target
    assert shelf.asked == []
    assert (await shelf.ask(f"/vod/{other}/{BUILD}/480p/0.m4s?x={mine}/")).status == 403


async def test_the_query_makes_no_second_object(shelf: Shelf) -> None:
    for query in ("", "?a=1", "?_HLS_msn=x"):
        assert (await shelf.ask(shelf.path("480p/0.m4s") + query)).status == 200
    assert len(shelf.asked) == 1


async def test_a_playlist_that_grows_is_asked_for_again_every_second(shelf: Shelf) -> None:
    growing = shelf.path("480p.m3u8")
    await shelf.put(growing, b"one", "public, max-age=1", PLAYLIST_TYPE)
    assert (await shelf.ask(growing)).body == b"one"
    await shelf.put(growing, b"two", "public, max-age=1", PLAYLIST_TYPE)
    assert (await shelf.ask(growing)).body == b"one"
    shelf.clock.now += 1.1
    assert (await shelf.ask(growing)).body == b"two"


async def test_what_is_not_there_yet_is_a_404_for_a_second(shelf: Shelf) -> None:
    later = shelf.path("480p/1.m4s")
    for _ in range(2):
        reply = await shelf.ask(later)
        assert (reply.status, b"media.not_found" in reply.body) == (404, True)
        assert b"NoSuchKey" not in reply.body
    assert len(shelf.asked) == 1
    await shelf.put(later, b"here")
    shelf.clock.now += 1.1
    assert (await shelf.ask(later)).body == b"here"


async def test_a_poster_is_for_everybody(shelf: Shelf) -> None:
    poster = f"/posters/{shelf.video_id}/{'p' * 16}.jpg"
    await shelf.put(poster, b"a picture", kind="image/jpeg")
    reply = await shelf.ask(poster, "")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"a picture", "image/jpeg")


async def test_a_deleted_video_is_gone_at_once_and_others_stay(shelf: Shelf) -> None:
    segment, other = shelf.path("480p/0.m4s"), new_id()
    theirs = f"/vod/{other}/{BUILD}/480p/0.m4s"
    poster = f"/posters/{shelf.video_id}/{'p' * 16}.jpg"
    for path in (theirs, poster):
        await shelf.put(path, b"kept")
    their_cookie = cookie_header(signer().for_video(other))
    for path, cookie in ((segment, shelf.cookie), (poster, ""), (theirs, their_cookie)):
        assert (await shelf.ask(path, cookie)).status == 200
    for path in (segment, poster):
        await shelf.objects.call("delete_object", Key=path.lstrip("/"))
    assert (await shelf.ask(segment)).headers["x-cache"] == "HIT", "until it is told"
    shelf.clock.now += 1
    await EdgePurging(shelf.url, PURGE_KEY).forget([f"/vod/{shelf.video_id}/*", f"/posters/{shelf.video_id}/*"])
    assert (await shelf.ask(segment)).status == 404
    assert (await shelf.ask(poster, "")).status == 404
    assert (await shelf.ask(theirs, their_cookie)).headers["x-cache"] == "HIT"


async def test_nobody_else_can_empty_the_cache(shelf: Shelf) -> None:
    segment = shelf.path("480p/0.m4s")
    await shelf.ask(segment)
    with pytest.raises(OriginUnreachable):
        await EdgePurging(shelf.url, b"another key").purge(shelf.video_id)
    for body, signature, status in (
        (b'{"playback_id":"x"}', "", 403),
        (b"{}", signature_of(b"{}", PURGE_KEY), 400),
        (b"x" * 300, signature_of(b"x" * 300, PURGE_KEY), 400),
    ):
        headers = {"x-footlight-signature": signature}
        async with shelf.web.post(shelf.url + "/__edge/purge", data=body, headers=headers) as answer:
            assert answer.status == status
    assert (await shelf.ask(segment)).headers["x-cache"] == "HIT"
    with pytest.raises(PurgeRefused) as refused:
        purged_by(b"{}", "é", PURGE_KEY)
    assert isinstance(refused.value, Forbidden)
    with pytest.raises(Invalid):
        purged_by(b"[]", signature_of(b"[]", PURGE_KEY), PURGE_KEY)


async def test_what_was_on_its_way_when_it_was_purged_is_not_kept() -> None:
    video_id = new_id()
    path, release, asked = f"/vod/{video_id}/{BUILD}/480p/0.m4s", asyncio.Event(), [0]

    async def store(scope: object, receive: object, send: Callable[..., object]) -> None:
        asked[0] += 1
        await release.wait()
        headers = [(b"cache-control", FOREVER.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[misc]  # ASGI
        await send({"type": "http.response.body", "body": b"old"})  # type: ignore[misc]  # as above

    cookie = {"cookie": cookie_header(signer().for_video(video_id))}
    async with (
        serving(store) as store_url,
        open_edge(
            LiveSettings(), [WEB], doorkeeper(), lambda key: f"{store_url}/{key}", purge_key=PURGE_KEY, clock=Seconds()
        ) as edge,
        serving(edge) as url,
        aiohttp.ClientSession() as web,
    ):

        async def ask() -> str:
            async with web.get(url + path, headers=cookie) as answer:
                return answer.headers["x-cache"]

        first = asyncio.create_task(ask())
        await until(lambda: asked[0] == 1)
        await EdgePurging(url, PURGE_KEY).purge(video_id)
        release.set()
        assert await first == "MISS"
        assert await ask() == "MISS"
        assert asked[0] == 2
