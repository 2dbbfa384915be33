"""The edge between real players and a real origin."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from infra.local.parts import free_port
from infra.settings import LiveSettings
from media.delivery import upstream
from media.delivery.flights import MAX_FLIGHTS_OF_ONE
from tests.media.delivery.passes import live_cookies
from tests.media.delivery.stage import FOREVER, STREAM, WEB, Seconds, Stage, edge_for_tests, serving, stage, until

PLAYLIST = f"{STREAM}/source.m3u8"
SEGMENT = f"{STREAM}/source/7.m4s"
PART = f"{STREAM}/source/7.2.m4s"


@pytest.fixture
async def show() -> AsyncIterator[Stage]:
    async with stage() as built:
        yield built


# --- one request to the origin


async def test_two_hundred_players_at_once_make_one_request_to_the_origin(show: Stage) -> None:
    show.origin.gate.clear()
    target = f"{PLAYLIST}?_HLS_msn=8&_HLS_part=0"
    players = [asyncio.create_task(show.ask(target)) for _ in range(200)]
    await until(lambda: show.edge.stats.as_dict()["requests"] == 200)
    show.origin.gate.set()
    replies = await asyncio.gather(*players)
    assert show.origin.asked == {target: 1}
    assert {reply.body for reply in replies} == {f"{target} #1".encode()}
    assert sorted(reply.source for reply in replies) == ["COALESCED"] * 199 + ["MISS"]
    assert (await show.ask(target)).source == "HIT"


async def test_the_first_player_may_go_away_without_hurting_the_others(show: Stage) -> None:
    """Cancelled inside the edge: the ASGI call of the first player itself, as a server may do it."""
    show.origin.gate.clear()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": SEGMENT, "raw_path": SEGMENT.encode(), "query_string": b"",
        "headers": [(b"cookie", live_cookies(STREAM.rpartition("/")[2]).encode())], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    first = asyncio.create_task(show.edge(scope, asyncio.Event().wait, send))  # type: ignore[arg-type]  # never asked
    await show.origin.arrived.wait()
    second = asyncio.create_task(show.ask(SEGMENT))
    await until(lambda: show.edge.stats.as_dict()["requests"] == 2)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    show.origin.gate.set()
    reply = await second
    assert (reply.status, reply.source, sent) == (200, "COALESCED", [])
    assert show.origin.asked[SEGMENT] == 1


async def test_a_fetch_that_everybody_left_still_fills_the_cache(show: Stage) -> None:
    show.origin.gate.clear()
    lonely = asyncio.create_task(show.ask(SEGMENT))
    await show.origin.arrived.wait()
    lonely.cancel()
    show.origin.gate.set()
    reply = await show.ask(SEGMENT)
    assert reply.source in {"HIT", "COALESCED"}
    assert show.origin.asked[SEGMENT] == 1


# --- how long it is kept


async def test_an_answer_is_kept_as_long_as_the_origin_says(show: Stage) -> None:
    show.origin.cache_control = "max-age=6"
    first = await show.ask(PLAYLIST)
    show.clock.now += 5.9
    kept = await show.ask(PLAYLIST)
    assert (kept.source, kept.body, kept.headers["age"]) == ("HIT", first.body, "5")
    assert kept.headers["cache-control"] == "max-age=6"
    show.clock.now += 0.1
    assert (await show.ask(PLAYLIST)).source == "MISS"
    assert show.origin.asked[PLAYLIST] == 2


@pytest.mark.parametrize("cache_control", ["no-store", "", "max-age=0", "private, max-age=60", "max-age=soon"])
async def test_what_must_not_be_kept_is_not(show: Stage, cache_control: str) -> None:
    show.origin.cache_control = cache_control
    assert [(await show.ask(PLAYLIST)).source for _ in range(3)] == ["MISS"] * 3


async def test_an_error_is_kept_as_long_as_it_says_and_never_long(show: Stage) -> None:
    show.origin.status, show.origin.cache_control = 404, "max-age=1"
    first = await show.ask(SEGMENT)
    assert (first.status, first.source) == (404, "MISS")
    assert ((await show.ask(SEGMENT)).status, show.origin.asked[SEGMENT]) == (404, 1)
    show.clock.now += 1
    show.origin.status, show.origin.cache_control = 200, FOREVER
    assert (await show.ask(SEGMENT)).status == 200

    show.origin.status = 404  # an error that says it stays for a year
    await show.ask(PART)
    show.clock.now += 6
    assert (await show.ask(PART)).source == "MISS"


@pytest.mark.parametrize(
    ("status", "code"), [(400, "media.reload_query"), (404, "media.not_found"), (503, "media.not_ready")]
)
async def test_what_the_origin_refuses_is_told_in_the_one_shape_of_errors(show: Stage, status: int, code: str) -> None:
    show.origin.status, show.origin.cache_control = status, "max-age=1"
    reply = await show.ask(PLAYLIST)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert msgspec.json.decode(reply.body)["error"]["code"] == code


async def test_a_busy_origin_is_not_remembered(show: Stage) -> None:
    show.origin.status, show.origin.cache_control = 503, "no-store"
    busy = await show.ask(PLAYLIST)
    assert (busy.status, busy.headers["retry-after"]) == (503, "1")
    show.origin.status = 200
    assert (await show.ask(PLAYLIST)).status == 200


async def test_memory_stays_within_its_bound() -> None:
    async with stage(cache_bytes=1 << 20) as show:
        show.origin.body = bytes(100_000)
        for number in range(40):
            await show.ask(f"{STREAM}/source/{number}.m4s")
            assert show.edge.stats.as_dict()["bytes"] <= 1 << 20
        assert show.edge.stats.as_dict()["entries"] == 10
        assert (await show.ask(f"{STREAM}/source/39.m4s")).source == "HIT"
        assert (await show.ask(f"{STREAM}/source/0.m4s")).source == "MISS"


async def test_an_answer_too_large_for_the_cache_is_passed_on_whole() -> None:
    async with stage(cache_bytes=1 << 20) as show:
        show.origin.body = bytes(range(256)) * 4096
        reply = await show.ask(SEGMENT)
        assert reply.body == show.origin.body
        assert show.edge.stats.as_dict()["entries"] == 0


# --- what is asked for


async def test_only_the_reload_query_counts_and_in_one_spelling(show: Stage) -> None:
    for query in ("_HLS_msn=8&_HLS_part=1", "_HLS_part=01&_HLS_msn=0008", "token=x&_HLS_msn=8&_HLS_part=1&t=9"):
        await show.ask(f"{PLAYLIST}?{query}")
    await show.ask(f"{SEGMENT}?a=1")
    await show.ask(f"{SEGMENT}?_HLS_msn=8")
    assert show.origin.asked == {f"{PLAYLIST}?_HLS_msn=8&_HLS_part=1": 1, SEGMENT: 1}


TRICKS = [
    b"/live/abcdefghijklmnop/../../etc/passwd",
    b"/live/abcdefghijklmnop/source/..%2f..%2fsecret.m4s",
    b"/live/abcdefghijklmnop/source/%2e%2e/7.m4s",
    b"/live/abcdefghijklmnop%2fsource.m3u8",
    b"/live/abcdefghijklmnop/%73ource.m3u8",
    b"/live/abcdefghijklmnop\\source.m3u8",
    b"/live/abcdefghijklmnop/source.m3u8%00",
    b"/live//abcdefghijklmnop/source.m3u8",
    b"/live/abcdefghijklmnop/source/07.m4s",
    b"/live/abcdefghijklmnop/source/7.m4s/",
    b"/live/abcdefghijklmnop/source/99999999999.m4s",
    b"/live/short/source.m3u8",
    b"/live/abcdefghijklmnop/",
    b"/live/abcdefghijklmnop/source/7.m4s;x",
    b"/LIVE/abcdefghijklmnop/source.m3u8",
    b"/live/abcdefghijklmnop/source.m3u8\xc3\xa9",
    b"/",
]


async def test_a_name_no_object_has_never_reaches_the_origin(show: Stage) -> None:
    for target in TRICKS:
        assert await show.ask_raw(target) in {400, 404}, target
        assert not show.origin.asked, target


NONSENSE = [
    "_HLS_msn=x", "_HLS_msn=-1", "_HLS_msn=", "_HLS_msn=1&_HLS_msn=2", "_HLS_part=1", "_HLS_msn=%D9%A3",
    "_HLS_msn=1.0", "_HLS_msn=99999999999", "x=" + "y" * 2000,
]  # fmt: skip


async def test_a_reload_query_that_makes_no_sense_is_refused(show: Stage) -> None:
    for query in NONSENSE:
        reply = await show.ask(f"{PLAYLIST}?{query}")
        assert (reply.status, b"media.reload_query" in reply.body) == (400, True), query
    assert not show.origin.asked


async def test_one_stream_cannot_fill_the_edge_with_requests_the_origin_holds(show: Stage) -> None:
    show.origin.gate.clear()
    greedy = [
        asyncio.create_task(show.ask(f"{PLAYLIST}?_HLS_msn={number}")) for number in range(MAX_FLIGHTS_OF_ONE + 20)
    ]
    await until(lambda: sum(task.done() for task in greedy) == 20)
    others = ["/live/ponmlkjihgfedcba/source.m3u8", PLAYLIST, SEGMENT]  # the same stream's too: nothing holds those
    answers = [asyncio.create_task(show.ask(target)) for target in others]
    await until(lambda: all(target in show.origin.asked for target in others))
    show.origin.gate.set()
    replies = [await task for task in greedy]
    assert sorted(reply.status for reply in replies) == [200] * MAX_FLIGHTS_OF_ONE + [503] * 20
    assert {reply.headers.get("retry-after") for reply in replies if reply.status == 503} == {"1"}
    assert [(await task).status for task in answers] == [200] * 3


# --- how it is answered


async def test_head_says_the_same_without_the_body(show: Stage) -> None:
    whole, head = await show.ask(SEGMENT), await show.ask(SEGMENT, "HEAD")
    assert (head.status, head.body, head.source) == (200, b"", "HIT")
    assert head.headers["content-length"] == str(len(whole.body))


async def test_who_has_it_already_is_told_so(show: Stage) -> None:
    etag = (await show.ask(SEGMENT)).headers["etag"]
    again = await show.ask(SEGMENT, if_none_match=f'"other", W/{etag}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == etag


async def test_a_range_is_cut_from_the_stored_whole(show: Stage) -> None:
    show.origin.body = b"0123456789"
    cut = await show.ask(SEGMENT, range="bytes=2-4")
    assert (cut.status, cut.body, cut.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    beyond = await show.ask(SEGMENT, range="bytes=10-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */10")
    assert show.origin.asked[SEGMENT] == 1


async def test_our_own_pages_may_read_with_cookies_and_no_others(show: Stage) -> None:
    ours = await show.ask(SEGMENT, origin=WEB)
    assert ours.headers["access-control-allow-origin"] == WEB
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert "X-Cache" in ours.headers["access-control-expose-headers"]
    for stranger in ("https://evil.example", WEB + ".evil.example", "null", WEB.upper()):
        theirs = await show.ask(SEGMENT, origin=stranger)
        assert "access-control-allow-origin" not in theirs.headers
        assert theirs.headers["vary"] == "Origin"
    missing = await show.ask("/live/nothing", origin=WEB)
    assert (missing.status, missing.headers["access-control-allow-origin"]) == (404, WEB)


async def test_a_preflight_is_answered_without_asking_the_origin(show: Stage) -> None:
    reply = await show.ask(SEGMENT, "OPTIONS", origin=WEB, access_control_request_method="GET")
    assert (reply.status, reply.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")
    assert reply.headers["access-control-allow-origin"] == WEB
    assert not show.origin.asked


async def test_nothing_can_be_written(show: Stage) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        reply = await show.ask(SEGMENT, method)
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert not show.origin.asked


# --- when the origin fails


async def test_an_origin_that_is_away_is_a_502_in_our_own_words() -> None:
    settings = LiveSettings(origin_url=f"http://127.0.0.1:{free_port()}")
    async with stage() as show, edge_for_tests(settings, clock=Seconds()) as lost, serving(lost) as url:
        show.url = url
        reply = await show.ask(SEGMENT)
        assert (reply.status, b"media.origin_unreachable" in reply.body) == (502, True)
        assert reply.headers["cache-control"] == "no-store"
        assert lost.stats.as_dict()["classes"]["segment"] == {"hit": 0, "coalesced": 0, "miss": 1, "error": 1}


async def test_an_origin_that_answers_nonsense_is_a_502(show: Stage) -> None:
    for status in (500, 302, 206, 403):
        show.origin.status = status
        assert (await show.ask(SEGMENT)).status == 502


async def test_an_origin_that_does_not_answer_in_time_is_a_504(show: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "PLAIN_SECONDS", 0.2)
    show.origin.gate.clear()
    reply = await show.ask(SEGMENT)
    assert (reply.status, b"media.origin_too_slow" in reply.body) == (504, True)
    show.origin.gate.set()
    assert (await show.ask(SEGMENT)).status == 200


async def test_an_endless_object_is_a_502(show: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MAX_OBJECT_BYTES", 1000)
    show.origin.body = bytes(1001)
    assert (await show.ask(SEGMENT)).status == 502


# --- around it


async def test_this_machine_can_read_how_well_the_origin_is_shielded(show: Stage) -> None:
    for _ in range(4):
        await show.ask(PART)
    await show.ask("/live/../x")
    stats = show.edge.stats.as_dict()
    assert stats["classes"]["part"] == {"hit": 3, "coalesced": 0, "miss": 1, "error": 0}
    assert stats["hit_ratio"] == 0.75
    assert b'"hit_ratio":0.75' in (await show.ask("/__edge/stats")).body
    metrics = (await show.ask("/metrics")).body
    assert b'footlight_edge_requests_total{class="part",source="hit"} 3.0' in metrics


async def test_nobody_else_can_read_it(show: Stage) -> None:
    for path in ("/__edge/stats", "/metrics"):
        assert (await show.ask(path, x_forwarded_for="203.0.113.9")).status == 404


async def test_it_says_that_it_lives(show: Stage) -> None:
    assert (await show.ask("/livez")).status == 200
