"""Viewer counts: one definition of a viewer (a user, or a device that is nobody), however many tabs and nodes.

A node tells the room's shard what changed, once a second, and otherwise only that it lives, every `report_seconds`. A
lease holds for `hold_seconds`; then the other nodes take the dead one's viewers away, and nobody else has to clean up.
A viewer who leaves lingers for `linger_seconds`, so a page reload or a move to another node does not make the number
flicker. Redis tells the room about a new number at most once a second (`presence.lua`).
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import RedisError

from infra.errors import FootlightError
from infra.forever import forever
from infra.logs import get_logger
from infra.stores.redis import Functions, Redis
from realtime.room.held import Held, Report
from realtime.room.log_redis import channel, key
from realtime.room.recent import Recent

SOURCE = Path(__file__).with_name("presence.lua")
COUNTS_AT_ONCE = 8  # of their own: a long list of streams must not delay the reports, nor joins and messages
MAX_COUNTS = 10_000
MAX_BEGINNINGS = 3  # in one round
LATE_SECONDS = 1.5  # beyond the moment a report was due

log = get_logger(__name__)


def presence_functions(redis: Redis) -> Functions:
    """The library behind counts and lists of people."""
    return Functions(redis, SOURCE.read_text())


@dataclass(frozen=True, slots=True)
class Timing:
    """How quickly a count follows; with the defaults a dead node's viewers are gone after 14 s at most."""

    tick_seconds: float = 1.0
    report_seconds: float = 5.0
    hold_seconds: float = 12.0
    linger_seconds: float = 6.0
    count_seconds: float = 1.0  # how old a count in a list of streams may be


DEFAULT_TIMING = Timing()


class Watching(NamedTuple):
    """How many watch now, and the most there ever were (within a day)."""

    viewers: int
    peak: int


@dataclass(slots=True)
class _Room:
    held: Held
    report_at: float = 0.0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Presence:
    """The viewers this node holds, and the counts of all nodes."""

    def __init__(self, functions: Functions, timing: Timing = DEFAULT_TIMING) -> None:
        self._functions = functions
        self._timing = timing
        self._rooms: dict[str, _Room] = {}
        self._reporting: set[asyncio.Task[None]] = set()
        self._counting = asyncio.Semaphore(COUNTS_AT_ONCE)
        self._counts = Recent(self._count, timing.count_seconds, MAX_COUNTS)

    def enter(self, stream_id: str, viewer: str, line: bytes = b"") -> None:
        """One more tab of a viewer; `line` puts them on the list of people (see `people.py`)."""
        room = self._rooms.get(stream_id)
        if room is None:
            room = self._rooms[stream_id] = _Room(Held(self._timing.linger_seconds))
        room.held.enter(_short(viewer), line)

    def leave(self, stream_id: str, viewer: str) -> None:
        self._rooms[stream_id].held.leave(_short(viewer), asyncio.get_running_loop().time())

    async def watching(self, stream_id: str) -> Watching:
        """The numbers of all nodes, at most `count_seconds` old; zeros when they cannot be had."""
        return await self._counts.get(stream_id)

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """See `ViewerCounts`."""
        return {stream_id: numbers.viewers for stream_id, numbers in (await self._all(stream_ids)).items()}

    async def peaks(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """See `ViewerCounts`."""
        return {stream_id: numbers.peak for stream_id, numbers in (await self._all(stream_ids)).items()}

    async def _all(self, stream_ids: Sequence[str]) -> Mapping[str, Watching]:
        numbers = await asyncio.gather(*(self._counts.get(stream_id) for stream_id in stream_ids))
        return dict(zip(stream_ids, numbers, strict=True))

    async def run(self) -> None:
        """Report until cancelled. Rounds do not wait: a shard that hangs must not end the leases of the rest."""

        async def begin_round() -> None:
            for name, room in self._due():
                if not room.busy.locked():
                    reporting = asyncio.create_task(self._report(name, room))
                    self._reporting.add(reporting)
                    reporting.add_done_callback(self._reporting.discard)

        try:
            await forever("presence", begin_round, every_seconds=self._timing.tick_seconds)
        finally:
            for reporting in tuple(self._reporting):
                reporting.cancel()
            await asyncio.gather(*self._reporting, return_exceptions=True)
            await self._counts.close()

    async def tick(self) -> None:
        """Report what changed, renew the leases that are due, and return when all of it is told."""
        await asyncio.gather(*(self._report(name, room) for name, room in self._due()))

    def _due(self) -> "list[tuple[str, _Room]]":
        now = asyncio.get_running_loop().time()
        return [(name, room) for name, room in self._rooms.items() if room.report_at <= now or room.held.waits(now)]

    async def _report(self, stream_id: str, room: _Room) -> None:
        async with room.busy:  # how many at once is bounded for each shard, by `Functions`
            try:
                wait = await self._tell(stream_id, room.held)
            except (FootlightError, RedisError) as failure:
                log.info("presence.delayed", stream_id=stream_id, why=type(failure).__name__)
                return  # what was not settled waits for the next round
        room.report_at = asyncio.get_running_loop().time() + wait
        if room.held.over and self._rooms.get(stream_id) is room:
            del self._rooms[stream_id]

    async def _tell(self, stream_id: str, held: Held) -> float:
        """Tell everything there is; the seconds until the next report."""
        loop = asyncio.get_running_loop()
        beginnings = 0
        while True:
            answer = await self._send(stream_id, held.report(loop.time()))
            if not answer[0]:
                held.begin_again()
                beginnings += 1
                if beginnings == MAX_BEGINNINGS:
                    return 0.0
                continue
            held.settled()
            again_ms = int(answer[3])
            if again_ms != 0 and not held.waits(loop.time()):
                report_seconds = self._timing.report_seconds
                return report_seconds if again_ms < 0 else min(report_seconds, again_ms / 1000)

    async def _send(self, stream_id: str, report: Report) -> list[int]:
        names = ("viewers", "lives", f"held:{report.life}", "people", "roll", "shown")
        keys = [*(key(stream_id, name) for name in names), channel(stream_id)]
        timing = self._timing
        late_seconds = timing.hold_seconds - timing.report_seconds - min(LATE_SECONDS, timing.report_seconds)
        arguments: list[str | bytes | int] = [
            report.life,
            report.number,
            int(timing.hold_seconds * 1000),
            int(late_seconds * 1000),
            len(report.came),
        ]
        for viewer, line in report.came:
            arguments += (viewer, line)
        arguments += report.left
        answer: list[int] = await self._functions.call("presence_report", keys, arguments)
        return answer

    async def _count(self, stream_id: str) -> Watching:
        keys = [key(stream_id, name) for name in ("viewers", "lives", "shown")]
        async with self._counting:
            try:
                return Watching(*await self._functions.call("presence_count", keys, []))
            except (FootlightError, RedisError):
                return Watching(0, 0)


def _short(viewer: str) -> bytes:
    """Eight bytes for any name: among 100,000 viewers two share them once in four billion rooms."""
    return hashlib.blake2b(viewer.encode(), digest_size=8).digest()
