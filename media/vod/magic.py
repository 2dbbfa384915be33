"""What a file is, by how it begins. Pure.

The first door only: it keeps pictures, archives, playlists and pages out without running anything on them. Whether the
rest of the file is a video, the probe says, in a child that may do nothing (`probe.py`).
"""

from typing import Literal

Container = Literal["mp4", "matroska", "avi", "mpegts", "mpegps", "flv"]

HEAD_BYTES = 4096  # enough of a file for `container_of`

# First boxes of QuickTime files from before `ftyp`.
OLD_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
# Major brands of the same family that are still pictures: HEIF, AVIF, JPEG 2000, Canon's raw files.
PICTURES = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"avif", b"avis", b"miaf"}
    | {b"jp2 ", b"jpx ", b"jpm ", b"mjp2", b"crx "}
)
# Length of a packet and where its sync byte is: plain, on Blu-ray and AVCHD (behind a time), with error correction.
TS_PACKETS = ((188, 0), (192, 4), (204, 0))
TS_SYNC = 0x47
TS_SEEN = 5  # packets in a row; one in 2^40 random files has them


def container_of(head: bytes, size_bytes: int) -> Container | None:
    """The container that these first bytes (`HEAD_BYTES`, or all there are) of a file of this size belong to."""
    checks: tuple[tuple[Container, bool], ...] = (
        ("mp4", _is_iso(head, size_bytes)),
        ("matroska", _is_matroska(head)),
        ("avi", head[:4] == b"RIFF" and head[8:12] == b"AVI "),
        ("mpegps", head[:4] == b"\x00\x00\x01\xba"),
        ("flv", head[:4] == b"FLV\x01" and not head[4:5].strip(b"\x01\x04\x05") and head[5:9] == b"\x00\x00\x00\x09"),
        ("mpegts", any(_is_ts(head, length, at) for length, at in TS_PACKETS)),
    )
    return next((container for container, fits in checks if fits), None)


def _is_iso(head: bytes, size_bytes: int) -> bool:
    """MP4, MOV, 3GP: boxes of `length, name, content`; a length of 1 means a longer one follows, 0 to the end."""
    length, name = int.from_bytes(head[:4], "big"), head[4:8]
    if name == b"ftyp":
        return 16 <= length <= min(HEAD_BYTES, size_bytes) and head[8:12] not in PICTURES
    return name in OLD_BOXES and (length in (0, 1) or 8 <= length <= size_bytes)


def _is_matroska(head: bytes) -> bool:
    """EBML whose document type (element 0x4282) is one of two."""
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return False
    return any(b"\x42\x82" + bytes([0x80 | len(kind)]) + kind in head[:256] for kind in (b"matroska", b"webm"))


def _is_ts(head: bytes, length: int, at: int) -> bool:
    syncs = head[at : at + length * TS_SEEN : length]
    return len(syncs) == TS_SEEN and not syncs.strip(bytes([TS_SYNC]))
