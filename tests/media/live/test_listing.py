"""Pages of the live list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import Invalid
from media.live.listing import page_of
from tests.media.live.world import a_stream


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 7))
def test_the_pages_together_are_the_list_most_viewers_first(counts: list[int], limit: int) -> None:
    streams = [a_stream() for _ in counts]
    viewers = {stream.id: count for stream, count in zip(streams, counts, strict=True)}
    seen, cursor = [], None
    while True:
        page = page_of(streams, viewers, cursor, limit)
        assert len(page.streams) <= limit
        seen += page.streams
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [count for _, count in seen] == sorted(counts, reverse=True)
    assert sorted(stream.id for stream, _ in seen) == sorted(viewers)


def test_streams_that_come_and_go_do_not_shift_the_next_page() -> None:
    streams = [a_stream() for _ in range(6)]
    viewers = {stream.id: 10 - place for place, stream in enumerate(streams)}
    first = page_of(streams, viewers, None, 3)
    newcomer = a_stream()
    viewers[newcomer.id] = 99
    second = page_of([newcomer, *streams[2:]], viewers, first.next_cursor, 3)
    assert [stream for stream, _ in second.streams] == streams[3:]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "AAAA", "k8DA", "ä", "a" * 5000])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        page_of([a_stream()], {}, cursor, 3)
    assert "cursor" in refused.value.details["fields"]
