"""Viewer counts: one definition of a viewer (a user, or a device that is nobody), however many tabs and nodes.

A node reports the viewers it holds every `report_seconds`; a report holds for `hold_seconds`, so a node that dies
takes its viewers with it and nobody cleans up. A viewer who leaves lingers for `linger_seconds`, a little more than
one report, because another node may hold the same viewer; so a page reload does not make the number flicker.
Redis tells the room about a new number at most once a second (`room_viewers` in room.lua).
"""

import asyncio
import contextvars
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from redis.exceptions import RedisError

from infra.errors import FootlightError
from infra.forever import forever
from infra.logs import get_logger
from infra.stores.redis import Functions
from realtime.room.log_redis import channel, key

BATCH = 500  # viewers in one call: about a millisecond of the shard's time
AT_ONCE = 20  # reports under way
COUNTS_AT_ONCE = 8  # of their own: a long list of streams must not delay the reports, nor joins and messages
MAX_COUNTS = 10_000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How quickly a count follows; the defaults forget a dead node within 12 s."""

    tick_seconds: float = 1.0
    report_seconds: float = 5.0
    hold_seconds: float = 12.0
    linger_seconds: float = 6.0
    count_seconds: float = 1.0  # how old a count in a list of streams may be


DEFAULT_TIMING = Timing()


class Presence:
    """The viewers this node holds, and the counts of all nodes."""

    def __init__(self, functions: Functions, timing: Timing = DEFAULT_TIMING) -> None:
        self._functions = functions
        self._timing = timing
        self._held: dict[str, Counter[str]] = {}
        self._came: dict[str, set[str]] = {}
        self._left: dict[str, set[str]] = {}
        self._report_at: dict[str, float] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._counting = asyncio.Semaphore(COUNTS_AT_ONCE)
        self._counts: dict[str, tuple[float, asyncio.Task[int]]] = {}  # asked at

    def enter(self, stream_id: str, viewer: str) -> None:
        held = self._held.setdefault(stream_id, Counter())
        held[viewer] += 1
        if held[viewer] == 1:
            self._came.setdefault(stream_id, set()).add(viewer)
            self._left.get(stream_id, set()).discard(viewer)

    def leave(self, stream_id: str, viewer: str) -> None:
        held = self._held[stream_id]
        held[viewer] -= 1
        if held[viewer] == 0:
            del held[viewer]
            self._left.setdefault(stream_id, set()).add(viewer)
            self._came.get(stream_id, set()).discard(viewer)
        if not held:
            del self._held[stream_id]
            self._report_at.pop(stream_id, None)

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """See `ViewerCounts`."""
        numbers = await asyncio.gather(*(asyncio.shield(self._recent_count(stream_id)) for stream_id in stream_ids))
        return dict(zip(stream_ids, numbers, strict=True))

    def _recent_count(self, stream_id: str) -> "asyncio.Task[int]":
        """One question a second for each stream, however many lists ask."""
        now = asyncio.get_running_loop().time()
        asked_at, count = self._counts.get(stream_id, (-math.inf, None))
        if count is None or (count.done() and now - asked_at >= self._timing.count_seconds):
            if len(self._counts) > MAX_COUNTS:
                self._counts = {name: kept for name, kept in self._counts.items() if not kept[1].done()}
            count = asyncio.create_task(self._count(stream_id), context=contextvars.Context())
            self._counts[stream_id] = (now, count)
        return count

    async def run(self) -> None:
        """Report until cancelled."""
        try:
            await forever("presence", self.tick, every_seconds=self._timing.tick_seconds)
        finally:
            counting = [count for _, count in self._counts.values()]
            for count in counting:
                count.cancel()
            await asyncio.gather(*counting, return_exceptions=True)

    async def tick(self) -> None:
        """Report what changed, and everybody whose report is due."""
        now = asyncio.get_running_loop().time()
        due = {stream_id for stream_id in self._held if self._report_at.get(stream_id, 0.0) <= now}
        for stream_id in due:
            self._report_at[stream_id] = now + self._timing.report_seconds
        changed = self._came.keys() | self._left.keys()
        await asyncio.gather(*(self._report(stream_id, stream_id in due) for stream_id in due | changed))

    async def _report(self, stream_id: str, everybody: bool) -> None:
        came, left = self._came.pop(stream_id, set()), self._left.pop(stream_id, set())
        present = list(self._held.get(stream_id, ())) if everybody else list(came)
        async with self._places:
            try:
                ask_again = await self._send(stream_id, present, list(left))
            except (FootlightError, RedisError) as failure:
                log.info("presence.delayed", stream_id=stream_id, why=type(failure).__name__)
                ask_again = True
                self._report_at.pop(stream_id, None)  # everybody again, next time
        if ask_again and stream_id in self._held:
            self._came.setdefault(stream_id, set())

    async def _send(self, stream_id: str, present: list[str], left: list[str]) -> bool:
        keys = [key(stream_id, "viewers"), key(stream_id, "shown"), channel(stream_id)]
        times = [int(self._timing.hold_seconds * 1000), int(self._timing.linger_seconds * 1000)]
        ask_again = False
        nobody: list[str] = []
        for some_present, some_left in zip_longest(_batches(present), _batches(left), fillvalue=nobody):
            arguments: list[str | int] = [*times, len(some_present), *some_present, *some_left]
            ask_again = bool((await self._functions.call("room_viewers", keys, arguments))[1])
        return ask_again

    async def _count(self, stream_id: str) -> int:
        async with self._counting:
            try:
                return int(await self._functions.call("room_count", [key(stream_id, "viewers")], []))
            except (FootlightError, RedisError):
                return 0


def _batches(viewers: list[str]) -> list[list[str]]:
    """Slices of at most BATCH; one empty slice when there is nothing, so that a call is made anyway."""
    return [viewers[start : start + BATCH] for start in range(0, len(viewers), BATCH)] or [[]]
