"""When this node looks after its rooms: at the moment something is due, and now and then, in case the node that knew of
it is gone."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable

from infra.errors import FootlightError
from infra.forever import forever
from infra.logs import get_logger

TICK_SECONDS = 0.2
SWEEP_SECONDS = 5.0
RETRY_SECONDS = 1.0

log = get_logger(__name__)
Look = Callable[[str], Awaitable[float | None]]  # seconds until it should be looked at again; None when nothing is due
OpenRooms = Callable[[], Iterable[str]]


class Rounds:
    """Looks at rooms one by one, each in a task of its own: a shard that hangs delays only its rooms."""

    def __init__(
        self, name: str, look: Look, *, tick_seconds: float = TICK_SECONDS, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._name = name
        self._look = look
        self._tick_seconds = tick_seconds
        self._retry_seconds = retry_seconds
        self._due: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    def soon(self, stream_id: str, seconds: float) -> None:
        """Look at this room by then."""
        at = asyncio.get_running_loop().time() + seconds
        self._due[stream_id] = min(at, self._due.get(stream_id, at))

    async def run(self, rooms: OpenRooms) -> None:
        """Look until cancelled; every room of `rooms` once in SWEEP_SECONDS."""
        swept_at = 0.0

        async def begin_round() -> None:
            nonlocal swept_at
            now = asyncio.get_running_loop().time()
            if now >= swept_at + SWEEP_SECONDS:
                swept_at = now
                for stream_id in rooms():
                    self._begin(stream_id)
            for stream_id in [room for room, at in self._due.items() if at <= now]:
                self._begin(stream_id)

        try:
            await forever(self._name, begin_round, every_seconds=self._tick_seconds)
        finally:
            for task in tuple(self._looking.values()):
                task.cancel()
            await asyncio.gather(*self._looking.values(), return_exceptions=True)

    def _begin(self, stream_id: str) -> None:
        if stream_id in self._looking:
            return
        self._due.pop(stream_id, None)
        # Not in the context of whoever asked: its correlation id has no business here.
        task = asyncio.create_task(self._look_at(stream_id), context=contextvars.Context())
        self._looking[stream_id] = task
        task.add_done_callback(lambda _: self._looking.pop(stream_id, None))

    async def _look_at(self, stream_id: str) -> None:
        try:
            again = await self._look(stream_id)
        except FootlightError as failure:
            log.warning("feature.delayed", feature=self._name, stream_id=stream_id, code=failure.code)
            again = self._retry_seconds
        except Exception:  # the edge of a task nobody waits for; the next sweep looks again
            log.exception("feature.failed", feature=self._name, stream_id=stream_id)
            return
        if again is not None:
            self.soon(stream_id, again)
