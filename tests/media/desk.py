"""An ingest desk in memory: streams are put in by the test, and what the ingest tells is kept."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from infra.errors import Unavailable
from media.errors import KeyRefused, StreamIsOver
from media.ports import Admission, Health


@dataclass
class Opened:
    """One stream, as the desk knows it."""

    stream_id: str
    playback_id: str
    key: str
    latency: Literal["low", "standard"]
    created_at: datetime
    status: str = "created"
    connections: int = 0
    health: list[Health] = field(default_factory=list)
    drops: list[str] = field(default_factory=list)


class MemoryDesk:
    """`media.ports.IngestDesk`. `is_down` makes every call fail as a lost database would."""

    def __init__(self) -> None:
        self.streams: dict[str, Opened] = {}
        self.is_down = False
        self.unrecorded: set[str] = set()
        self.changed = asyncio.Event()

    def open(self, name: str, latency: Literal["low", "standard"] = "low") -> Opened:
        opened = Opened(name, f"play-{name}", f"live_{name}", latency, datetime.now(UTC))
        self.streams[name] = opened
        return opened

    async def until(self, opened: Opened, status: str) -> None:
        while opened.status != status:
            await self.next()

    async def until_playable(self, opened: Opened) -> None:
        while not (opened.health and opened.health[-1].playable):
            await self.next()

    async def until_warned(self, opened: Opened, code: str) -> str:
        while True:
            found = [warning for health in opened.health for warning in health.warnings if warning.code == code]
            if found:
                return found[-1].message
            await self.next()

    async def next(self) -> None:
        """The next time the ingest tells something."""
        await self.changed.wait()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _answers(self) -> None:
        if self.is_down:
            raise Unavailable

    async def admit(self, key: str) -> Admission:
        self._answers()
        for opened in self.streams.values():
            if opened.key == key:
                if opened.status == "ended":
                    raise StreamIsOver
                return Admission(
                    opened.stream_id, opened.playback_id, opened.latency, opened.created_at, opened.connections + 1
                )
        raise KeyRefused

    async def connected(self, stream_id: str) -> int:
        self._answers()
        opened = self.streams[stream_id]
        if opened.status == "ended":
            raise StreamIsOver
        opened.status = "live"
        opened.connections += 1
        self._tell()
        return opened.connections

    async def dropped(self, stream_id: str, reason: str, connection: int) -> None:
        self._answers()
        opened = self.streams[stream_id]
        opened.drops.append(reason)
        if opened.status == "live" and opened.connections == connection:
            opened.status = "interrupted"
        self._tell()

    async def unwanted(self, publishers: Mapping[str, str]) -> set[str]:
        self._answers()
        return {
            stream_id
            for stream_id, key in publishers.items()
            if self.streams[stream_id].status == "ended" or self.streams[stream_id].key != key
        }

    async def recorded(self, stream_ids: Sequence[str]) -> set[str]:
        self._answers()
        return set(stream_ids) - self.unrecorded

    async def report(self, stream_id: str, health: Health) -> None:
        self._answers()
        self.streams[stream_id].health.append(health)
        self._tell()
