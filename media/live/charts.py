"""Who may see how a stream went, and which part of it."""

from datetime import datetime, timedelta
from typing import Protocol

from accounts.model import Identity
from infra.clock import Clock, system_clock
from infra.errors import Invalid
from media.errors import NotYourStream
from media.live.samples import SLOT_SECONDS
from media.live.streams import Streams
from media.live.timeline import Raids, Timeline, Told


class ChannelOffice(Raids, Protocol):
    """What the channel knows."""

    async def may_see(self, channel_id: str, who: Identity) -> bool:
        """Whether somebody moderates the channel, or more."""
        ...


class Charts:
    """The service behind a stream's time line."""

    def __init__(
        self, streams: Streams, timeline: Timeline, office: ChannelOffice, clock: Clock = system_clock
    ) -> None:
        self._streams = streams
        self._timeline = timeline
        self._office = office
        self._clock = clock

    async def of(
        self, stream_id: str, who: Identity, *, since: datetime | None, until: datetime | None, points: int
    ) -> Told:
        """From `since` (its creation) up to `until` (now): at most `points` samples, 2 or more.

        Raises `StreamNotFound`, `NotYourStream` for who neither owns nor moderates the channel, `Invalid` when
        `until` is not after `since`, `MongoUnavailable`.
        """
        stream = await self._streams.get(stream_id)
        if not await self._office.may_see(stream.creator_id, who):
            raise NotYourStream(stream_id=stream.id)
        first = since or stream.created_at
        # What happened at this very moment belongs to the answer.
        last = until or self._clock() + timedelta(seconds=SLOT_SECONDS)
        if first >= last:
            raise Invalid(fields={"from": "must be before `to`"})
        return await self._timeline.between(stream.id, first, last, points, self._office)
