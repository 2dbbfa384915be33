"""Fragmented MP4 as ffmpeg writes it: a byte stream cut into its header and its fragments. Pure and bounded.

ISO/IEC 14496-12. Only what a playlist needs is read: durations, whether a fragment can be decoded by itself, the codecs
and the size of the picture.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.errors import FragmentsBroken

MAX_BOX_BYTES = 32 << 20
MAX_HEADER_BYTES = 1 << 20
MAX_SAMPLES = 50_000  # in one fragment
NOT_SYNC = 0x10000
AUDIO_OBJECT_TYPE_AAC_LC = 2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Header:
    """The initialisation segment."""

    data: bytes
    codecs: str  # RFC 6381
    width: int
    height: int
    video_track: int
    timescale: int  # of the video track


@dataclass(frozen=True, slots=True)
class Fragment:
    """Some frames. Times are those of the video track."""

    data: bytes
    start_seconds: float
    duration_seconds: float
    independent: bool
    samples: int


class FragmentReader:
    """`feed` bytes as they come; take headers and fragments."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kept = bytearray()  # boxes that belong to the next header or fragment
        self._header: Header | None = None

    def feed(self, data: bytes) -> Iterator[Header | Fragment]:
        """Everything that is complete now. Raises `FragmentsBroken`; the reader is of no use afterwards."""
        self._buffer += data
        while (box := self._next_box()) is not None:
            kind = box[4:8]
            self._kept += box
            if kind == b"moov":
                self._header = parse_header(self._take_kept(MAX_HEADER_BYTES))
                yield self._header
            elif kind == b"mdat":
                if self._header is None:
                    raise FragmentsBroken
                yield parse_fragment(self._take_kept(2 * MAX_BOX_BYTES), self._header)
            elif len(self._kept) > MAX_HEADER_BYTES:
                raise FragmentsBroken

    def _next_box(self) -> bytes | None:
        if len(self._buffer) < 8:
            return None
        (size,) = struct.unpack_from(">I", self._buffer)
        if not 8 <= size <= MAX_BOX_BYTES:
            raise FragmentsBroken
        if len(self._buffer) < size:
            return None
        box = bytes(self._buffer[:size])
        del self._buffer[:size]
        return box

    def _take_kept(self, limit: int) -> bytes:
        kept = bytes(self._kept)
        self._kept.clear()
        if len(kept) > limit:
            raise FragmentsBroken
        return kept


def parse_header(data: bytes) -> Header:
    """Read `ftyp` + `moov`. Raises `FragmentsBroken`, also when there is no H.264 video."""
    try:
        return _parse_header(data)
    except (struct.error, IndexError) as cut:
        raise FragmentsBroken from cut


def _parse_header(data: bytes) -> Header:
    codecs: list[str] = []
    video = None
    for track in _inside(data, (0, len(data)), b"moov", b"trak"):
        (description,) = _only(data, track, b"mdia", b"minf", b"stbl", b"stsd")
        for kind, start, end in _boxes(data, description[0] + 8, description[1]):
            if kind == b"avc1":
                video = (*_track_clock(data, track), *struct.unpack_from(">HH", data, start + 24))
                codecs.insert(0, _avc_codec(data, start + 78, end))
            elif kind == b"mp4a":
                codecs.append(_aac_codec(data, start + 28, end))
    if video is None:
        raise FragmentsBroken
    track_id, timescale, width, height = video
    return Header(data, ",".join(codecs), width, height, track_id, timescale)


def _track_clock(data: bytes, track: Span) -> tuple[int, int]:
    """Its id and its timescale."""
    ((name, _),) = _only(data, track, b"tkhd")
    ((media, _),) = _only(data, track, b"mdia", b"mdhd")
    (track_id,) = struct.unpack_from(">I", data, name + (20 if data[name] else 12))
    (timescale,) = struct.unpack_from(">I", data, media + (20 if data[media] else 12))
    if timescale == 0:
        raise FragmentsBroken
    return track_id, timescale


def _avc_codec(data: bytes, start: int, end: int) -> str:
    ((config, config_end),) = _only(data, (start, end), b"avcC")
    if config_end - config < 4:
        raise FragmentsBroken
    return "avc1." + data[config + 1 : config + 4].hex()


def _aac_codec(data: bytes, start: int, end: int) -> str:
    """`mp4a.40.` and the audio object type, out of the decoder specific info (tag 5) of the `esds`."""
    object_type = AUDIO_OBJECT_TYPE_AAC_LC
    for config, config_end in _inside(data, (start, end), b"esds"):
        at = data.find(b"\x05\x80\x80\x80", config, config_end)  # ffmpeg writes every length in four bytes
        if at >= 0 and at + 5 < config_end:
            object_type = data[at + 5] >> 3 or object_type
    return f"mp4a.40.{object_type}"


def parse_fragment(data: bytes, header: Header) -> Fragment:
    """Read `moof` + `mdat`. Raises `FragmentsBroken`."""
    try:
        return _parse_fragment(data, header)
    except (struct.error, IndexError) as cut:
        raise FragmentsBroken from cut


def _parse_fragment(data: bytes, header: Header) -> Fragment:
    for track in _inside(data, (0, len(data)), b"moof", b"traf"):
        ((start, _),) = _only(data, track, b"tfhd")
        flags, track_id = struct.unpack_from(">II", data, start)
        if track_id != header.video_track:
            continue
        ((time, _),) = _only(data, track, b"tfdt")
        (begins,) = struct.unpack_from(">Q" if data[time] else ">I", data, time + 4)
        defaults = _defaults(data, start + 8, flags & 0xFFFFFF)
        runs = [_run(data, run, defaults) for run, _ in _inside(data, track, b"trun")]
        if not runs:
            break
        ticks, samples = sum(run[0] for run in runs), sum(run[1] for run in runs)
        return Fragment(data, begins / header.timescale, ticks / header.timescale, runs[0][2], samples)
    # Sound without a picture: it belongs to the part before or after, and has no length of its own.
    return Fragment(data, 0.0, 0.0, independent=False, samples=0)


@dataclass(frozen=True, slots=True)
class TrackRun:
    """What one `traf` says: where its track goes on, how long it is, and where in the fragment the time stands."""

    track_id: int
    begin: int  # ticks
    ticks: int
    time_at: int  # offset of the time's bytes
    time_bytes: int  # 4 or 8


def track_runs(data: bytes) -> list[TrackRun]:
    """Of every track in some whole fragments, in their order. Raises `FragmentsBroken`."""
    try:
        return [_track_run(data, track) for track in _inside(data, (0, len(data)), b"moof", b"traf")]
    except (struct.error, IndexError) as cut:
        raise FragmentsBroken from cut


def _track_run(data: bytes, track: Span) -> TrackRun:
    ((start, _),) = _only(data, track, b"tfhd")
    flags, track_id = struct.unpack_from(">II", data, start)
    ((time, _),) = _only(data, track, b"tfdt")
    (begin,) = struct.unpack_from(">Q" if data[time] else ">I", data, time + 4)
    defaults = _defaults(data, start + 8, flags & 0xFFFFFF)
    ticks = sum(_run(data, run, defaults)[0] for run, _ in _inside(data, track, b"trun"))
    return TrackRun(track_id, begin, ticks, time + 4, 8 if data[time] else 4)


def timescales(header: bytes) -> dict[int, int]:
    """Ticks a second of every track in a header, the picture's first. Raises `FragmentsBroken`."""
    picture = parse_header(header)
    found = {picture.video_track: picture.timescale}
    for track in _inside(header, (0, len(header)), b"moov", b"trak"):
        track_id, timescale = _track_clock(header, track)
        found.setdefault(track_id, timescale)
    return found


def boxes_at(data: bytes, *path: bytes) -> list[Span]:
    """Where the content of every box at this path begins and ends. Raises `FragmentsBroken`."""
    try:
        return list(_inside(data, (0, len(data)), *path))
    except (struct.error, IndexError) as cut:
        raise FragmentsBroken from cut


def _defaults(data: bytes, at: int, flags: int) -> tuple[int, int]:
    """Duration and flags of samples that do not say their own."""
    at += (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    duration = sample_flags = 0
    if flags & 8:
        (duration,) = struct.unpack_from(">I", data, at)
        at += 4
    at += 4 if flags & 16 else 0
    if flags & 32:
        (sample_flags,) = struct.unpack_from(">I", data, at)
    return duration, sample_flags


def _run(data: bytes, at: int, defaults: tuple[int, int]) -> tuple[int, int, bool]:
    """Ticks and samples of one run, and whether its first sample is a keyframe."""
    flags, count = struct.unpack_from(">II", data, at)
    flags &= 0xFFFFFF
    if count > MAX_SAMPLES:
        raise FragmentsBroken
    at += 12 if flags & 1 else 8
    duration, first_flags = defaults
    if flags & 4:
        (first_flags,) = struct.unpack_from(">I", data, at)
        at += 4
    present = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    row = struct.Struct(">" + "I" * len(present))
    rows = [row.unpack_from(data, at + number * row.size) for number in range(count)] if present else []
    if 0x400 in present and rows and not flags & 4:
        first_flags = rows[0][present.index(0x400)]
    ticks = sum(found[0] for found in rows) if 0x100 in present else duration * count
    return ticks, count, count > 0 and not first_flags & NOT_SYNC


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and where the content begins and ends."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            raise FragmentsBroken
        yield kind, start + 8, start + size
        start += size


def _inside(data: bytes, span: Span, first: bytes, *deeper: bytes) -> Iterator[Span]:
    """All boxes at this path."""
    for kind, start, end in _boxes(data, *span):
        if kind == first:
            if deeper:
                yield from _inside(data, (start, end), *deeper)
            else:
                yield start, end


def _only(data: bytes, span: Span, *path: bytes) -> list[Span]:
    """The first box at this path, as a list of one. Raises `FragmentsBroken` when there is none."""
    found = next(_inside(data, span, *path), None)
    if found is None:
        raise FragmentsBroken
    return [found]
