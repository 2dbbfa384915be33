"""Pieces of fragmented MP4 put where they belong on the time line of the whole video. Pure.

ffmpeg begins each run at a time of its own, and delays pictures by as many frames as it reorders. A player adds what
the pieces say (ISO/IEC 14496-12: `tfdt` plus the composition offset of a sample in `trun`), so the first picture of a
run is moved to its true moment and everything after it by as much. Edit lists, which players treat differently, are not
needed.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from media.errors import FragmentsBroken
from media.packaging.boxes import boxes_at, track_runs

MEDIA = (b"moof", b"mdat")
# A piece that begins so little before a cut belongs behind it: rounding, and packets of sound across the cut.
NEAR_SECONDS = 0.012
OFFSET_PRESENT = 0x800
ROW_FLAGS = (0x100, 0x200, 0x400, 0x800)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some frames of one track, at their place: `begin` and `ticks` in units of the timescale."""

    data: bytes
    begin: int
    ticks: int


class Retiming:
    """Moves the pieces of one run, in their order, so that the first picture is seen at `at_seconds`."""

    def __init__(self, timescale: int, at_seconds: float) -> None:
        self.timescale = timescale
        self._wanted = round(at_seconds * timescale)
        self._shift: int | None = None
        self._delay = 0

    def place(self, data: bytes) -> Piece:
        """Raises `FragmentsBroken`."""
        moved = bytearray(b"".join(media_boxes(data)))
        runs = track_runs(bytes(moved))
        if not runs:
            raise FragmentsBroken
        if self._shift is None:
            self._shift, self._delay = self._wanted - runs[0].begin, _first_offset(bytes(moved))
        for run in runs:
            moved[run.time_at : run.time_at + run.time_bytes] = struct.pack(
                ">Q" if run.time_bytes == 8 else ">I", (run.begin + self._shift) % (1 << 8 * run.time_bytes)
            )
        if self._delay:
            _move_offsets(moved, self._delay)
        return Piece(bytes(moved), runs[0].begin + self._shift, sum(run.ticks for run in runs))


def media_boxes(data: bytes) -> list[bytes]:
    """`moof` and `mdat`, without the index and the brand that ffmpeg puts before each piece."""
    kept, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise FragmentsBroken
        if kind in MEDIA:
            kept.append(data[at : at + size])
        at += size
    return kept


def segment_of(cuts: Sequence[float], seconds: float) -> int:
    """The segment that what begins at this moment belongs to."""
    return max(0, bisect_right(cuts, seconds + NEAR_SECONDS) - 1)


def _first_offset(data: bytes) -> int:
    """By how many ticks the first sample is shown after it is decoded."""
    for start, _ in boxes_at(data, b"moof", b"traf", b"trun"):
        (version_flags, rows_at, row) = _rows(data, start)
        if not version_flags & OFFSET_PRESENT:
            return 0
        (offset,) = struct.unpack_from(">i", data, rows_at + row - 4)
        return int(offset)
    return 0


def _move_offsets(data: bytearray, delay: int) -> None:
    for start, _ in boxes_at(bytes(data), b"moof", b"traf", b"trun"):
        flags, rows_at, row = _rows(data, start)
        if not flags & OFFSET_PRESENT:
            continue
        data[start] = 1  # offsets are signed from version 1 on
        (count,) = struct.unpack_from(">I", data, start + 4)
        for number in range(count):
            at = rows_at + number * row + row - 4  # the offset is the last of a row
            (offset,) = struct.unpack_from(">i", data, at)
            struct.pack_into(">i", data, at, offset - delay)


def _rows(data: bytes | bytearray, start: int) -> tuple[int, int, int]:
    """Flags of a `trun`, where its rows begin, and how long one is."""
    (flags,) = struct.unpack_from(">I", data, start)
    at = start + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    return flags & 0xFFFFFF, at, 4 * sum(1 for bit in ROW_FLAGS if flags & bit)
