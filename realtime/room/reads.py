"""Looking into a room's log: counted, and one look for all who ask the same at the same time."""

import asyncio
import contextvars
from typing import Protocol

from realtime.room.log import FRESH_ENTRIES, Lost, Position, Recovered

Found = Recovered | Lost
Question = tuple[str, Position | None, int]


class Readable(Protocol):
    """The reading half of `RoomLog`."""

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Found: ...


class LogReads:
    """`count` is how often the log was asked."""

    def __init__(self, room_log: Readable) -> None:
        self.count = 0
        self._log = room_log
        self._asking: dict[Question, asyncio.Task[Found]] = {}

    async def since(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Found:
        """A look that begins now: for those who must see what was appended before this moment."""
        self.count += 1
        return await self._log.since(room, position, fresh=fresh)

    async def shared(self, room: str, position: Position | None, *, fresh: int = FRESH_ENTRIES) -> Found:
        """A look that may have begun earlier, for those who hear the room since before that.

        What was appended after it came by the channel to the room that asks, so `bridge` and `fill` know it.
        """
        question = (room, position, fresh)
        asking = self._asking.get(question)
        if asking is None:
            asking = asyncio.create_task(self.since(room, position, fresh=fresh), context=contextvars.Context())
            self._asking[question] = asking
            asking.add_done_callback(lambda _: self._asking.pop(question, None))
        return await asyncio.shield(asking)  # one reader that goes away must not end it for the others

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
