"""What is in a stranger's file, asked of a confined child (`probing.py`), which alone opens it with a decoder."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

from infra.errors import FootlightError
from infra.settings import VodSettings
from media.vod.confine import FORMATS, MAX_PIXELS, MAX_STREAMS, Limits, run_confined
from media.vod.errors import (
    ChildFailed,
    ChildStalled,
    FormatRefused,
    MediaRefused,
    NoPicture,
    PictureTooLarge,
    ProbeFailed,
    TooLong,
    TooManyStreams,
    Truncated,
    Unreadable,
)
from media.vod.plan import Probed

REFUSALS: Mapping[str, type[MediaRefused]] = {
    str(kind.code): kind
    for kind in (FormatRefused, NoPicture, PictureTooLarge, TooLong, TooManyStreams, Truncated, Unreadable)
}
# Wider than what we take, so that what is a little too much (8K, fifty tracks) can be refused by its name.
OPTIONS = {
    "protocol_whitelist": "file", "format_whitelist": FORMATS, "max_streams": "1000",
    "max_pixels": str(MAX_PIXELS * 5), "probesize": "20000000",
}  # fmt: skip
MEMORY_BYTES = 3 << 30


class Said(msgspec.Struct):
    """What the child said."""

    probed: Probed | None = None
    refused: str | None = None


async def probe(source: Path, scratch: Path, *, settings: VodSettings, timeout_seconds: float = 60.0) -> Probed:
    """Examine a file; 0.2 s, most of it the start of an interpreter.

    Raises a `MediaRefused` when the file is guilty, `ProbeFailed` when it cannot be told who is. A file that ends the
    child, or keeps it busy beyond its limits, is guilty too: nothing else is in there.
    """
    asked = {
        "options": OPTIONS, "max_seconds": settings.max_duration_hours * 3600.0, "max_streams": MAX_STREAMS,
        "max_pixels": MAX_PIXELS,
    }  # fmt: skip
    lines: list[str] = []
    limits = Limits(
        wall_seconds=timeout_seconds, stall_seconds=timeout_seconds, cpu_seconds=int(timeout_seconds),
        memory_bytes=MEMORY_BYTES, file_bytes=1 << 20,
    )  # fmt: skip
    command = (sys.executable, "-P", "-m", "media.vod.probing", str(source), msgspec.json.encode(asked).decode())
    try:
        await run_confined(command, folder=scratch, limits=limits, on_line=lines.append)
        return _understood(lines)
    except ChildStalled as busy:
        raise Unreadable from busy
    except ChildFailed as failed:
        raise (Unreadable if failed.returncode < 0 or failed.returncode > 128 else ProbeFailed) from failed


def _understood(lines: list[str]) -> Probed:
    try:
        said = msgspec.json.decode(lines[-1], type=Said)
    except (msgspec.DecodeError, IndexError) as garbage:
        raise ProbeFailed from garbage
    if said.probed is None:
        raise cast(FootlightError, REFUSALS.get(said.refused or "", ProbeFailed)())
    return said.probed
