"""The poster that a creator chose: from bytes a stranger sent to a JPEG we made.

Nothing of the file is passed on: it is decoded, made small, and its pixels are written anew.
"""

from io import BytesIO

from PIL import Image, ImageOps

from infra.logs import get_logger
from media.catalog.errors import PosterInvalid

LARGEST_BYTES = 10 << 20
MOST_PIXELS = 40_000_000  # 160 MB while it is decoded, of at most two at once
SMALLEST_SIDE = 64
SIZE = (1280, 720)
BACKGROUND = (0, 0, 0)
_FORMATS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}

log = get_logger(__name__)


def poster_of(data: bytes) -> bytes:
    """A JPEG of at most 1280 x 720; takes up to two seconds, so run it in a thread.

    Raises `PosterInvalid` with `details.reason`: `type`, `size`, `dimensions` or `broken`.
    """
    kind = next((name for name, magic in _FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        raise PosterInvalid(reason="type", allowed=["image/jpeg", "image/png", "image/webp"])
    if len(data) > LARGEST_BYTES:
        raise PosterInvalid(reason="size", max_bytes=LARGEST_BYTES)
    try:
        return _written_anew(data, kind)
    except PosterInvalid:
        raise
    except Image.DecompressionBombError as bomb:  # 179 million pixels or more, says the header
        raise _dimensions() from bomb
    except Exception as broken:  # decoders fail in ways of their own on hostile bytes, and none of them is ours
        log.info("poster.broken", kind=kind, why=type(broken).__name__)
        raise PosterInvalid(reason="broken") from broken


def _written_anew(data: bytes, kind: str) -> bytes:
    with Image.open(BytesIO(data), formats=[kind]) as image:
        if image.width * image.height > MOST_PIXELS or min(image.size) < SMALLEST_SIDE:  # from the header alone
            raise _dimensions()
        image.draft("RGB", SIZE)  # a JPEG is decoded at a fraction of its size
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail(SIZE)
        pixels = upright.convert("RGBA")
    flat = Image.new("RGB", pixels.size, BACKGROUND)
    flat.paste(pixels, mask=pixels.getchannel("A"))
    out = BytesIO()
    flat.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def _dimensions() -> PosterInvalid:
    return PosterInvalid(reason="dimensions", min_side=SMALLEST_SIDE, max_pixels=MOST_PIXELS)
