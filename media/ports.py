"""What media's own parts need from each other, as small protocols filled in where the program is wired."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a stream key let in."""

    stream_id: str
    playback_id: str
    latency: Literal["low", "standard"]
    created_at: datetime
    connection: int


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

    async def report(self, stream_id: str, health: Health) -> None:
        """How the encoder does, every few seconds."""
        ...
