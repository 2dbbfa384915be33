"""What media's own parts need from each other, as small protocols filled in where the program is wired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from media.packaging.boxes import Header
from media.packaging.playlist import Segment


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a stream key let in."""

    stream_id: str
    playback_id: str
    latency: Literal["low", "standard"]
    created_at: datetime
    connection: int
    record: bool = True


class HealthWarning(msgspec.Struct, frozen=True):
    """Something the creator should change in the encoder."""

    code: str
    message: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How an encoder does, as the live process sees it."""

    bitrate_kbps: float
    fps: float
    keyframe_interval_seconds: float
    width: int
    height: int
    video_codec: str
    audio_codec: str
    drift_ms: float
    connected_at: datetime
    playable: bool
    warnings: list[HealthWarning]


class IngestDesk(Protocol):
    """Where the ingest asks whom to let in, and tells what becomes of them."""

    async def admit(self, key: str) -> Admission:
        """Raises `KeyRefused` or `StreamIsOver`; changes nothing."""
        ...

    async def connected(self, stream_id: str) -> int:
        """Created or interrupted becomes live; returns the number of this connection."""
        ...

    async def dropped(self, stream_id: str, reason: str, connection: int) -> None:
        """Live becomes interrupted, unless an encoder came after this connection."""
        ...

    async def unwanted(self, publishers: Mapping[str, str]) -> set[str]:
        """Of `{stream_id: key}` those whose stream ended or whose key was replaced."""
        ...

    async def recorded(self, stream_ids: Sequence[str]) -> set[str]:
        """Those of which what is sent now is to be recorded."""
        ...

    async def report(self, stream_id: str, health: Health) -> None:
        """How the encoder does, every few seconds."""
        ...


class Recording(Protocol):
    """Where one connection's pictures are kept, beside being shown."""

    is_on: bool

    def segment(self, header: Header, segment: Segment) -> None:
        """A whole segment. Neither blocks nor raises."""
        ...

    def close(self) -> None:
        """The encoder is gone."""
        ...


class Recordings(Protocol):
    """Where recordings begin."""

    def take(self, stream_id: str, connection: int, *, is_on: bool) -> Recording:
        """Begin with a connection. Does not block."""
        ...
