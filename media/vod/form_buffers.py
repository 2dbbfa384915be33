"""The memory that parts of forms are collected in: allocated once, used again and again, never copied as a whole.

Grown and dropped for each part instead, twenty uploads of 200 MB made a process 180 MB larger, most of it holes.
"""

import asyncio
import io
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

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
    """At most so many parts at once, and so many of them for one account; each is made when it is first needed, and
    kept. Who waits gets the next free one in the order they came, unless their account has its share already."""

    def __init__(self, most: int, size_bytes: int, most_of_account: int) -> None:
        self._most = most
        self._most_of_account = most_of_account
        self._size_bytes = size_bytes
        self._free: list[Part] = []
        self._held: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []

    @property
    def in_use(self) -> int:
        return self._held.total()

    async def take(self, account_id: str, patience_seconds: float) -> Part:
        """An empty part. Raises `UploadsBusy` when none came free in time."""
        waiter = _Waiter(account_id, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._hand_out()
        try:
            async with asyncio.timeout(patience_seconds):
                return await waiter.part
        except BaseException as gone:
            self._leave(waiter)
            if isinstance(gone, TimeoutError):
                raise UploadsBusy(retry_after_ms=5000) from None
            raise

    def give_back(self, account_id: str, part: Part) -> None:
        self._held -= Counter({account_id: 1})  # forgets who has none
        self._free.append(part)
        self._hand_out()

    def _leave(self, waiter: "_Waiter") -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.part.done() and not waiter.part.cancelled():
            self.give_back(waiter.account_id, waiter.part.result())  # it came in the moment they went

    def _hand_out(self) -> None:
        while self.in_use < self._most and (waiter := self._next()) is not None:
            self._waiting.remove(waiter)
            if waiter.part.done():
                continue  # cancelled, and not awake yet
            part = self._free.pop() if self._free else Part(self._size_bytes)
            part.empty()
            self._held[waiter.account_id] += 1
            waiter.part.set_result(part)

    def _next(self) -> "_Waiter | None":
        return next((one for one in self._waiting if self._held[one.account_id] < self._most_of_account), None)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    account_id: str
    part: "asyncio.Future[Part]"


async def collect(chunks: AsyncIterator[bytes], first: bytes, part: Part) -> tuple[bytes, bool]:
    """Fill the part; what arrived beyond it, and whether that was all."""
    rest = part.fill(first)
    while not part.is_full:
        chunk = await anext(chunks, None)
        if chunk is None:
            return b"", True
        rest = part.fill(chunk)
    return rest, False
