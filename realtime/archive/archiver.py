"""Copies every entry of every room into the archive, and only then lets the log forget it.

Read a batch, store it, tell the log: whatever dies in between leaves a batch to be stored again, and a repeat is a
duplicate that the archive knows. So every acknowledged entry is there exactly once, in the end.

- A node marks a room before its first append (`realtime/room/marks.py`); a safety scan finds what was never marked.
- One archiver at a time works at a room, by a lease in the room's shard. Two at once would do no harm.
- When the archive is away everything waits in the logs, up to `MAX_UNARCHIVED` entries of each room; then appends are
  refused. A shard that is away stops its own rooms only.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Protocol

from infra.errors import Unavailable
from infra.forever import forever
from infra.logs import get_logger
from infra.metrics import Metrics
from realtime.archive.entries import Batch, Document, Row, document
from realtime.archive.schedule import FIRST_SECONDS, Schedule, backoff

BATCH = 500
ROOMS_AT_ONCE = 8
SCAN_EVERY_SECONDS = 600.0

log = get_logger(__name__)


class Source(Protocol):
    """See `RoomSource`."""

    async def marked(self) -> list[str]: ...

    async def unarchived(self, room: str, count: int) -> Batch | None: ...

    async def archived(self, room: str, last: Row) -> None: ...

    async def release(self, room: str) -> None: ...

    async def unmark(self, room: str) -> None: ...

    async def mark_found(self) -> int: ...


class Archive(Protocol):
    """See `MongoArchive`."""

    async def keep(self, documents: Sequence[Document]) -> int: ...


class ArchiveUnavailable(Unavailable):
    """The archive, not a room, is away: no use in trying the other rooms."""

    code = "service.archive"


class Archiver:
    """Run as many as you like: `run` works until cancelled, and may be killed at any moment."""

    def __init__(self, source: Source, archive: Archive, metrics: Metrics, *, batch: int = BATCH) -> None:
        self._source = source
        self._archive = archive
        self._metrics = metrics
        self._batch = batch
        self._schedule = Schedule()
        self._places = asyncio.Semaphore(ROOMS_AT_ONCE)
        self._waiting: dict[str, int] = {}
        self._away = False

    async def run(self) -> None:
        """Archive until cancelled."""
        scanning = asyncio.create_task(self._scan())
        failures = 0
        try:
            while True:
                failures = 0 if await self._round_went_well() else failures + 1
                pause = backoff(failures) if failures else FIRST_SECONDS
                await asyncio.sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311  # keeps archivers apart
        finally:
            scanning.cancel()
            await asyncio.gather(scanning, return_exceptions=True)

    async def round(self) -> None:
        """Look at every room that is due; raises `Unavailable` when the list of rooms or the archive is away."""
        self._away = False
        rooms = await self._source.marked()
        due = self._schedule.due(rooms, asyncio.get_running_loop().time())
        self._waiting = {room: count for room, count in self._waiting.items() if room in set(rooms)}
        outcomes = await asyncio.gather(*(self._visit(room) for room in due), return_exceptions=True)
        self._metrics.archive_backlog.set(sum(self._waiting.values()))
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _round_went_well(self) -> bool:
        try:
            await self.round()
        except Unavailable as failure:
            log.warning("archive.waits", code=failure.code, backlog=sum(self._waiting.values()))
            return False
        except Exception:  # whatever it was, nothing is lost while it lasts, and the next round may go well
            log.exception("archive.failed")
            return False
        return True

    async def _scan(self) -> None:
        async def scan() -> None:
            try:
                found = await self._source.mark_found()
            except Unavailable as failure:
                log.warning("archive.scan_failed", code=failure.code)
            else:
                log.info("archive.scanned", unmarked=found)

        await scan()
        await forever("archive.scan", scan, every_seconds=SCAN_EVERY_SECONDS)

    async def _visit(self, room: str) -> None:
        async with self._places:
            if self._away:  # others have just waited for it in vain
                return
            found = False
            try:
                found = await self._empty(room)
            except ArchiveUnavailable:
                self._away = True
                raise
            except Unavailable as failure:  # this room's shard; the others go on
                log.info("archive.room_waits", stream_id=room, code=failure.code)
            finally:
                self._schedule.looked(room, asyncio.get_running_loop().time(), found=found)

    async def _empty(self, room: str) -> bool:
        """Archive all that waits; True when there was something."""
        found = False
        while batch := await self._source.unarchived(room, self._batch):
            self._waiting[room] = batch.waiting
            if batch.gone:
                log.error("archive.hole", stream_id=room, gone=batch.gone)
            if not batch.rows:
                await self._source.release(room)
                await self._source.unmark(room)
                return found
            found = True
            await self._store(room, batch.rows)
        self._waiting.pop(room, None)  # another archiver's
        return found

    async def _store(self, room: str, rows: Sequence[Row]) -> None:
        try:
            stored = await self._archive.keep([document(room, row) for row in rows])
        except Unavailable as failure:
            raise ArchiveUnavailable from failure
        self._metrics.archived.inc(stored)
        await self._source.archived(room, rows[-1])
