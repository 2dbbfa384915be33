"""What may become the picture of an emote, and that nothing of the file that was sent is left in it."""

import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from realtime.emote_pictures import LARGEST_BYTES, MOST_FRAMES, picture_of
from realtime.moderation.errors import EmoteInvalid
from tests.realtime.pictures import claiming, drawn, with_text

KINDS = ("PNG", "GIF", "WEBP")


def reason(data: bytes) -> str:
    with pytest.raises(EmoteInvalid) as refused:
        picture_of(data)
    return str(refused.value.details["reason"])


def noise(side: int) -> bytes:
    """Pixels that do not compress."""
    seed = b"".join(zlib.crc32(number.to_bytes(4)).to_bytes(4) for number in range(side * side))
    out = BytesIO()
    Image.frombytes("RGBA", (side, side), seed).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [1, 5, MOST_FRAMES])
def test_a_picture_keeps_its_kind_size_and_frames(kind: str, frames: int) -> None:
    picture = picture_of(drawn(kind, (56, 48), frames))
    assert (picture.content_type, picture.width, picture.height) == (f"image/{kind.lower()}", 56, 48)
    with Image.open(BytesIO(picture.data)) as image:
        assert (image.format, image.size, getattr(image, "n_frames", 1)) == (kind, (56, 48), frames)
        assert image.convert("RGBA").getpixel((2, 2)) == pytest.approx((0xE5, 0x38, 0x3B, 255), abs=12)
        assert image.convert("RGBA").getpixel((50, 40))[3] == 0  # type: ignore[index]  # a pixel of RGBA is four numbers


@pytest.mark.parametrize("side", [28, 512])
def test_the_smallest_and_the_largest_are_taken(side: int) -> None:
    assert picture_of(drawn("PNG", (side, side))).width == side


@pytest.mark.parametrize("size", [(27, 28), (28, 27), (513, 512), (512, 513), (90, 28), (28, 43)])
def test_other_sizes_are_refused(size: tuple[int, int]) -> None:
    assert reason(drawn("PNG", size)) == "dimensions"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x89PNG", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', b"<html>", b"BM",
        b"\xff\xd8\xff\xe0 a photo", b"%PDF-1.7", b"II*\0", b"  GIF89a",
    ],
)  # fmt: skip
def test_other_kinds_are_refused_whatever_they_call_themselves(data: bytes) -> None:
    assert reason(data) == "type"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_is_refused(kind: str) -> None:
    whole = drawn(kind, (200, 200), 3)
    assert reason(whole[: len(whole) // 2]) == "broken"


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"])
def test_a_head_without_a_body_is_refused(head: bytes) -> None:
    assert reason(head + b"<script>alert(1)</script>" * 10) == "broken"


@pytest.mark.parametrize("side", [513, 5_000, 12_000, 65_535, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    assert reason(claiming(side, side)) in {"dimensions", "broken"}


@pytest.mark.parametrize("kind", KINDS)
def test_more_frames_than_allowed_are_refused(kind: str) -> None:
    assert reason(drawn(kind, (28, 28), MOST_FRAMES + 1)) == "frames"


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_thousand_frames_are_refused(kind: str) -> None:
    assert reason(drawn(kind, (28, 28), 1000)) == "frames"


def test_too_large_a_file_is_refused() -> None:
    assert reason(drawn("PNG") + bytes(LARGEST_BYTES)) == "size"
    assert reason(noise(300)) == "size"


def test_nothing_but_the_pixels_is_kept() -> None:
    hidden = b"<script>alert(1)</script>"
    for sent in (
        drawn("PNG") + hidden,
        with_text(drawn("PNG"), hidden),
        drawn("GIF", comment=hidden),
        drawn("WEBP", exif=b"Exif\0\0" + hidden),
        drawn("PNG", icc_profile=hidden),
        drawn("GIF", frames=3, comment=hidden) + hidden,
    ):
        assert hidden in sent or zlib.compress(hidden)[2:8] in sent
        picture = picture_of(sent)
        assert hidden not in picture.data
        with Image.open(BytesIO(picture.data)) as image:
            assert not {"comment", "Comment", "exif", "icc_profile"} & image.info.keys()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8))
def test_damaged_files_are_pictures_or_refusals(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(DAMAGED[kind])
    for place, value in changes:
        data[place % len(data)] = value
    try:
        picture = picture_of(bytes(data))
    except EmoteInvalid:
        return
    assert 28 <= picture.width <= 512
    assert len(picture.data) <= LARGEST_BYTES


DAMAGED = {kind: drawn(kind, (40, 40), 3) for kind in KINDS}
