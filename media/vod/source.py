"""Sources on the local disk: fetched once by a process, checked, and shared by its tasks.

Fetching is ranged and a few ranges at a time, so that neither one slow connection nor the size of the file matters.
Nothing reads a byte of it before its size and checksums were found to be what was uploaded.
"""

import asyncio
import hashlib
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from botocore.exceptions import ClientError

from infra.clock import new_id
from infra.logs import get_logger
from infra.stores.objects import NoSuchObject, Objects
from media.vod.errors import ScratchFull, SourceDamaged, SourceGone
from media.vod.ports import Source
from media.vod.scratch import Scratch, full_disk_is_our_fault

RANGE_BYTES = 8 << 20
RANGES_AT_ONCE = 4  # and one that is written: 40 MiB in memory
# A source that nobody uses stays a while: the next chunk of it comes within seconds.
IDLE_SECONDS = 30.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, checked source."""

    file: Path
    sha256: bytes


class Sums:
    """Checksums of a file that comes in order: of the whole, and of each part as its sender named them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._whole = hashlib.sha256()
        self._part = hashlib.sha256()
        self._in_part = 0
        self._parts: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._whole.update(piece)
        if not self._source.part_sums:
            return
        rest = memoryview(piece)
        while rest:
            taken = rest[: self._source.part_bytes - self._in_part]
            self._part.update(taken)
            self._in_part += len(taken)
            rest = rest[len(taken) :]
            if self._in_part == self._source.part_bytes:
                self._end_part()

    def check(self) -> bytes:
        """The checksum of the whole. Raises `SourceDamaged` when anything is not as it was sent."""
        if self._in_part:
            self._end_part()
        whole = self._whole.digest()
        if tuple(self._parts) != self._source.part_sums or self._source.sha256 not in (None, whole):
            raise SourceDamaged
        return whole

    def _end_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part, self._in_part = hashlib.sha256(), 0


@dataclass(slots=True)
class _Entry:
    file: Path
    fetching: asyncio.Task[Fetched]
    size_bytes: int
    waiting: list[Callable[[], None]]
    users: int = 0
    idle_since: float = field(default_factory=time.monotonic)


class Sources:
    """The sources of one process. `close` removes all of them."""

    def __init__(self, objects: Objects, scratch: Scratch, *, range_bytes: int = RANGE_BYTES) -> None:
        self._objects = objects
        self._scratch = scratch
        self._range_bytes = range_bytes
        self._entries: dict[str, _Entry] = {}
        self._folder = scratch.root / "sources"
        self._folder.mkdir(mode=0o700)

    @asynccontextmanager
    async def hold(self, source: Source, alive: Callable[[], None] = lambda: None) -> AsyncIterator[Fetched]:
        """The source, on disk for as long as the block lasts; `alive` is called as bytes arrive.

        Raises `SourceGone`, `SourceDamaged`, `SourceTooLarge`, `ScratchFull`, `ObjectsUnavailable`.
        """
        entry = self._entries.get(source.key)
        if entry is None:
            self._make_room(source.size_bytes)
            file, waiting = self._folder / new_id(), list[Callable[[], None]]()
            entry = _Entry(file, asyncio.create_task(self._fetch(source, file, waiting)), source.size_bytes, waiting)
            self._entries[source.key] = entry
        entry.users += 1
        entry.waiting.append(alive)
        try:
            # Not cancelled with one of those who wait: others may wait for the same.
            yield await asyncio.shield(entry.fetching)
        finally:
            entry.users -= 1
            entry.waiting.remove(alive)
            entry.idle_since = time.monotonic()
            if entry.users == 0 and not _is_whole(entry):
                await self._forget(source.key, entry)

    async def tidy(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Remove what nobody has used for so long."""
        oldest = time.monotonic() - idle_seconds
        for key, entry in list(self._entries.items()):
            if entry.users == 0 and entry.idle_since <= oldest:
                await self._forget(key, entry)

    async def close(self) -> None:
        for key, entry in list(self._entries.items()):
            await self._forget(key, entry)

    def _make_room(self, size_bytes: int) -> None:
        """Book it, in place of unused sources if need be. Raises `SourceTooLarge`, `ScratchFull`."""
        idle = sorted((e.idle_since, key) for key, e in self._entries.items() if e.users == 0 and _is_whole(e))
        for _, key in idle:
            try:
                self._scratch.book(size_bytes)
                return
            except ScratchFull:
                self._remove(self._entries.pop(key))
        self._scratch.book(size_bytes)

    async def _forget(self, key: str, entry: _Entry) -> None:
        if self._entries.get(key) is not entry:
            return  # it made room for another one while we were looking
        del self._entries[key]
        entry.fetching.cancel()
        await asyncio.wait({entry.fetching})
        self._remove(entry)

    def _remove(self, entry: _Entry) -> None:
        entry.file.unlink(missing_ok=True)
        self._scratch.free(entry.size_bytes)

    async def _fetch(self, source: Source, file: Path, waiting: Sequence[Callable[[], None]]) -> Fetched:
        """A source of some GB takes minutes: all who wait for it hear that bytes come, and not only who began."""
        began, sums = time.monotonic(), Sums(source)
        try:
            head = await self._objects.call("head_object", Key=source.key)
            if head["ContentLength"] != source.size_bytes:
                raise SourceDamaged
            async with aclosing(self._in_order(source, head["ETag"])) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(_append, file, piece, sums)
                    for alive in waiting:
                        alive()
        except NoSuchObject as gone:
            raise SourceGone from gone
        except ClientError as refused:  # a failed precondition: it was replaced meanwhile
            raise SourceDamaged from refused
        whole = sums.check()
        log.info("source.fetched", video_id=source.video_id, ms=int((time.monotonic() - began) * 1000))
        return Fetched(file, whole)

    async def _in_order(self, source: Source, etag: str) -> AsyncGenerator[bytes]:
        """A few ranges are on their way while one is written."""
        offsets = iter(range(0, source.size_bytes, self._range_bytes))

        def some(count: int) -> list[asyncio.Task[bytes]]:
            return [asyncio.create_task(self._range(source, etag, offset)) for offset in islice(offsets, count)]

        coming = deque(some(RANGES_AT_ONCE))
        try:
            while coming:
                piece = await coming.popleft()
                coming.extend(some(1))
                yield piece
        finally:
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def _range(self, source: Source, etag: str, offset: int) -> bytes:
        last = min(offset + self._range_bytes, source.size_bytes) - 1
        answer = await self._objects.call("get_object", Key=source.key, Range=f"bytes={offset}-{last}", IfMatch=etag)
        piece: bytes = await self._objects.run(answer["Body"].read)
        if len(piece) != last - offset + 1:
            raise SourceDamaged
        return piece


def _is_whole(entry: _Entry) -> bool:
    fetching = entry.fetching
    return fetching.done() and not fetching.cancelled() and fetching.exception() is None


def _append(file: Path, piece: bytes, sums: Sums) -> None:
    with full_disk_is_our_fault(), open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
        output.write(piece)
    sums.add(piece)
