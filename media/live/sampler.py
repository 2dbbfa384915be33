"""Takes a reading of every stream on air, every ten seconds of the clock.

Any number of workers do it at once: a reading's id is its stream and slot, and of two only one is kept. What cannot be
asked just now is unknown in the reading; a round that fails altogether leaves a gap.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from infra.clock import Clock, system_clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.redis import RedisUnavailable
from media.live.samples import SLOT_SECONDS, Reading, slot_of
from media.live.state import Stream
from media.live.streams import Streams
from media.ports import Health

SETTLE_SECONDS = 1.0  # after the end of a slot: rows that were being committed at its end are there

log = get_logger(__name__)


class Audience(Protocol):
    """How many watch."""

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]: ...

    async def peaks(self, stream_ids: Sequence[str]) -> Mapping[str, int]: ...


class Activity(Protocol):
    """What happens in rooms and channels; all raise `Unavailable`, and leave out who has nothing."""

    async def entries(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        """The newest offset of each room's log."""
        ...

    async def actions(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        """How often moderators of each channel acted from `since` up to `until`."""
        ...

    async def followers(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        """How many follow each channel since some moment from `since` up to `until`."""
        ...


class Readings(Protocol):
    """See `Timeline`."""

    async def keep(self, readings: Sequence[Reading]) -> int: ...


class Sampler:
    """Samples until cancelled; may be killed at any moment."""

    def __init__(
        self,
        streams: Streams,
        audience: Audience,
        activity: Activity,
        readings: Readings,
        clock: Clock = system_clock,
    ) -> None:
        self._streams = streams
        self._audience = audience
        self._activity = activity
        self._readings = readings
        self._clock = clock

    async def run(self) -> None:
        """Sample for ever; a round that fails is a gap in the chart and no more."""
        while True:
            await asyncio.sleep(SLOT_SECONDS - (self._clock().timestamp() - SETTLE_SECONDS) % SLOT_SECONDS)
            try:
                await self.sample()
            except FootlightError as failure:
                log.warning("sample.failed", code=failure.code)
            except Exception:  # one bad round must not be the last
                log.exception("sample.failed")

    async def sample(self) -> int:
        """One round; returns how many readings it was first to keep."""
        until = slot_of(self._clock())
        since = until - timedelta(seconds=SLOT_SECONDS)
        on_air = [stream for stream in await self._streams.all_open() if stream.status in ("live", "interrupted")]
        if not on_air:
            return 0
        streams = [stream.id for stream in on_air]
        channels = [stream.creator_id for stream in on_air]
        viewers, peaks, actions, followers, (health, entries) = await asyncio.gather(
            self._audience.counts(streams),
            self._audience.peaks(streams),
            self._activity.actions(channels, since, until),
            self._activity.followers(channels, since, until),
            self._of_redis(streams),
        )

        def reading(stream: Stream) -> Reading:
            encoder = health.get(stream.id)
            return Reading(
                stream_id=stream.id,
                at=until,
                status=stream.status,
                viewers=viewers[stream.id],
                peak=max(viewers[stream.id], peaks[stream.id]),
                entries=entries.get(stream.id, 0) if entries is not None else None,
                actions=actions.get(stream.creator_id, 0),
                followers=followers.get(stream.creator_id, 0),
                bitrate_kbps=encoder.bitrate_kbps if encoder else None,
                fps=encoder.fps if encoder else None,
            )

        return await self._readings.keep([reading(stream) for stream in on_air])

    async def _of_redis(self, stream_ids: Sequence[str]) -> tuple[Mapping[str, Health], Mapping[str, int] | None]:
        try:
            return await self._streams.health_of(stream_ids), await self._activity.entries(stream_ids)
        except RedisUnavailable as failure:
            log.warning("sample.incomplete", code=failure.code)
            return {}, None
