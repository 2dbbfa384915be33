"""Playlists of videos, growing and whole."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.vod.ladder import plan
from media.vod.plan import Plan, Segment
from media.vod.playlists import master_playlist, media_playlist, target_seconds
from tests.media.vod.test_ladder import source


def segments(made: Plan, rendition: str, numbers: list[int], size_bytes: int = 100_000) -> list[Segment]:
    ends = [*made.cuts[1:], made.duration_seconds]
    return [
        Segment(rendition=rendition, number=n, duration_seconds=ends[n] - made.cuts[n], size_bytes=size_bytes)
        for n in numbers
    ]


def listed(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"/(\d+)\.m4s", text)]


@given(st.sets(st.integers(0, 29)), st.booleans())
def test_a_playlist_names_what_is_there_up_to_the_first_gap(numbers: set[int], ended: bool) -> None:
    made = plan(source())
    text = media_playlist(made, "240p", segments(made, "240p", sorted(numbers, reverse=True)), ended=ended)
    shown = listed(text)
    assert shown == list(range(len(shown)))
    assert set(shown) <= numbers
    assert len(shown) not in numbers
    assert ("#EXT-X-ENDLIST" in text) is ended
    assert f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}\n" in text


def test_a_growing_playlist_only_ever_grows_at_its_end() -> None:
    made = plan(source())
    texts = [media_playlist(made, "240p", segments(made, "240p", list(range(n))), ended=False) for n in range(31)]
    assert all(after.startswith(before) for before, after in pairwise(texts))


def test_no_segment_is_longer_than_the_playlist_says() -> None:
    made = plan(source(keyframes=[0.0, 1.9, 7.7, 10.0, 15.9, 20.0], duration=22.0))
    longest = max(end - start for start, end in zip(made.cuts, [*made.cuts[1:], 22.0], strict=True))
    assert longest <= target_seconds(made)


def test_a_playlist_reads_as_the_protocol_wants_it() -> None:
    made = plan(source(duration=3.0))
    assert media_playlist(made, "240p", segments(made, "240p", [0, 1]), ended=True) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI="240p/init.mp4"\n'
        "#EXTINF:2.000000,\n240p/0.m4s\n#EXTINF:1.000000,\n240p/1.m4s\n#EXT-X-ENDLIST\n"
    )


def test_the_master_names_qualities_that_have_segments_lowest_first() -> None:
    made = plan(source(854, 480))
    ready = {name: segments(made, name, [0]) for name in ("480p", "240p", "audio")} | {"360p": []}
    text = master_playlist(made, ready)
    assert re.findall(r"^(\d+p)\.m3u8", text, re.MULTILINE) == ["240p", "480p"]
    assert 'URI="audio.m3u8"' in text
    assert text.count('AUDIO="sound"') == 2
    assert 'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=30.000' in text


def test_the_master_tells_the_most_that_was_needed_and_the_average() -> None:
    made = plan(source(320, 240, audio=None, duration=4.0))
    measured = [*segments(made, "240p", [0], 100_000), *segments(made, "240p", [1], 50_000)]
    text = master_playlist(made, {"240p": measured})
    assert "BANDWIDTH=400000,AVERAGE-BANDWIDTH=300000," in text
    assert "AUDIO" not in text


def test_nothing_ready_gives_no_quality() -> None:
    assert "STREAM-INF" not in master_playlist(plan(source()), {})
