"""What a recording is made of, and how its pieces are called in the object store."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

PREFIX = "recordings"


class Track(NamedTuple):
    """Where one track of a piece begins and ends, in ticks of its own timescale."""

    id: int
    timescale: int
    begin: int
    end: int

    @property
    def begin_seconds(self) -> float:
        return self.begin / self.timescale

    @property
    def end_seconds(self) -> float:
        return self.end / self.timescale


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some whole segments that follow each other, of one run of the packager. `started_at`: wall clock of the first
    sample; the picture's track stands first in `tracks`."""

    stream_id: str
    connection: int
    run: int
    first_segment: int
    last_segment: int
    size_bytes: int
    started_at: datetime
    tracks: tuple[Track, ...]

    @property
    def picture(self) -> Track:
        return self.tracks[0]

    @property
    def duration_seconds(self) -> float:
        return self.picture.end_seconds - self.picture.begin_seconds

    @property
    def key(self) -> str:
        return f"{folder_of(self.stream_id, self.connection)}/{self.run}-{self.first_segment}.m4s"

    @property
    def header_key(self) -> str:
        return header_key(self.stream_id, self.connection, self.run)


def folder_of(stream_id: str, connection: int) -> str:
    return f"{PREFIX}/{stream_id}/{connection}"


def header_key(stream_id: str, connection: int, run: int) -> str:
    return f"{folder_of(stream_id, connection)}/{run}-init.mp4"
