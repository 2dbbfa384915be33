"""HLS playlists as text. Pure: what the packager holds goes in, RFC 8216bis comes out.

https://datatracker.ietf.org/doc/html/draft-pantos-hls-rfc8216bis; the low-latency tags are in its sections 4.4.3.7 to
4.4.5 and appendix B.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

VERSION = 9
PARTS_LISTED_TARGETS = 3  # parts stand in the playlist for three target durations, then only their segments
RENDITION = "source"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a segment that players may fetch before the segment is whole."""

    duration_seconds: float
    independent: bool
    data: bytes


@dataclass(slots=True)
class Segment:
    """`header` numbers the initialisation segment it needs; `starts_at` is the wall clock of its first frame."""

    number: int
    header: int
    starts_at: float
    discontinuity: bool = False
    complete: bool = False
    frames: int = 0
    parts: list[Part] = field(default_factory=list)

    @property
    def duration_seconds(self) -> float:
        return sum(part.duration_seconds for part in self.parts)

    @property
    def size(self) -> int:
        return sum(len(part.data) for part in self.parts)

    @property
    def independent(self) -> bool:
        return bool(self.parts) and self.parts[0].independent


@dataclass(frozen=True, slots=True)
class Report:
    """How far another rendition of the same stream has come."""

    uri: str
    last_number: int
    last_part: int


@dataclass(frozen=True, slots=True)
class Window:
    """What one media playlist says. `part_target_seconds` is None for standard latency."""

    segments: Sequence[Segment]
    target_seconds: int
    part_target_seconds: float | None
    discontinuity_sequence: int
    ended: bool
    others: Sequence[Report] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """What the multivariant playlist says about the one rendition."""

    bits_per_second: int
    average_bits_per_second: int
    codecs: str
    width: int
    height: int
    frames_per_second: float


def multivariant(variant: Variant) -> str:
    """The playlist a player opens first."""
    attributes = [
        f"BANDWIDTH={variant.bits_per_second}",
        f"AVERAGE-BANDWIDTH={variant.average_bits_per_second}",
        f'CODECS="{variant.codecs}"',
        f"RESOLUTION={variant.width}x{variant.height}",
        f"FRAME-RATE={variant.frames_per_second:.3f}",
    ]
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    return _text([*lines, "#EXT-X-STREAM-INF:" + ",".join(attributes), f"{RENDITION}.m3u8"])


def media_playlist(window: Window) -> str:
    """The playlist of a rendition. Needs at least one segment."""
    lines = [*_head(window)]
    before: Segment | None = None
    with_parts = _first_with_parts(window)
    for index, segment in enumerate(window.segments):
        if segment.complete or window.part_target_seconds is not None:
            lines += _segment(segment, before, with_parts=index >= with_parts)
            before = segment
    if window.ended:
        lines.append("#EXT-X-ENDLIST")
    elif window.part_target_seconds is not None:
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_uri(*next_part(window.segments[-1]))}"')
        lines += [
            f'#EXT-X-RENDITION-REPORT:URI="{other.uri}",LAST-MSN={other.last_number},LAST-PART={other.last_part}'
            for other in window.others
        ]
    return _text(lines)


def next_part(last: Segment) -> tuple[int, int]:
    """Segment and index of the part that comes after everything there is."""
    return (last.number + 1, 0) if last.complete else (last.number, len(last.parts))


def part_uri(number: int, index: int) -> str:
    return f"{RENDITION}/{number}.{index}.m4s"


def header_uri(number: int) -> str:
    return f"{RENDITION}/init-{number}.mp4"


def _head(window: Window) -> Iterator[str]:
    yield "#EXTM3U"
    yield f"#EXT-X-VERSION:{VERSION}"
    yield f"#EXT-X-TARGETDURATION:{window.target_seconds}"
    control = f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK={3 * window.target_seconds:.1f}"
    if window.part_target_seconds is not None:
        yield f"{control},PART-HOLD-BACK={3 * window.part_target_seconds:.3f}"
        yield f"#EXT-X-PART-INF:PART-TARGET={window.part_target_seconds:.3f}"
    else:
        yield control
    yield f"#EXT-X-MEDIA-SEQUENCE:{window.segments[0].number}"
    yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{window.discontinuity_sequence}"
    if all(segment.independent for segment in window.segments):
        yield "#EXT-X-INDEPENDENT-SEGMENTS"


def _segment(segment: Segment, before: Segment | None, *, with_parts: bool) -> Iterator[str]:
    if segment.discontinuity:
        yield "#EXT-X-DISCONTINUITY"
    if before is None or before.header != segment.header:
        yield f'#EXT-X-MAP:URI="{header_uri(segment.header)}"'
    yield "#EXT-X-PROGRAM-DATE-TIME:" + _date(segment.starts_at)
    if with_parts:
        for index, part in enumerate(segment.parts):
            independent = ",INDEPENDENT=YES" if part.independent else ""
            uri = part_uri(segment.number, index)
            yield f'#EXT-X-PART:DURATION={part.duration_seconds:.5f},URI="{uri}"{independent}'
    if segment.complete:
        yield f"#EXTINF:{segment.duration_seconds:.5f},"
        yield f"{RENDITION}/{segment.number}.m4s"


def _first_with_parts(window: Window) -> int:
    """Index of the first segment whose parts are listed; past the end in standard latency."""
    if window.part_target_seconds is None:
        return len(window.segments)
    behind = 0.0
    for index in range(len(window.segments) - 1, -1, -1):
        if behind > PARTS_LISTED_TARGETS * window.target_seconds:
            return index + 1
        behind += window.segments[index].duration_seconds
    return 0


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
