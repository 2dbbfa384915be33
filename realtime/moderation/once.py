"""Recording what several nodes may bring: a deed that has its id from what it is about is recorded once."""

from collections.abc import Sequence
from typing import Protocol

from realtime.moderation import repository
from realtime.moderation.deeds import Deed
from realtime.moderation.record import Held, Records


class Warming(Protocol):
    """The part of `realtime.room.projection.Projection` that is needed here."""

    async def warm(self, stream_id: str, channel_id: str) -> int: ...


class Once:
    """`Records`, for deeds that are brought again after a crash or by two nodes at once."""

    def __init__(self, records: Records, rooms: Warming) -> None:
        self._records = records
        self._rooms = rooms

    async def record(self, deed: Deed) -> None:
        """Record the deed unless its id is in the log; raises `ChannelNotFound`, `Unavailable`.

        The channel's lock makes looking and writing one step. The room knows its rules before: one that is told them
        later would take the deed for old, and never show its entry.
        """
        if deed.stream_id is not None:
            await self._rooms.warm(deed.stream_id, deed.channel_id)

        async def decided(held: Held) -> Sequence[Deed]:
            known = await repository.ruling(held.connection, deed.channel_id, deed.id)
            return [] if known else [deed]

        await self._records.decide(deed.channel_id, decided)
