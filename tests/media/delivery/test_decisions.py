"""The edge's decisions without a network."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import FootlightError
from media.delivery.answers import answer
from media.delivery.cache import ByteCache, Stored, fresh_seconds
from media.delivery.flights import Flights
from media.delivery.wanted import wanted


def stored(body: bytes = b"0123456789", *, fresh_until: float = 100.0) -> Stored:
    return Stored(200, body, "video/mp4", "max-age=1", '"tag"', 0.0, fresh_until)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.m3u8", "playlist"), ("source.m3u8", "playlist"), ("720p.m3u8", "playlist"),
        ("source/init-3.mp4", "init"), ("source/0.m4s", "segment"), ("source/12.4.m4s", "part"),
    ],
)  # fmt: skip
def test_each_name_has_its_class(path: str, kind: str) -> None:
    found = wanted(f"/live/abcdefghijklmnop/{path}".encode(), b"")
    assert (found.kind, found.key, found.playback_id) == (kind, f"/live/abcdefghijklmnop/{path}", "abcdefghijklmnop")


def test_the_master_playlist_has_no_reload_query() -> None:
    assert wanted(b"/live/abcdefghijklmnop/index.m3u8", b"_HLS_msn=4").key == "/live/abcdefghijklmnop/index.m3u8"


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_a_clean_key_or_refused_in_our_words(path: bytes, query: bytes) -> None:
    for prefix in (b"", b"/live/", b"/live/abcdefghijklmnop/", b"/live/abcdefghijklmnop/source.m3u8"):
        try:
            key = wanted(prefix + path, query).key
        except FootlightError:
            continue
        assert ".." not in key
        assert "%" not in key
        assert key.isprintable()


@given(st.integers(0, 9_999_999_999), st.none() | st.integers(0, 9_999_999_999))
def test_a_key_names_itself(msn: int, part: int | None) -> None:
    path, query = b"/live/abcdefghijklmnop/source.m3u8", f"_HLS_msn={msn}" + (f"&_HLS_part={part}" if part else "")
    first = wanted(path, query.encode())
    assert first.held
    assert wanted(path, first.key.partition("?")[2].encode()) == first


@pytest.mark.parametrize(
    ("status", "cache_control", "seconds"),
    [
        (200, "public, max-age=31536000, immutable", 31_536_000), (200, "MAX-AGE=2", 2),
        (200, "max-age=9, s-maxage=3", 3),
        (200, "no-store, max-age=9", 0), (200, "private, max-age=9", 0), (200, "max-age=-1", 0), (200, "", 0),
        (200, 'max-age="4"', 4), (200, "max-age=٣", 0), (404, "max-age=1", 1), (404, "max-age=900", 5),
        (503, "no-store", 0),
    ],
)  # fmt: skip
def test_freshness_is_what_the_origin_says(status: int, cache_control: str, seconds: float) -> None:
    assert fresh_seconds(status, cache_control) == seconds


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000), st.booleans())))
def test_the_cache_counts_every_byte_and_never_exceeds_its_room(steps: list[tuple[int, int, bool]]) -> None:
    cache, sizes = ByteCache(16_384), {}
    for key, size, fresh in steps:
        answer_ = stored(bytes(size), fresh_until=100.0 if fresh else -1.0)
        cache.put(str(key), answer_, 0.0)
        sizes[str(key)] = answer_.cost
        assert cache.bytes == sum(found.cost for name in sizes if (found := cache.get(name, 0.0)))
        assert cache.bytes <= 16_384


def test_the_cache_forgets_what_was_asked_for_longest_ago() -> None:
    cache = ByteCache(10_000)
    for name in "abcd":
        cache.put(name, stored(b"", fresh_until=9.0), 0.0)
    for name in "abcdefghi":
        cache.get("a", 0.0)
        cache.put(name + "2", stored(b"", fresh_until=9.0), 0.0)
    assert cache.get("a", 0.0)
    assert not cache.get("b", 0.0)


@pytest.mark.parametrize(
    ("text", "status", "body"),
    [
        ("bytes=0-0", 206, b"0"), ("bytes=-3", 206, b"789"), ("bytes=8-", 206, b"89"),
        ("bytes=0-999", 206, b"0123456789"),
        ("bytes=-99", 206, b"0123456789"), ("bytes=5-2", 200, b"0123456789"), ("bytes=-", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"), ("lines=0-1", 200, b"0123456789"), ("bytes=-0", 416, b""),
        ("bytes=99-", 416, b""),
    ],
)  # fmt: skip
def test_ranges(text: str, status: int, body: bytes) -> None:
    found = answer(stored(), {"range": text}, 0)
    assert (found.status, bytes(found.body)) == (status, body)


def test_a_range_of_another_version_gets_the_whole() -> None:
    assert answer(stored(), {"range": "bytes=0-1", "if-range": '"old"'}, 0).status == 200


async def test_a_failed_fetch_fails_for_all_who_wait_and_is_tried_again_by_the_next() -> None:
    flights: Flights[int] = Flights()
    go, tries = asyncio.Event(), 0

    async def fetch() -> int:
        nonlocal tries
        tries += 1
        await go.wait()
        if tries == 1:
            raise FootlightError
        return tries

    waiting = [asyncio.create_task(flights.join("k", "s", fetch)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer_, FootlightError) for answer_ in answers)
    assert len(flights) == 0
    assert await flights.join("k", "s", fetch) == 2


async def test_closing_gives_up_what_is_under_way() -> None:
    flights: Flights[None] = Flights()
    waiting = asyncio.create_task(flights.join("k", "s", asyncio.Event().wait))  # type: ignore[arg-type]  # for ever
    await asyncio.sleep(0)
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
