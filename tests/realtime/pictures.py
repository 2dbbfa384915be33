"""Pictures to upload: real ones of every kind, made on the spot."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

COLORS = ("#e5383b", "#2b9348", "#3a6ff7", "#f2d024")


def drawn(kind: str, size: tuple[int, int] = (56, 56), frames: int = 1, **options: Any) -> bytes:
    """A file of a kind (`PNG`, `GIF`, `WEBP`): a square of colour that wanders from frame to frame."""
    images = []
    for number in range(frames):
        image = Image.new("RGBA", size, (0, 0, 0, 0))
        side = max(2, min(size) // 3)
        left = number % max(1, size[0] - side)
        image.paste(COLORS[number % len(COLORS)], (left, 0, left + side, side))
        images.append(image)
    out = BytesIO()
    moving = {"save_all": True, "append_images": images[1:], "duration": 50, "loop": 0} if frames > 1 else {}
    images[0].save(out, kind, **moving, **options)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header says it is this large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0" * 64)) + _chunk(b"IEND")


def with_text(png: bytes, text: bytes) -> bytes:
    """The PNG with a comment chunk behind its header, as cameras and editors put it there."""
    after_header = 8 + 25
    return png[:after_header] + _chunk(b"tEXt", b"Comment\0" + text) + png[after_header:]


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
