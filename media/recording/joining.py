"""Bytes of one file out of pieces: a header that knows how long it is, and fragments whose times are moved. Nothing is
encoded. Pure.

There is no index: ffmpeg goes anywhere by the fragments themselves (to the end of half an hour in 60 ms, measured), and
with a `sidx` that names pieces of several fragments it finds nothing behind the first. ISO/IEC 14496-12: `mvhd` 8.2.2,
`mfhd` 8.8.5, `tfdt` 8.8.12.
"""

import struct
from collections.abc import Iterator

from media.errors import FragmentsBroken
from media.packaging.boxes import track_runs
from media.recording.plan import Placed


def with_duration(header: bytes, seconds: float) -> bytes:
    """The header, saying how long the file is: nobody has to read it to its end to know. Raises `FragmentsBroken`."""
    at = header.find(b"mvhd")
    if at < 0 or header[at + 4] != 0:  # version 0 is what ffmpeg writes below 2^32 units
        raise FragmentsBroken
    (timescale,) = struct.unpack_from(">I", header, at + 16)
    duration = min(int(seconds * timescale), 0xFFFFFFFF - 1)
    return header[: at + 20] + struct.pack(">I", duration) + header[at + 24 :]


def moved(data: bytes, placed: Placed, sequence: int) -> tuple[bytes, int]:
    """The piece with its new times, its fragments numbered from `sequence` on; and the number that follows.

    Raises `FragmentsBroken`.
    """
    out = bytearray(data)
    for run in track_runs(data):
        time = run.begin + placed.shifts[run.track_id]
        if time < 0 or (run.time_bytes == 4 and time > 0xFFFFFFFF):
            raise FragmentsBroken
        out[run.time_at : run.time_at + run.time_bytes] = time.to_bytes(run.time_bytes, "big")
    for at in _numbers(data):
        struct.pack_into(">I", out, at, sequence)
        sequence += 1
    return bytes(out), sequence


def _numbers(data: bytes) -> Iterator[int]:
    """Where each fragment's number stands: `moof` begins with its `mfhd`."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            raise FragmentsBroken
        if kind == b"moof":
            if data[at + 12 : at + 16] != b"mfhd":
                raise FragmentsBroken
            yield at + 20
        at += size
