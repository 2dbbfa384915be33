"""The memory that parts of forms are collected in: allocated once, used again and again, never copied as a whole.

Grown and dropped for each part instead, twenty uploads of 200 MB made a process 180 MB larger, most of it holes.
"""

import asyncio
import io
import os
from collections.abc import AsyncIterator

from media.vod.errors import UploadsBusy


class Part(io.RawIOBase):
    """A buffer and how much of it is filled; a file to whoever sends it."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self._buffer = memoryview(bytearray(size_bytes))
        self._filled = 0
        self._at = 0

    @property
    def content(self) -> memoryview:
        return self._buffer[: self._filled]

    @property
    def is_full(self) -> bool:
        return self._filled == len(self._buffer)

    def empty(self) -> None:
        self._filled = self._at = 0

    def fill(self, chunk: bytes) -> bytes:
        """Add it; what does not fit comes back."""
        fits = min(len(chunk), len(self._buffer) - self._filled)
        self._buffer[self._filled : self._filled + fits] = chunk[:fits]
        self._filled += fits
        return chunk[fits:]

    # --- as a file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]  # what `read` calls it with
        piece = self._buffer[self._at : min(self._filled, self._at + len(into))]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._filled}[whence]
        self._at = max(0, min(self._filled, start + offset))
        return self._at


class Buffers:
    """At most so many parts at once; each is made when it is first needed, and kept."""

    def __init__(self, most: int, size_bytes: int) -> None:
        self._places = asyncio.Semaphore(most)
        self._size_bytes = size_bytes
        self._free: list[Part] = []
        self.in_use = 0

    async def take(self, patience_seconds: float) -> Part:
        """An empty part. Raises `UploadsBusy` when none came free in time."""
        try:
            async with asyncio.timeout(patience_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise UploadsBusy(retry_after_ms=5000) from None
        self.in_use += 1
        part = self._free.pop() if self._free else Part(self._size_bytes)
        part.empty()
        return part

    def give_back(self, part: Part) -> None:
        self.in_use -= 1
        self._free.append(part)
        self._places.release()


async def collect(chunks: AsyncIterator[bytes], first: bytes, part: Part) -> tuple[bytes, bool]:
    """Fill the part; what arrived beyond it, and whether that was all."""
    rest = part.fill(first)
    while not part.is_full:
        chunk = await anext(chunks, None)
        if chunk is None:
            return b"", True
        rest = part.fill(chunk)
    return rest, False
