"""The origin's answers: statuses, cache headers, and what is waited for."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from media.packaging.origin import Origin
from media.packaging.packager import LOW, Packager
from tests.media.packaging.fragments import HEADER, fragment
from tests.media.packaging.test_packager import fill

Get = Callable[..., Coroutine[Any, Any, tuple[int, bytes, dict[str, str]]]]


@pytest.fixture
def packager() -> Packager:
    made = Packager(LOW, 7, 1000, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    made.begin(HEADER)
    fill(made, 2.4)  # 7 and 8 whole, two parts of 9
    return made


@pytest.fixture
def get(packager: Packager) -> Get:
    empty = Packager(LOW, 0, 0, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    origin = Origin({"abc": packager, "empty": empty})

    async def ask(path: str, query: str = "", method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        await origin(scope, receive, send)
        return sent[0]["status"], sent[1]["body"], {n.decode(): v.decode() for n, v in sent[0]["headers"]}

    return ask


@pytest.mark.parametrize(
    ("path", "status", "cache"),
    [
        ("/livez", 200, "no-store"),
        ("/live/abc/index.m3u8", 200, "max-age=1"),
        ("/live/abc/source.m3u8", 200, "max-age=1"),
        ("/live/abc/source/init-1000.mp4", 200, "public, max-age=31536000, immutable"),
        ("/live/abc/source/7.m4s", 200, "public, max-age=31536000, immutable"),
        ("/live/abc/source/8.4.m4s", 200, "public, max-age=31536000, immutable"),
        ("/live/abc/source/9.m4s", 404, "max-age=1"),  # not whole yet
        ("/live/abc/source/9.5.m4s", 404, "max-age=1"),  # not the hinted one
        ("/live/abc/source/8.5.m4s", 404, "max-age=1"),
        ("/live/abc/source/init-1001.mp4", 404, "max-age=1"),
        ("/live/other/index.m3u8", 404, "max-age=1"),
        ("/live/abc/../secret", 404, "max-age=1"),
        ("/live/abc/source/99999999999999999999.m4s", 404, "max-age=1"),
        ("/live/empty/index.m3u8", 503, "no-store"),
        ("/live/empty/source.m3u8", 503, "no-store"),
    ],
)
async def test_every_path_has_its_status_and_cache_header(get: Get, path: str, status: int, cache: str) -> None:
    found, _, headers = await get(path)
    assert (found, headers["cache-control"]) == (status, cache)


@pytest.mark.parametrize(
    "query",
    [
        "_HLS_msn=12",
        "_HLS_msn=9&_HLS_part=14",
        "_HLS_msn=10&_HLS_part=12",
        "_HLS_msn=x",
        "_HLS_msn=-1",
        "_HLS_part=1",
        "_HLS_msn=9&_HLS_part=1e9",
        "a=" + "b" * 300,
    ],
)
async def test_absurd_directives_are_refused(get: Get, query: str) -> None:
    status, _, headers = await get("/live/abc/source.m3u8", query)
    assert (status, headers["cache-control"]) == (400, "no-store")


async def test_a_playlist_waits_for_the_part_it_was_asked_for(get: Get, packager: Packager) -> None:
    waiting = asyncio.create_task(get("/live/abc/source.m3u8", "_HLS_msn=9&_HLS_part=2"))
    await asyncio.sleep(0)
    assert not waiting.done()
    packager.add(fragment(start=2.4), keyframe_follows=False)
    status, body, headers = await waiting
    assert status == 200
    assert b"source/9.2.m4s" in body
    assert headers["cache-control"] == "max-age=6"


@pytest.mark.parametrize(
    ("query", "cache"),
    [
        ("_HLS_msn=9&_HLS_part=1", "max-age=6"), ("_HLS_msn=8&_HLS_part=5", "max-age=6"), ("_HLS_msn=7", "max-age=6"),
        ("_HLS_msn=8&_HLS_part=6", "no-store"), ("_HLS_msn=6", "no-store"), ("_HLS_msn=6&_HLS_part=99", "no-store"),
    ],
)  # fmt: skip
async def test_what_is_there_already_is_kept_only_under_names_a_playlist_had(get: Get, query: str, cache: str) -> None:
    status, _, headers = await get("/live/abc/source.m3u8", query)
    assert (status, headers["cache-control"]) == (200, cache)


async def test_a_hinted_part_is_held_until_it_exists(get: Get, packager: Packager) -> None:
    waiting = asyncio.create_task(get("/live/abc/source/9.2.m4s"))
    await asyncio.sleep(0)
    assert not waiting.done()
    packager.add(fragment(start=2.4), keyframe_follows=False)
    assert (await waiting)[:2] == (200, b"data")


async def test_who_waits_in_vain_gets_the_playlist_as_it_is_uncached(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.packaging.origin.HOLD_TARGETS", 0.05)  # the same rule in less time
    status, _, headers = await get("/live/abc/source.m3u8", "_HLS_msn=9&_HLS_part=2")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert (await get("/live/abc/source/9.2.m4s"))[0] == 404


async def test_those_who_wait_are_counted(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.packaging.origin.MAX_WAITING", 0)
    status, _, headers = await get("/live/abc/source.m3u8", "_HLS_msn=10")
    assert (status, headers["retry-after"]) == (503, "1")


async def test_only_reading_is_possible_and_head_has_no_body(get: Get) -> None:
    status, body, headers = await get("/live/abc/source/7.m4s", method="HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", "20")
    assert (await get("/live/abc/index.m3u8", method="POST"))[0] == 405
