"""How pieces become one file: which belong together, where each lands, and what the wall clock was. Pure.

A stretch is pieces without a hole between them: one run of the packager, segment after segment. Within it all times of
the packager move by one amount for each track, so that picture and sound stay as they were to each other. The next
stretch begins where every track of the one before has ended; the encoder's absence is cut out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from media.catalog.model import Span
from media.recording.model import Piece, Track

MIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece, and by how many ticks the times of its tracks move."""

    piece: Piece
    shifts: Mapping[int, int]

    @property
    def begin(self) -> int:
        """Where its picture begins in the file, in ticks."""
        return self.piece.picture.begin + self.shifts[self.piece.picture.id]


@dataclass(slots=True)
class Stretch:
    """Pieces that follow each other."""

    pieces: list[Piece] = field(default_factory=list)

    @property
    def begins(self) -> dict[int, Track]:
        """Of each track, its first appearance."""
        found: dict[int, Track] = {}
        for piece in self.pieces:
            for track in piece.tracks:
                found.setdefault(track.id, track)
        return found

    @property
    def ends(self) -> dict[int, Track]:
        return {track.id: track for piece in self.pieces for track in piece.tracks}

    @property
    def picture_id(self) -> int:
        return self.pieces[0].picture.id


def usable(pieces: Sequence[Piece]) -> list[Piece]:
    """Those with a picture that lasts, without what another one has too (a piece that was stored twice)."""
    kept: list[Piece] = []
    for piece in pieces:
        is_again = bool(kept) and _same_run(kept[-1], piece) and piece.first_segment <= kept[-1].last_segment
        if piece.tracks and piece.duration_seconds > 0 and not is_again:
            kept.append(piece)
    return kept


def stretches(pieces: Sequence[Piece]) -> list[Stretch]:
    """In the order they were sent."""
    found: list[Stretch] = []
    for before, piece in pairwise([None, *pieces]):
        if piece is None:
            continue
        if before is None or not _follows(before, piece):
            found.append(Stretch())
        found[-1].pieces.append(piece)
    return found


def _same_run(before: Piece, piece: Piece) -> bool:
    return (before.connection, before.run) == (piece.connection, piece.run)


def _follows(before: Piece, piece: Piece) -> bool:
    return _same_run(before, piece) and piece.first_segment == before.last_segment + 1


def place(all_stretches: Sequence[Stretch]) -> list[Placed]:
    """Where each piece lands. All stretches have the same header."""
    ends: dict[int, float] = {}
    placed: list[Placed] = []
    for stretch in all_stretches:
        shifts = _shifts(stretch, ends)
        placed += [Placed(piece, shifts) for piece in stretch.pieces]
        for track in stretch.ends.values():
            ends[track.id] = (track.end + shifts[track.id]) / track.timescale
    return placed


def _shifts(stretch: Stretch, ends: Mapping[int, float]) -> dict[int, int]:
    """No track begins before it has ended in what is there, nor before the file does."""
    begins = stretch.begins
    zero = begins[stretch.picture_id].begin_seconds
    at = max(ends.get(track.id, 0.0) - (track.begin_seconds - zero) for track in begins.values())
    # Rounded up: a tick too late is a frame that stands a little longer, a tick too early is a time twice.
    return {track.id: -int(-(at - zero) * track.timescale // 1) for track in begins.values()}


def spans(placed: Sequence[Placed], all_stretches: Sequence[Stretch]) -> list[Span]:
    """Wall clock to position."""
    begins = {id(one.piece): one.begin / one.piece.picture.timescale for one in placed}
    return [span_of(stretch, begins[id(stretch.pieces[0])]) for stretch in all_stretches]


def span_of(stretch: Stretch, position_seconds: float) -> Span:
    first, last = stretch.pieces[0], stretch.pieces[-1]
    seconds = last.picture.end_seconds - first.picture.begin_seconds
    return Span(first.started_at, round(position_seconds, 3), round(seconds, 3))


def total_seconds(all_stretches: Sequence[Stretch]) -> float:
    return sum(span_of(stretch, 0.0).duration_seconds for stretch in all_stretches)
