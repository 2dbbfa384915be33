"""Which rooms the archiver must look at: a node marks a room before its first append, and again every minute.

So a crash cannot hide a room that has unarchived entries. When the mark cannot be set the message goes on: the log
drops nothing that is not archived, and the archiver's safety scan finds the room later.
"""

import asyncio
import contextvars
from collections import OrderedDict

from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.redis import Functions

INDEX = "archive:{rooms}:active"
REFRESH_SECONDS = 60.0
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 0.5
MAX_REMEMBERED = 10_000

log = get_logger(__name__)


class Marks:
    """The marks this process has set."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._again_at: OrderedDict[str, float] = OrderedDict()
        self._setting: dict[str, asyncio.Task[None]] = {}

    async def set(self, room: str) -> None:
        """Return when the room is marked, at once if it was lately; concurrent callers share one call."""
        if self._again_at.get(room, 0.0) > asyncio.get_running_loop().time():
            return
        setting = self._setting.get(room)
        if setting is None:
            setting = self._setting[room] = asyncio.create_task(self._set(room), context=contextvars.Context())
            setting.add_done_callback(lambda _: self._setting.pop(room, None))
        await asyncio.shield(setting)

    async def _set(self, room: str) -> None:
        wait = REFRESH_SECONDS
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._functions.call("room_mark", [INDEX], [room])
        except (TimeoutError, Unavailable) as failure:
            log.warning("archive.unmarked", stream_id=room, why=type(failure).__name__)
            wait = RETRY_SECONDS
        self._again_at[room] = asyncio.get_running_loop().time() + wait
        self._again_at.move_to_end(room)
        if len(self._again_at) > MAX_REMEMBERED:
            self._again_at.popitem(last=False)
