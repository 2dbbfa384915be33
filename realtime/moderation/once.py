"""Recording what several nodes may bring: a deed that has its id from what it is about is recorded once."""

from collections.abc import Sequence

from realtime.moderation import repository
from realtime.moderation.deeds import Deed
from realtime.moderation.record import Held, Records


class Once:
    """`Records`, for deeds that are brought again after a crash or by two nodes at once."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def record(self, deed: Deed) -> None:
        """Record the deed unless its id is in the log; raises `ChannelNotFound`, `Unavailable`.

        The channel's lock makes looking and writing one step.
        """

        async def decided(held: Held) -> Sequence[Deed]:
            known = await repository.ruling(held.connection, deed.channel_id, deed.id)
            return [] if known else [deed]

        await self._records.decide(deed.channel_id, decided)
