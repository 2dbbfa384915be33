"""The tap of a live process: whole segments go to the spool, and nothing of it waits on the event loop.

The packager calls `Take.segment`, which only puts a reference into a bounded queue. One task takes them out and writes
in a thread. When the disk cannot follow, or the spool is full, the recording of that stream ends early and says so;
the stream goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from infra.logs import get_logger
from media.packaging.boxes import Header
from media.packaging.playlist import Segment
from media.recording.spool import Shelf, Spool

MAX_WAITING_BYTES = 64 << 20  # of all streams; segments stay in memory for players as long anyway

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to do on the disk."""

    take: "Take"
    run: Callable[[], None]
    size_bytes: int = 0


class Take:
    """The recording of one connection (a packager's `Tap`). `is_on` follows what the creator wishes."""

    def __init__(self, recorder: "Recorder", shelf: Shelf, *, is_on: bool) -> None:
        self.is_on = is_on
        self.shelf = shelf
        self.ended_early = False
        self._recorder = recorder

    def segment(self, header: Header, segment: Segment) -> None:
        if not self.is_on or self.ended_early:
            return
        parts, started_us = [part.data for part in segment.parts], int(segment.starts_at * 1_000_000)
        run, number = segment.header, segment.number

        def write() -> None:
            self.shelf.put_header(run, header.data)
            self.shelf.put(run, number, started_us, parts)

        self._recorder.order(Order(self, write, segment.size))

    def close(self) -> None:
        """The encoder is gone: nothing follows."""
        self._recorder.order(Order(self, self.shelf.close))


class Recorder:
    """Of one process. `run` until cancelled; `drained` waits until all is on the disk."""

    def __init__(self, spool: Spool, limit_bytes: int) -> None:
        """`limit_bytes` for the spool. `on_cut_short(stream id, why)` hears of recordings that end early."""
        self.on_cut_short: Callable[[str, str], None] = lambda _stream_id, _why: None
        self.spool = spool
        self.spooled_bytes = 0  # as the uploader counted last, and what was written since
        self._limit_bytes = limit_bytes
        self._orders: deque[Order] = deque()
        self._waiting_bytes = 0
        self._ordered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, stream_id: str, connection: int, *, is_on: bool) -> Take:
        """Begin with a connection."""
        take = Take(self, self.spool.shelf(stream_id, connection), is_on=is_on)
        self.order(Order(take, take.shelf.open))
        return take

    def order(self, order: Order) -> None:
        """Have it done soon, in order. What is too much ends its recording."""
        if order.size_bytes and self._waiting_bytes + order.size_bytes > MAX_WAITING_BYTES:
            self._end_early(order.take, "The disk of the machine was too slow.")
            return
        self._waiting_bytes += order.size_bytes
        self._orders.append(order)
        self._ordered.set()
        self._idle.clear()

    async def run(self) -> None:
        """Write what is ordered, until cancelled."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            while self._orders:
                order = self._orders[0]
                await self._do(order)
                self._orders.popleft()
                self._waiting_bytes -= order.size_bytes
            self._idle.set()

    async def drained(self, within_seconds: float) -> None:
        """Wait until everything ordered is on the disk. Raises `TimeoutError`."""
        async with asyncio.timeout(within_seconds):
            await self._idle.wait()

    async def _do(self, order: Order) -> None:
        if order.size_bytes and order.take.ended_early:
            return
        if order.size_bytes and self.spooled_bytes + order.size_bytes > self._limit_bytes:
            self._end_early(order.take, "File storage was away for too long.")
            return
        try:
            await asyncio.to_thread(order.run)
        except OSError as failure:
            log.error("recording.not_written", stream_id=order.take.shelf.stream_id, why=str(failure))
            self._end_early(order.take, "The disk of the machine was full.")
        else:
            self.spooled_bytes += order.size_bytes

    def _end_early(self, take: Take, why: str) -> None:
        if not take.ended_early:
            take.ended_early = True
            log.error("recording.cut_short", stream_id=take.shelf.stream_id, why=why)
            self.on_cut_short(take.shelf.stream_id, why)
