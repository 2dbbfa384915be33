"""What MediaConvert left behind, read: which of its files is which of ours. Pure.

Its playlists are trusted for names and durations alone (RFC 8216, 4.3): names must stay inside the job's folder.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from media.vod.errors import TranscodeIncomplete
from media.vod.plan import AUDIO, Plan, Segment

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MAP = re.compile(r'#EXT-X-MAP:.*\bURI="([^"]*)"')
DURATION = re.compile(r"#EXTINF:([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A media playlist: its init section, and `(name, seconds)` of each segment."""

    init: str
    segments: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A file of the job's folder, where it goes below the build's, and the segment that it is (None: an init)."""

    name: str
    to: str
    segment: Segment | None


def playlists_of(plan: Plan) -> tuple[str, ...]:
    """The renditions whose playlists there must be."""
    names = tuple(rendition.name for rendition in plan.renditions)
    return (*names, AUDIO) if plan.audio is not None else names


def read_playlist(text: str) -> Listed:
    """Raises `TranscodeIncomplete` for what is no whole media playlist of separate files."""
    init, seconds, segments = "", 0.0, list[tuple[str, float]]()
    for line in map(str.strip, text.splitlines()):
        if found := MAP.match(line):
            init = found[1]
        elif found := DURATION.match(line):
            seconds = float(found[1])
        elif line and not line.startswith("#"):
            segments.append((line, seconds))
            seconds = 0.0
    names = [init, *(name for name, _ in segments)]
    odd = not all(NAME.fullmatch(name) for name in names) or any(length <= 0 for _, length in segments)
    if "#EXT-X-ENDLIST" not in text or "#EXT-X-BYTERANGE" in text or not segments or odd:
        raise TranscodeIncomplete(why="a playlist is not what was asked for")
    return Listed(init, tuple(segments))


def moves_of(rendition: str, listed: Listed, sizes: Mapping[str, int]) -> Iterator[Move]:
    """Every file of one rendition. Raises `TranscodeIncomplete` when one that is named is not there, or empty."""
    if missing := [name for name in (listed.init, *(n for n, _ in listed.segments)) if not sizes.get(name)]:
        raise TranscodeIncomplete(missing=missing[:5])
    yield Move(listed.init, f"{rendition}/init.mp4", None)
    for number, (name, seconds) in enumerate(listed.segments):
        segment = Segment(rendition=rendition, number=number, duration_seconds=seconds, size_bytes=sizes[name])
        yield Move(name, f"{rendition}/{number}.m4s", segment)


def pictures_of(names: Sequence[str], kind: str) -> list[str]:
    """The captures of one group, in their order (`poster.0000000.jpg`)."""
    return sorted(name for name in names if name.startswith(f"{kind}.") and name.endswith(".jpg"))
