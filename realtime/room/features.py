"""What held messages, polls, reactions and raids share: their library in Redis (`features.lua`), and its calls."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from infra.errors import Unavailable
from infra.stores.redis import Functions, Redis
from realtime.errors import ChatBanned
from realtime.moderation.deeds import Deed
from realtime.room.log_redis import key

SOURCE = Path(__file__).with_name("features.lua")
COLD_ATTEMPTS = 3
OURS = UUID("b1f0a0f6-3a55-5c0a-9f0e-5d4a3f4c8a11")  # a namespace of our own, RFC 9562 section 5.5

KnowRules = Callable[[str], Awaitable[object]]  # makes the room of that id know its rules: `RoomLog.known`
RecordOnce = Callable[[Deed], Awaitable[object]]  # `realtime.moderation.once`: a deed whose id is known changes nothing


def feature_functions(redis: Redis) -> Functions:
    """The library behind all four."""
    return Functions(redis, SOURCE.read_text())


def id_of(*parts: str) -> str:
    """The same id for the same parts on every node, so what is done twice is recorded once."""
    return str(uuid5(OURS, "\n".join(parts)))


class FeatureCalls:
    """Calls on the shard of a room, which is told its rules when it lost them."""

    def __init__(self, functions: Functions, know_rules: KnowRules) -> None:
        self._functions = functions
        self._know_rules = know_rules

    async def call(self, room: str, function: str, parts: Sequence[str], arguments: Sequence[Any] = ()) -> Any:
        """The answer; raises `ChatBanned` for who may not take part, and `Unavailable`."""
        keys = [key(room, part) for part in parts]
        for _ in range(COLD_ATTEMPTS):
            answer = await self._functions.call(function, keys, arguments)
            match answer:
                case [b"rules"]:
                    await self._know_rules(room)
                case [b"banned", wait]:
                    raise ChatBanned(retry_after_ms=int(wait) or None)
                case _:
                    return answer
        raise Unavailable


def fields_of(flat: Sequence[bytes]) -> dict[str, bytes]:
    """A hash as Redis answers it."""
    return {flat[n].decode(): flat[n + 1] for n in range(0, len(flat), 2)}
