"""Fragmented MP4 as ffmpeg really writes it, and as nobody should."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from media.errors import FragmentsBroken
from media.packaging.boxes import Fragment, FragmentReader, Header
from media.packaging.packager import LOW
from tests.media.packaging.fragments import fragmented

settled = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
async def real() -> bytes:
    return await fragmented(LOW, seconds=3)


def read(data: bytes, piece_bytes: int = 100_000) -> list[Header | Fragment]:
    reader = FragmentReader()
    return [found for at in range(0, len(data), piece_bytes) for found in reader.feed(data[at : at + piece_bytes])]


def test_header_and_fragments_are_found(real: bytes) -> None:
    header, *fragments = read(real)
    assert isinstance(header, Header)
    assert (header.codecs, header.width, header.height) == ("avc1.42c00d,mp4a.40.2", 320, 180)
    found = [fragment for fragment in fragments if isinstance(fragment, Fragment)]
    assert sum(fragment.samples for fragment in found) == 75
    assert sum(fragment.independent for fragment in found) == 3
    for before, after in pairwise(found):
        assert after.start_seconds == pytest.approx(before.start_seconds + before.duration_seconds)
    assert b"".join([header.data, *(fragment.data for fragment in found)]) == real


@pytest.mark.parametrize("piece_bytes", [1, 11, 4000])
def test_where_the_pipe_cuts_makes_no_difference(real: bytes, piece_bytes: int) -> None:
    assert read(real, piece_bytes) == read(real)


@settled
@given(some.data())
def test_broken_boxes_are_refused_or_read_but_nothing_else(real: bytes, data: some.DataObject) -> None:
    mutated = bytearray(real[:20_000])
    for _ in range(data.draw(some.integers(1, 6))):
        at = data.draw(some.integers(0, 2000))
        mutated[at : at + data.draw(some.integers(0, 4))] = data.draw(some.binary(max_size=4))
    with contextlib.suppress(FragmentsBroken):
        read(bytes(mutated))


@pytest.mark.parametrize("data", [b"\x7f\xff\xff\xffmdat", b"\x00\x00\x00\x00free", b"\x00\x00\x00\x08mdat", bytes(8)])
def test_what_is_too_large_or_out_of_order_is_refused(data: bytes) -> None:
    with pytest.raises(FragmentsBroken):
        read(data)


def test_video_we_cannot_describe_is_refused(real: bytes) -> None:
    with pytest.raises(FragmentsBroken):
        read(real.replace(b"avc1", b"hvc1"))
