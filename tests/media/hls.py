"""A strict reader of media playlists: what RFC 8216bis demands and a forgiving player would not notice."""

import re
from dataclasses import dataclass, field
from datetime import datetime

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
SMALLEST_PART = 0.85  # of the target, unless it is the last of its segment


@dataclass
class Piece:
    """A segment or the beginning of one."""

    number: int
    header: str
    starts_at: datetime
    discontinuity: bool
    parts: list[tuple[float, str, bool]] = field(default_factory=list)
    duration: float | None = None
    uri: str = ""


@dataclass
class Playlist:
    """What the text says, once it was found to be right."""

    text: str
    target: int = 0
    part_target: float | None = None
    sequence: int = -1
    discontinuity_sequence: int = 0
    independent: bool = False
    control: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    hint: str | None = None
    ended: bool = False

    @property
    def segments(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.duration is not None]

    @property
    def newest(self) -> tuple[int, int]:
        last = self.pieces[-1]
        return last.number, len(last.parts) if last.duration is None else 1_000_000

    @property
    def discontinuities(self) -> int:
        """Number of the discontinuity the newest segment belongs to."""
        return self.discontinuity_sequence + sum(piece.discontinuity for piece in self.pieces)


def attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(text)}


def read_playlist(text: str) -> Playlist:
    """Parse and check; fails with an assertion that shows the text."""
    playlist = _parse(text)
    try:
        _check(playlist)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{text}") from failure
    return playlist


def _parse(text: str) -> Playlist:  # noqa: C901, PLR0912  # one branch for each tag
    lines = text.split("\n")
    assert lines[0] == "#EXTM3U"
    assert lines[-1] == ""
    playlist, header, discontinuity, waiting = Playlist(text), "", False, None
    current: Piece | None = None
    for line in lines[1:-1]:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-TARGETDURATION":
            playlist.target = int(value)
        elif tag == "#EXT-X-SERVER-CONTROL":
            playlist.control = attributes(value)
        elif tag == "#EXT-X-PART-INF":
            playlist.part_target = float(attributes(value)["PART-TARGET"])
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            playlist.sequence = int(value)
        elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
            playlist.discontinuity_sequence = int(value)
        elif tag == "#EXT-X-INDEPENDENT-SEGMENTS":
            playlist.independent = True
        elif tag == "#EXT-X-MAP":
            header = attributes(value)["URI"]
        elif tag == "#EXT-X-DISCONTINUITY":
            discontinuity = True
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            number = playlist.sequence + len(playlist.pieces)
            current = Piece(number, header, datetime.fromisoformat(value), discontinuity)
            playlist.pieces.append(current)
            discontinuity = False
        elif tag == "#EXT-X-PART":
            part = attributes(value)
            assert current is not None
            current.parts.append((float(part["DURATION"]), part["URI"], part.get("INDEPENDENT") == "YES"))
        elif tag == "#EXTINF":
            waiting = float(value.rstrip(","))
        elif tag == "#EXT-X-PRELOAD-HINT":
            playlist.hint = attributes(value)["URI"]
        elif tag == "#EXT-X-ENDLIST":
            playlist.ended = True
        elif not line.startswith("#"):
            assert current is not None
            assert waiting is not None, "a URI without EXTINF"
            current.duration, current.uri, waiting = waiting, line, None
        else:
            assert tag in {"#EXT-X-VERSION", "#EXT-X-RENDITION-REPORT"}, f"unknown tag {tag}"
    return playlist


def _check(playlist: Playlist) -> None:
    assert playlist.pieces, "no segments"
    assert playlist.sequence >= 0
    assert playlist.control["CAN-BLOCK-RELOAD"] == "YES"
    assert float(playlist.control["HOLD-BACK"]) >= 3 * playlist.target
    before: Piece | None = None
    for piece in playlist.pieces:
        assert piece.header, "no EXT-X-MAP"
        assert before is None or before.duration is not None, "only the last segment may be unfinished"
        assert before is None or piece.starts_at > before.starts_at, "program date time goes back"
        assert before is None or piece.discontinuity == (piece.header != before.header)
        before = piece
        if piece.duration is not None:
            assert piece.uri == f"source/{piece.number}.m4s"
            assert int(piece.duration + 0.5) <= playlist.target, "EXTINF above the target"
    if playlist.part_target is None:
        assert playlist.hint is None
        assert all(not piece.parts and piece.duration is not None for piece in playlist.pieces)
    else:
        _check_parts(playlist, playlist.part_target)


def _check_parts(playlist: Playlist, target: float) -> None:
    assert float(playlist.control["PART-HOLD-BACK"]) >= 3 * target - 0.001
    for piece in playlist.pieces:
        for index, (duration, uri, _) in enumerate(piece.parts):
            assert uri == f"source/{piece.number}.{index}.m4s"
            assert duration <= target, "a part above PART-TARGET"
        if piece.parts and playlist.independent:
            assert piece.parts[0][2], "a segment that cannot be decoded by itself"
        if piece.parts and piece.duration is not None:
            assert abs(sum(duration for duration, _, _ in piece.parts) - piece.duration) < 0.001
    behind = 0.0
    for piece in reversed(playlist.pieces):
        assert piece.parts or behind > 3 * playlist.target, "parts are missing near the end"
        behind += piece.duration or sum(duration for duration, _, _ in piece.parts)
    last = playlist.pieces[-1]
    number, index = (last.number, len(last.parts)) if last.duration is None else (last.number + 1, 0)
    assert playlist.hint == (None if playlist.ended else f"source/{number}.{index}.m4s")


def check_full_parts(playlist: Playlist) -> None:
    """Parts of a regular encoder: none but the last of a segment is shorter than 85 % of the target."""
    assert playlist.part_target is not None
    for piece in playlist.pieces:
        inner = piece.parts[:-1]
        assert all(duration >= SMALLEST_PART * playlist.part_target for duration, _, _ in inner), playlist.text


def check_continues(before: Playlist, after: Playlist) -> None:
    """What must hold between two readings of one playlist."""
    assert after.sequence >= before.sequence
    assert after.newest >= before.newest
    assert after.discontinuity_sequence >= before.discontinuity_sequence
    assert after.discontinuities >= before.discontinuities
    known = {piece.number: piece for piece in before.segments}
    for piece in after.segments:
        if piece.number in known:
            assert (piece.duration, piece.header) == (known[piece.number].duration, known[piece.number].header)
