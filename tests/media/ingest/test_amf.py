"""AMF0: what we write we can read, and nothing we read can hurt."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from media.errors import RtmpBroken
from media.ingest import amf

scalars = some.none() | some.booleans() | some.floats(allow_nan=False) | some.text(max_size=50)
objects = some.dictionaries(some.text(min_size=1, max_size=10), scalars, max_size=5)


@given(some.lists(scalars | objects, max_size=6))
def test_what_is_written_is_read_again(values: list[Any]) -> None:
    assert amf.decode(amf.encode(*values)) == values


@given(some.binary(max_size=300))
def test_garbage_is_refused_or_read_but_never_more(payload: bytes) -> None:
    with contextlib.suppress(RtmpBroken):
        amf.decode(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x03\x00\x01a" * 20,  # objects in objects
        b"\x0a\x00\x00\x02\x01" + b"\x05" * 513,
        b"\x0a\xff\xff\xff\xff",
        b"\x02\xff\xffshort",
        b"\x05" * 33,
        b"\x11",
        b"\x00\x00",
    ],
)
def test_what_is_too_deep_too_long_or_cut_off_is_refused(payload: bytes) -> None:
    with pytest.raises(RtmpBroken):
        amf.decode(payload)


def test_an_array_with_names_is_read_to_its_end_marker_whatever_its_count() -> None:
    assert amf.decode(b"\x08\xff\xff\xff\xff" + amf.encode({"width": 320.0})[1:]) == [{"width": 320.0}]
