"""Parts, first bytes, names: the decisions without I/O."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings import VodSettings
from media.vod.errors import QuotaExceeded, TooManyUploads, UploadTooLarge
from media.vod.magic import HEAD_BYTES, container_of
from media.vod.parts import MIB, MOST_PARTS, PART_BYTES, ReceivedPart, missing, part_bytes_for, part_count, part_length
from media.vod.upload_model import FORM_FIELDS_BYTES, FORM_MOST_BYTES, Usage, clean_file_name, form_reserves, room_for

TS = b"\x47" + bytes(187)
SIZE = 1 << 20


def iso(brand: bytes, length: int = 24) -> bytes:
    return length.to_bytes(4, "big") + b"ftyp" + brand + bytes(12)


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (iso(b"isom"), "mp4"),
        (iso(b"qt  "), "mp4"),
        (iso(b"3gp5"), "mp4"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "mp4"),
        (b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x01\x00\x00", "mp4"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", "matroska"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "matroska"),
        (b"RIFF\x00\x10\x00\x00AVI LIST", "avi"),
        (b"\x00\x00\x01\xba\x44", "mpegps"),
        (b"FLV\x01\x05\x00\x00\x00\x09", "flv"),
        (TS * 6, "mpegts"),
        ((bytes(4) + TS) * 6, "mpegts"),
        ((TS + bytes(16)) * 6, "mpegts"),
    ],
)
def test_what_we_take(head: bytes, container: str) -> None:
    assert container_of(head, SIZE) == container


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret.ts",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1",
        b'<?xml version="1.0"?><MPD/>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF\x00\x10\x00\x00WAVE",
        b"RIFF\x00\x10\x00\x00WEBP",
        b"PK\x03\x04",
        b"%PDF-1.7",
        b"MZ\x90\x00",
        b"\x7fELF",
        b"ID3\x04",
        b"OggS\x00\x02",
        iso(b"heic"),
        iso(b"avif"),
        iso(b"mif1"),
        iso(b"isom", length=8),
        iso(b"isom", length=SIZE + 1),
        b"#EXTmoov",
        b"\x00\x00\x00\x04moov",
        b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84html",
        b"FLV\x01\xff\x00\x00\x00\x09",
        TS * 4,
        TS * 3 + b"\x00" + TS[1:] + TS * 3,
        bytes(HEAD_BYTES),
    ],
)
def test_what_we_refuse(head: bytes) -> None:
    assert container_of(head, SIZE) is None


@given(st.binary(max_size=HEAD_BYTES), st.integers(0, 1 << 45))
def test_no_bytes_break_it(head: bytes, size: int) -> None:
    container_of(head, size)


@given(st.integers(1, 5 << 40))
def test_parts_cover_the_file_and_are_as_s3_wants_them(size: int) -> None:
    part_bytes = part_bytes_for(size)
    parts = part_count(size, part_bytes)
    assert PART_BYTES <= part_bytes <= 5 << 30
    assert part_bytes % MIB == 0
    assert 1 <= parts <= MOST_PARTS
    assert (parts - 1) * part_bytes + part_length(parts, size, part_bytes) == size
    assert 1 <= part_length(parts, size, part_bytes) <= part_bytes


@given(st.integers(1, 30), st.data())
def test_what_is_missing_is_what_is_not_there_not_signed_or_not_long_enough(parts: int, data: st.DataObject) -> None:
    size = parts * PART_BYTES - 1
    whole = {
        number: ReceivedPart(number=number, size_bytes=part_length(number, size, PART_BYTES), etag="")
        for number in range(1, parts + 1)
    }
    sums = dict.fromkeys(whole, bytes(32))
    assert missing(size, PART_BYTES, whole, sums) == []
    numbers = st.sets(st.sampled_from(sorted(whole)))
    gone, unsigned, short = data.draw(numbers), data.draw(numbers), data.draw(numbers)
    received = {
        number: ReceivedPart(number=number, size_bytes=part.size_bytes - (number in short), etag="")
        for number, part in whole.items()
        if number not in gone
    }
    known = {number: sum_ for number, sum_ in sums.items() if number not in unsigned}
    assert missing(size, PART_BYTES, received, known) == sorted(gone | unsigned | short)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("waves.mp4", "waves.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\waves.mp4", "waves.mp4"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"),
        ("gpj.\u202e4pm.exe", "gpj.4pm.exe"),
        ("e\u0301te\u0301.mov", "été.mov"),
        ("\x00\x1b[31m", "[31m"),
        ("", "video"),
        ("..//", "video"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_name_is_only_shown(name: str, shown: str) -> None:
    assert clean_file_name(name) == shown


@given(st.text())
def test_any_name_can_be_shown(name: str) -> None:
    shown = clean_file_name(name)
    assert 1 <= len(shown) <= 200
    assert not set(shown) & set("/\\\r\n\x00\u202e\u2066")


def test_there_is_room_or_there_is_not() -> None:
    settings = replace(VodSettings(), upload_max_bytes=100, open_uploads=2)
    room_for(100, Usage(100, 200, 1), settings)
    for wanted, usage, refusal in (
        (101, Usage(0, 200, 0), UploadTooLarge),
        (50, Usage(151, 200, 0), QuotaExceeded),
        (1, Usage(0, 200, 2), TooManyUploads),
    ):
        with pytest.raises(refusal):
            room_for(wanted, usage, settings)


def test_a_form_sets_aside_what_it_announced_or_all_there_is() -> None:
    settings = replace(VodSettings(), upload_max_bytes=100)
    assert form_reserves(60, Usage(0, 200), settings) == 60
    assert form_reserves(100 + FORM_FIELDS_BYTES, Usage(0, 200), settings) == 100
    assert form_reserves(None, Usage(0, 200), settings) == 100
    assert form_reserves(None, Usage(150, 200), settings) == 50
    assert form_reserves(None, Usage(200, 200), settings) == 1  # which is refused
    with pytest.raises(UploadTooLarge):
        form_reserves(101 + FORM_FIELDS_BYTES, Usage(0, 200), settings)
    endless = replace(VodSettings(), upload_max_bytes=5 << 40, scratch_bytes=1 << 45)
    assert form_reserves(None, Usage(0, 5 << 40), endless) == FORM_MOST_BYTES


def test_what_no_transcoder_could_hold_is_refused_before_it_is_sent() -> None:
    settings, usage = replace(VodSettings(), upload_max_bytes=100, scratch_bytes=50), Usage(0, 1000)
    room_for(45, usage, settings)
    with pytest.raises(UploadTooLarge) as refused:
        room_for(46, usage, settings)
    assert refused.value.details == {"max_bytes": 45}
    assert form_reserves(None, usage, settings) == 45
