"""Bringing a room to its channel's newest revision: each change is given to the room's shard once, in order.

Any node may do it at any time, several at once too: the shard takes a change only when it is the next.
"""

from collections import OrderedDict

from infra.errors import Unavailable
from infra.logs import get_logger
from realtime.room.log import Applied, RoomLog
from realtime.room.rules import ChannelRules

MAX_ROOMS = 1000
MAX_STEPS = 2000

log = get_logger(__name__)


class Projection:
    """`realtime.room.rules.RoomRules` over a room log."""

    def __init__(self, room_log: RoomLog, truth: ChannelRules) -> None:
        self._log = room_log
        self._truth = truth
        self._reached: OrderedDict[str, int] = OrderedDict()

    async def warm(self, stream_id: str, channel_id: str) -> int:
        """See that the room knows its rules, before something is decided: a room that is told the rules afterwards
        would know the decision and have no entry of it. Returns its revision."""
        known = await self._log.revision(stream_id)
        if known is None:
            await self._log.put_rules(stream_id, await self._truth.rules(channel_id))
            known = await self._log.revision(stream_id)
        return known or 0

    async def begin_again(self, stream_id: str, channel_id: str) -> int:
        """`catch_up`, by what the room says it knows: it may know less than before."""
        self._reached.pop(stream_id, None)
        return await self.catch_up(stream_id, channel_id)

    async def catch_up(self, stream_id: str, channel_id: str) -> int:
        """The revision the room has now; raises `Unavailable`, and may then be asked again."""
        reached, steps = self._reached.get(stream_id), 0
        if reached is None:
            reached = await self.warm(stream_id, channel_id)
        while changes := await self._truth.after(channel_id, reached):
            for change in changes:
                steps += 1
                answer = await self._log.control(stream_id, change)
                reached = answer.revision
                if not isinstance(answer, Applied):
                    break
            if steps > MAX_STEPS:  # a room that forgets what it is told
                log.error("room.cannot_catch_up", stream_id=stream_id, revision=reached)
                raise Unavailable
        self._remember(stream_id, reached)
        return reached

    def _remember(self, stream_id: str, revision: int) -> None:
        self._reached[stream_id] = revision
        self._reached.move_to_end(stream_id)
        if len(self._reached) > MAX_ROOMS:
            self._reached.popitem(last=False)
