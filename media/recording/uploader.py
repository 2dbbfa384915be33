"""Moves what is in the spool to the object store, a piece of some seconds at a time, and tells the database.

Object first, row second, file last: whatever dies between two of them repeats the step, and a repeat changes nothing.
While storage or database are away everything waits in the spool. Only the segments of living connections may be left
for later, since more of their piece is to come.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.objects import Objects
from infra.stores.postgres import Postgres
from media.errors import FragmentsBroken
from media.packaging.boxes import timescales, track_runs
from media.recording.model import Piece, Track, folder_of
from media.recording.recorder import Recorder
from media.recording.repository import RecordingRepository
from media.recording.spool import Shelf, Spool, Spooled

LOOK_SECONDS = 2.0
PIECE_SECONDS = 10.0
PIECE_BYTES = 8 << 20
HEARD_EVERY_SECONDS = 10.0
ORPHANS_EVERY_SECONDS = 15.0
LAST_ROUND_SECONDS = 10.0

log = get_logger(__name__)


def next_batch(segments: Sequence[Spooled], *, is_closed: bool) -> list[Spooled]:
    """The first segments that make a piece; none while more of it is to come. Pure."""
    batch: list[Spooled] = []
    for segment in segments:
        if batch and (segment.run, segment.number) != (batch[-1].run, batch[-1].number + 1):
            return batch
        batch.append(segment)
        seconds = (segment.started_us - batch[0].started_us) / 1_000_000
        if seconds >= PIECE_SECONDS or sum(one.size_bytes for one in batch) >= PIECE_BYTES:
            return batch
    return batch if is_closed else []


def tracks_of(header: bytes, data: bytes) -> tuple[Track, ...]:
    """Where each track of some fragments begins and ends, the picture's first. Raises `FragmentsBroken`."""
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    for run in track_runs(data):
        begins.setdefault(run.track_id, run.begin)
        ends[run.track_id] = run.begin + run.ticks
    known = timescales(header)
    if not begins:
        raise FragmentsBroken
    return tuple(Track(one, known[one], begins[one], ends[one]) for one in known if one in begins)


@dataclass(frozen=True, slots=True)
class Batch:
    """One piece in memory, on its way."""

    piece: Piece
    header: bytes
    data: bytes


def read_batch(shelf: Shelf, segments: Sequence[Spooled]) -> Batch:
    """Blocks. Raises `OSError`, `FragmentsBroken`."""
    header = shelf.header(segments[0].run)
    data = b"".join(segment.path.read_bytes() for segment in segments)
    piece = Piece(
        stream_id=shelf.stream_id,
        connection=shelf.connection,
        run=segments[0].run,
        first_segment=segments[0].number,
        last_segment=segments[-1].number,
        size_bytes=len(data),
        started_at=datetime.fromtimestamp(segments[0].started_us / 1_000_000, UTC),
        tracks=tracks_of(header, data),
    )
    return Batch(piece, header, data)


class Uploader:
    """Of one process. `run` until cancelled; then `last_round` tries to leave nothing behind."""

    def __init__(self, recorder: Recorder, db: Postgres, objects: Objects, clock: Clock) -> None:
        self._recorder = recorder
        self._db = db
        self._objects = objects
        self._clock = clock
        self._repository = RecordingRepository()
        self._adopted: list[Spool] = []
        self._begun: set[tuple[str, int]] = set()  # whose stored segments we asked for
        self._headers: set[str] = set()
        self._cut_short: dict[str, str] = {}  # not told yet
        self._heard_at = self._orphans_at = float("-inf")

    def cut_short(self, stream_id: str, why: str) -> None:
        """A recording ended early; the database is told as soon as it can be."""
        self._cut_short.setdefault(stream_id, why)

    async def run(self) -> None:
        """Look for something to move, until cancelled."""
        while True:
            try:
                await self.round()
            except FootlightError as failure:
                log.info("recording.waits", code=failure.code)
            except Exception:  # nothing is lost while it lasts, and the next round may go well
                log.exception("recording.round_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def round(self) -> None:
        """Move everything that can be moved now. Raises `Unavailable`."""
        await self._adopt()
        spools = [self._recorder.spool, *self._adopted]
        await self._tell(spools)
        for spool in spools:
            for shelf in await asyncio.to_thread(spool.shelves):
                await self._move(shelf)
        self._recorder.spooled_bytes = await asyncio.to_thread(lambda: sum(spool.size_bytes() for spool in spools))
        await self._let_go()

    async def last_round(self) -> None:
        """The process ends: close all, and move what can be moved in a few seconds. Our successor does the rest."""
        try:
            async with asyncio.timeout(LAST_ROUND_SECONDS):
                await self._recorder.drained(LAST_ROUND_SECONDS)
                await asyncio.to_thread(self._recorder.spool.close_all)
                await self.round()
        except (TimeoutError, FootlightError, OSError) as failure:
            log.error("recording.left_in_spool", why=type(failure).__name__)
        for spool in (self._recorder.spool, *self._adopted):
            spool.release()

    async def _adopt(self) -> None:
        """Now and then, take over what a process left that was killed."""
        now = asyncio.get_running_loop().time()
        if now - self._orphans_at < ORPHANS_EVERY_SECONDS:
            return
        self._orphans_at = now
        for spool in await asyncio.to_thread(lambda: list(self._recorder.spool.orphans())):
            log.info("recording.adopted", spool=spool.path.name)
            self._adopted.append(spool)
            await asyncio.to_thread(spool.close_all)

    async def _let_go(self) -> None:
        for spool in list(self._adopted):
            if not await asyncio.to_thread(spool.shelves):
                self._adopted.remove(spool)
                await asyncio.to_thread(spool.release)

    async def _tell(self, spools: Sequence[Spool]) -> None:
        """That we still have something of these connections, so that their video waits; and what ended early."""
        now = asyncio.get_running_loop().time()
        if self._cut_short or now - self._heard_at >= HEARD_EVERY_SECONDS:
            told = dict(self._cut_short)
            shelves = [shelf for spool in spools for shelf in await asyncio.to_thread(spool.shelves)]
            async with self._db.connection() as connection:
                ours = [(shelf.stream_id, shelf.connection) for shelf in shelves]
                await self._repository.heard(connection, ours, self._clock())
                for stream_id, why in told.items():
                    await self._repository.cut_short(connection, stream_id, why)
            self._cut_short = {one: why for one, why in self._cut_short.items() if one not in told}
            self._heard_at = now

    async def _move(self, shelf: Shelf) -> None:
        await self._forget_stored(shelf)
        while True:
            is_closed = await asyncio.to_thread(lambda: shelf.is_closed)  # before the look: nothing comes after it
            segments = await asyncio.to_thread(shelf.segments)
            batch = next_batch(segments, is_closed=is_closed)
            if not batch:
                break
            await self._move_batch(shelf, batch)
            await asyncio.to_thread(_remove, batch)
        if is_closed:
            async with self._db.connection() as connection:
                await self._repository.close(connection, shelf.stream_id, shelf.connection, self._clock())
            await asyncio.to_thread(shelf.remove)
            self._forget(shelf)

    async def _move_batch(self, shelf: Shelf, segments: Sequence[Spooled]) -> None:
        """What cannot be read is left out: a machine that lost its power may leave files empty."""
        try:
            batch = await asyncio.to_thread(read_batch, shelf, segments)
        except (FragmentsBroken, FileNotFoundError) as failure:
            log.error("recording.unreadable", stream_id=shelf.stream_id, why=type(failure).__name__)
            return
        if not await self._store(batch):
            log.error("recording.too_late", stream_id=shelf.stream_id, connection=shelf.connection)

    async def _forget_stored(self, shelf: Shelf) -> None:
        """Of a connection that we see for the first time: its former keeper may have died before it removed files."""
        ours = (shelf.stream_id, shelf.connection)
        if ours in self._begun:
            return
        async with self._db.connection() as connection:
            stored = await self._repository.last_stored(connection, *ours)
        segments = await asyncio.to_thread(shelf.segments)
        await asyncio.to_thread(_remove, [one for one in segments if one.number <= stored.get(one.run, -1)])
        self._begun.add(ours)

    async def _store(self, batch: Batch) -> bool:
        """False when nobody waits for it any more; then it is gone."""
        piece = batch.piece
        if piece.header_key not in self._headers:
            await self._objects.call("put_object", Key=piece.header_key, Body=batch.header, ContentType="video/mp4")
            self._headers.add(piece.header_key)
        await self._objects.call("put_object", Key=piece.key, Body=batch.data, ContentType="video/iso.segment")
        async with self._db.connection() as connection:
            wanted = await self._repository.add(connection, piece)
        if not wanted:
            await self._objects.call("delete_object", Key=piece.key)
            await self._objects.call("delete_object", Key=piece.header_key)
        return wanted

    def _forget(self, shelf: Shelf) -> None:
        self._begun.discard((shelf.stream_id, shelf.connection))
        folder = folder_of(shelf.stream_id, shelf.connection) + "/"
        self._headers = {key for key in self._headers if not key.startswith(folder)}


def _remove(segments: Sequence[Spooled]) -> None:
    for segment in segments:
        with suppress(FileNotFoundError):
            segment.path.unlink()
