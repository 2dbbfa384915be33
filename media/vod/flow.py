"""Segments on their way from an encoder to viewers, while it goes on encoding."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from media.vod.plan import Segment
from media.vod.task_repository import Lease

# Between two rounds: a playlist names all that came meanwhile, and a long one is not written for each segment.
PAUSE_SECONDS = 0.25
PAUSE_SECONDS_EACH = 1 / 1000  # for each segment so far


class SegmentSink(Protocol):
    """Where they go. Raises what ends the work."""

    async def segments(self, lease: Lease, folder: Path, segments: Sequence[Segment]) -> None: ...


class Flow:
    """`made` takes a segment that is whole on disk; its file is removed once it is stored.

    `known` are those that an earlier attempt stored: they stay as they are, as viewers may have them already.
    """

    def __init__(self, sink: SegmentSink, lease: Lease, folder: Path, known: set[tuple[str, int]]) -> None:
        self._sink = sink
        self._lease = lease
        self._folder = folder
        self._known = known
        self._waiting: list[Segment] = []
        self._news = asyncio.Event()
        self._last = asyncio.Event()
        self._count = 0

    def made(self, segment: Segment) -> None:
        """To be called in the event loop."""
        self._waiting.append(segment)
        self._news.set()

    async def while_running(self, encode: Callable[[], Coroutine[Any, Any, Sequence[Segment]]]) -> None:
        """Encode and publish side by side; returns when all is published. Whichever fails ends the other."""
        encoding = asyncio.create_task(encode())
        publishing = asyncio.create_task(self._publish())
        try:
            await asyncio.wait({encoding, publishing}, return_when=asyncio.FIRST_COMPLETED)
            if publishing.done():
                await publishing  # it never ends by itself: this raises
            await encoding
            self._last.set()
            self._news.set()
            await publishing
        finally:
            for task in (encoding, publishing):
                task.cancel()
            await asyncio.gather(encoding, publishing, return_exceptions=True)

    async def _publish(self) -> None:
        while self._waiting or not self._last.is_set():
            await self._news.wait()
            self._news.clear()
            batch, self._waiting = self._waiting, []
            await self._take(batch)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS + self._count * PAUSE_SECONDS_EACH):
                    await self._last.wait()

    async def _take(self, batch: Sequence[Segment]) -> None:
        fresh = [one for one in batch if (one.rendition, one.number) not in self._known]
        if fresh:
            await self._sink.segments(self._lease, self._folder, fresh)
        for one in batch:
            (self._folder / one.rendition / f"{one.number}.m4s").unlink(missing_ok=True)
        self._count += len(batch)
