"""What a node needs of moderation, and a node without it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from realtime.connections import Connection
from realtime.handlers.chat import ChatHandlers, ChatRules, Following, Holding, Screened, Screening
from realtime.room.log import RoomLog
from realtime.room.rooms import Rooms

Handler = Callable[[Connection, Any], Awaitable[Any]]


class Moderating(ChatRules, Protocol):
    """Everything that channels decide, for the rooms of one node."""

    def handlers(self, rooms: Rooms, chat: ChatHandlers) -> Mapping[str, Handler]:
        """The events of moderators and of the room's features, by name."""
        ...

    def running(self, rooms: Rooms) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs as long as the node does."""
        ...


class Unmoderated:
    """Rooms of no channel: everybody may speak, nothing is held, nobody commands. For tests of what is below."""

    def __init__(self, room_log: RoomLog) -> None:
        self.room_log = room_log
        self.screening: Screening = self
        self.holding: Holding = self
        self.following: Following = self

    async def screen(self, *_: object) -> Screened:
        return Screened()

    async def add(self, *_: object) -> None:
        return None

    async def since(self, *_: object) -> int | None:
        return None

    async def only_emotes(self, *_: object) -> bool:
        return False

    def handlers(self, rooms: Rooms, chat: ChatHandlers) -> Mapping[str, Handler]:
        return {}

    def running(self, rooms: Rooms) -> Sequence[Coroutine[Any, Any, None]]:
        return []
