"""Parts and segments: whatever the encoder does, every playlist stands up to a strict reader."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from media.delivery.flights import MAX_FLIGHTS_OF_ONE
from media.packaging.boxes import Fragment
from media.packaging.packager import LOW, MAX_SEGMENT_SECONDS, STANDARD, Packager, Profile, first_number
from tests.media.hls import Playlist, check_continues, read_playlist
from tests.media.packaging.fragments import HEADER, fragment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def packager(profile: Profile = LOW, number: int = 7, discontinuity: int = 1000) -> Packager:
    made = Packager(profile, number, discontinuity, clock=lambda: NOW)
    made.begin(HEADER)
    return made


def fill(into: Packager, seconds: float, *, keyframe_every: int = 5, part: float = 0.2) -> None:
    """Regular parts; a keyframe every so many of them, announced as the encoder does."""
    for index in range(round(seconds / part)):
        follows = (index + 1) % keyframe_every == 0
        found = fragment(part, start=index * part, key=index % keyframe_every == 0)
        into.add(found, keyframe_follows=follows)


def test_a_segment_is_whole_with_its_last_part_and_the_hint_is_right() -> None:
    made = packager()
    fill(made, 1.8)
    playlist = read_playlist(made.playlist())
    assert [(piece.number, piece.duration) for piece in playlist.pieces] == [(7, 1.0), (8, None)]
    assert playlist.hint == "source/8.4.m4s"
    made.add(fragment(start=1.8), keyframe_follows=True)
    assert read_playlist(made.playlist()).hint == "source/9.0.m4s"


def test_without_a_word_from_the_encoder_a_keyframe_still_begins_a_segment() -> None:
    made = packager()
    for index in range(7):
        made.add(fragment(start=index * 0.2, key=index % 5 == 0), keyframe_follows=False)
    assert [piece.number for piece in read_playlist(made.playlist()).pieces] == [7, 8]


def test_low_latency_plays_after_one_segment_standard_after_two() -> None:
    low, standard = packager(), packager(STANDARD)
    assert not low.playable
    fill(low, 1)
    assert low.playable
    fill(standard, 2, keyframe_every=10)
    assert not standard.playable
    fill(standard, 2, keyframe_every=10)
    assert standard.playable


def test_the_window_moves_and_what_left_it_is_served_a_while() -> None:
    made = packager()
    fill(made, 60)
    playlist = read_playlist(made.playlist())
    assert 12 <= len(playlist.segments) <= 13
    assert made.segment(playlist.sequence - 1) is not None
    assert made.segment(7) is None


def test_a_new_header_begins_a_discontinuity_that_is_counted_when_it_leaves() -> None:
    made = packager()
    fill(made, 2)
    made.begin(HEADER)
    fill(made, 2)
    playlist = read_playlist(made.playlist())
    assert [piece.discontinuity for piece in playlist.pieces] == [False, False, True, False]
    assert [piece.header for piece in playlist.pieces][1:3] == ["source/init-1000.mp4", "source/init-1001.mp4"]
    fill(made, 30)
    assert read_playlist(made.playlist()).discontinuity_sequence == 1001
    assert made.header(1001) == b"header"


def test_sparse_keyframes_make_long_segments_but_not_endless_ones() -> None:
    made = packager()
    fill(made, 40, keyframe_every=1000)
    playlist = read_playlist(made.playlist())
    assert max(piece.duration or 0 for piece in playlist.pieces) <= MAX_SEGMENT_SECONDS + 0.2
    assert not playlist.independent


def test_sound_alone_goes_with_the_next_frames() -> None:
    made = packager()
    made.add(Fragment(b"sound", 0, 0, independent=False, samples=0), keyframe_follows=False)
    made.add(fragment(1.0, key=True), keyframe_follows=True)
    assert made.part(7, 0) == b"sounddata"


def test_waiting_is_for_what_the_specification_says() -> None:
    made = packager()
    fill(made, 1.4)  # 7 whole, two parts of 8
    assert made.has(7, None)
    assert made.has(7, 99) is True  # beyond its end: the first of the next, which is there
    assert made.has(8, 1)
    assert not made.has(8, 2)
    assert not made.has(8, None)
    assert not made.too_far(10, None)
    assert made.too_far(11, None)
    fill(made, 0.6, keyframe_every=3)
    assert made.has(8, 4)
    assert not made.has(8, 5)  # its last part is there, but the next segment has not begun


def test_few_different_things_may_be_waited_for_and_few_past_ones_have_a_name() -> None:
    made = packager()
    fill(made, 1.4)  # 7 whole, two parts of 8
    numbers, indices = range(20), [None, *range(200)]
    asked = [(number, index) for number in numbers for index in indices if not made.too_far(number, index)]
    waiting = [one for one in asked if not made.has(*one)]
    assert {(8, None), (8, 2), (8, 13), (9, 0), (10, 11)} <= set(waiting)
    assert len(waiting) == 39
    assert len(waiting) < MAX_FLIGHTS_OF_ONE
    named = [one for one in asked if made.has(*one) and made.is_named(*one)]
    assert named == [(7, None), *((7, index) for index in range(6)), (8, 0), (8, 1)]


async def test_who_waits_is_woken_by_the_part_or_by_the_end() -> None:
    made = packager()
    fill(made, 1)
    part, end = asyncio.create_task(made.reached(8, 0, 5)), asyncio.create_task(made.reached(9, 0, 5))
    await asyncio.sleep(0)
    made.add(fragment(start=1.0, key=True), keyframe_follows=False)
    assert await part
    assert not end.done()
    made.end()
    assert await end
    assert read_playlist(made.playlist()).ended
    assert not await packager().reached(9, 0, 0.01)


async def test_nobody_waits_long_while_there_is_no_encoder() -> None:
    made = packager()
    fill(made, 1)
    waiting = asyncio.create_task(made.reached(9, 0, 3600))
    await asyncio.sleep(0)
    made.pause()
    assert not await waiting


def test_a_restart_numbers_above_everything_before() -> None:
    assert first_number(NOW, NOW) == 0
    assert first_number(NOW, NOW - timedelta(seconds=5)) == 0  # clocks of two machines
    assert first_number(NOW, NOW + timedelta(hours=1)) > 3600 * 2.3


steps = some.one_of(
    some.tuples(some.just("add"), some.floats(0.001, 3), some.booleans(), some.booleans()),
    some.just(("begin", 0.0, False, False)),
    some.just(("pause", 0.0, False, False)),
)


@given(some.sampled_from([LOW, STANDARD]), some.lists(steps, min_size=1, max_size=120))
def test_any_encoder_gives_playlists_that_hold(profile: Profile, script: list[tuple[str, float, bool, bool]]) -> None:
    made, before, start = packager(profile), None, 0.0
    for what, seconds, key, follows in script:
        if what == "add":
            made.add(fragment(seconds, start=start, key=key), keyframe_follows=follows)
            start += seconds
        elif what == "begin":
            made.begin(HEADER)
            start = 0.0
        else:
            made.pause()
        if made.playable:
            after: Playlist = read_playlist(made.playlist())
            if before is not None:
                check_continues(before, after)
            before = after
