"""The picture of an emote: from bytes a stranger sent to bytes we made.

Nothing of the file is passed on: it is decoded, and its pixels are written anew. So what is served has no metadata, no
second file hidden inside, and no surprise for a browser's decoder.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Literal

from msgspec import Struct
from PIL import Image

from infra.logs import get_logger
from realtime.moderation.errors import EmoteInvalid

LARGEST_BYTES = 262_144
SMALLEST_SIDE, LARGEST_SIDE = 28, 512
LONGEST_TO_SHORTEST = 1.5
MOST_FRAMES = 60  # 512 x 512 x 4 bytes of each are held while they are written anew: 63 MB
SHORTEST_FRAME_MS, LONGEST_FRAME_MS = 20, 10_000  # browsers make less than 20 ms ten times as long

PictureType = Literal["image/png", "image/gif", "image/webp"]
_FORMATS = {"PNG": b"\x89PNG\r\n\x1a\n", "GIF": b"GIF8", "WEBP": b"RIFF"}
_TYPES: dict[str, PictureType] = {"PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}

STILL: Mapping[str, dict[str, Any]] = {
    "PNG": {"optimize": True},
    "GIF": {},
    "WEBP": {"lossless": True, "method": 4},
}
MOVING: Mapping[str, dict[str, Any]] = {
    "PNG": {"disposal": 0},
    "GIF": {"disposal": 2},
    "WEBP": {"quality": 85, "method": 2},
}

log = get_logger(__name__)


class Picture(Struct, frozen=True, kw_only=True):
    """What is kept and served; `width` and `height` in pixels."""

    data: bytes
    content_type: PictureType
    width: int
    height: int


def picture_of(data: bytes) -> Picture:
    """Decode a PNG, GIF or WebP file and write it anew; takes up to a second, so run it in a thread.

    Raises `EmoteInvalid` with `details.reason`: `type`, `size`, `dimensions`, `frames` or `broken`.
    """
    kind = next((name for name, magic in _FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        raise EmoteInvalid(reason="type", allowed=sorted(_TYPES.values()))
    if len(data) > LARGEST_BYTES:
        raise EmoteInvalid(reason="size", max_bytes=LARGEST_BYTES)
    try:
        picture = _written_anew(data, kind)
    except EmoteInvalid:
        raise
    except Exception as broken:  # decoders fail in ways of their own on hostile bytes, and none of them is ours
        log.info("emote.broken", kind=kind, why=type(broken).__name__)
        raise EmoteInvalid(reason="broken") from broken
    if len(picture.data) > LARGEST_BYTES:
        raise EmoteInvalid(reason="size", max_bytes=LARGEST_BYTES)
    return picture


def _written_anew(data: bytes, kind: str) -> Picture:
    with Image.open(BytesIO(data), formats=[kind]) as image:
        _check_dimensions(image.width, image.height)  # known from the header: nothing is decoded yet
        frames, durations_ms = _frames(image)
    out = BytesIO()
    if len(frames) == 1:
        frames[0].save(out, kind, **STILL[kind])
    else:
        frames[0].save(
            out, kind, save_all=True, append_images=frames[1:], duration=durations_ms, loop=0, **MOVING[kind]
        )
    width, height = frames[0].size
    return Picture(data=out.getvalue(), content_type=_TYPES[kind], width=width, height=height)


def _check_dimensions(width: int, height: int) -> None:
    shorter, longer = sorted((width, height))
    if shorter < SMALLEST_SIDE or longer > LARGEST_SIDE or longer > shorter * LONGEST_TO_SHORTEST:
        raise EmoteInvalid(reason="dimensions", min=SMALLEST_SIDE, max=LARGEST_SIDE, ratio=LONGEST_TO_SHORTEST)


def _frames(image: Image.Image) -> tuple[list[Image.Image], list[int]]:
    """All frames as bare pixels, and how long each is shown."""
    frames: list[Image.Image] = []
    durations_ms: list[int] = []
    while True:
        if len(frames) == MOST_FRAMES:
            raise EmoteInvalid(reason="frames", max=MOST_FRAMES)
        pixels = image.convert("RGBA")
        _check_dimensions(pixels.width, pixels.height)  # each frame of some formats has its own
        frames.append(Image.frombytes("RGBA", pixels.size, pixels.tobytes()))
        shown_ms = int(image.info.get("duration") or 100)
        durations_ms.append(min(max(shown_ms, SHORTEST_FRAME_MS), LONGEST_FRAME_MS))
        try:
            image.seek(len(frames))
        except EOFError:
            return frames, durations_ms
