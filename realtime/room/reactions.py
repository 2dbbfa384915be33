"""Reactions: counted, never kept. The room is told how many of each came since the last time, at most once a second."""

from infra.clock import NewId, new_id
from infra.stores.redis import Functions
from realtime.moderation.errors import ReactionsTooFast
from realtime.room.features import FeatureCalls, KnowRules
from realtime.room.rounds import OpenRooms, Rounds

TOLD_EVERY_SECONDS = 1.0
MOST_A_SECOND = 5  # of one user in one room, over all their sockets and all nodes


class Reactions:
    """The reactions of all rooms."""

    def __init__(
        self,
        functions: Functions,
        know_rules: KnowRules,
        *,
        told_every_seconds: float = TOLD_EVERY_SECONDS,
        ids: NewId = new_id,
    ) -> None:
        self._calls = FeatureCalls(functions, know_rules)
        self._told_every_ms = int(told_every_seconds * 1000)
        self._ids = ids
        self._rounds = Rounds("reactions", self.look)

    async def react(self, stream_id: str, user_id: str, reaction: str) -> None:
        """Count one; raises `ReactionsTooFast`, `ChatBanned`, `Unavailable`."""
        parts = ("reactions", f"reacted:{user_id}", "bans", "rules", "channel")
        arguments = [stream_id, user_id, reaction, self._ids(), self._told_every_ms, MOST_A_SECOND]
        answer, wait_ms = await self._calls.call(stream_id, "react", parts, arguments)
        if answer == b"fast":
            raise ReactionsTooFast(retry_after_ms=int(wait_ms))
        if wait_ms >= 0:
            self._rounds.soon(stream_id, int(wait_ms) / 1000)

    async def look(self, stream_id: str) -> float | None:
        """Tell what was not told; the seconds until that may be done, or None when there is nothing more."""
        arguments = [stream_id, self._told_every_ms]
        wait_ms = await self._calls.call(stream_id, "reactions_show", ("reactions", "channel"), arguments)
        return None if wait_ms < 0 else int(wait_ms) / 1000

    async def run(self, rooms: OpenRooms) -> None:
        """Look after the rooms that are open here, until cancelled."""
        await self._rounds.run(rooms)
