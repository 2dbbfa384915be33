"""Ends what nobody ends: encoders that never came or never came back, and live processes that died.

A stream that says `live` while no health was reported belongs to a live process that was killed: it becomes
`interrupted`, and either an encoder returns or it ends. An interrupted stream whose encoder goes on reporting pictures
was only lost sight of: it becomes `live` again and is not ended. Any number of sweepers may run at once, because every
verdict is checked again under the row's lock.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.clock import Clock, system_clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.redis import RedisUnavailable
from media.live.state import Stream, overdue
from media.live.streams import Streams

SWEEP_SECONDS = 5.0
# Watched this long without a report before we act: a cluster that lost its memory is full of silent streams until the
# next reports come in, and an encoder that has just connected has not reported yet.
SILENT_AFTER = timedelta(seconds=8)

# Interrupted for this long, what is reported is newer than the interruption: reports live 10 s.
HEARD_AFTER = timedelta(seconds=12)

Connection = tuple[str, int]  # stream id and number of the encoder's connection: a new encoder starts a new silence

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do now, and what to remember for the next time."""

    overdue: list[str]
    silent: list[Connection]
    returned: list[Connection]
    silent_since: dict[Connection, datetime]


def judge(
    streams: Sequence[Stream],
    heard_from: Collection[str] | None,
    silent_since: Mapping[Connection, datetime],
    now: datetime,
    reconnect: timedelta,
) -> Verdict:
    """Decide about every open stream. `heard_from` None: reports cannot be read, so nobody is called silent."""
    heard = {stream.id for stream in streams if heard_from is not None and stream.id in heard_from}
    ending = [stream.id for stream in streams if overdue(stream, now, reconnect) and stream.id not in heard]
    returned = [
        (stream.id, stream.connections)
        for stream in streams
        if stream.id in heard and stream.interrupted_at and now - stream.interrupted_at >= HEARD_AFTER
    ]
    watched = {
        (stream.id, stream.connections): silent_since.get((stream.id, stream.connections), now)
        for stream in streams
        if stream.status == "live" and heard_from is not None and stream.id not in heard_from
    }
    silent = [connection for connection, since in watched.items() if now - since >= SILENT_AFTER]
    return Verdict(ending, silent, returned, watched)


class Sweeper:
    """Sweeps every `SWEEP_SECONDS` until cancelled."""

    def __init__(self, streams: Streams, clock: Clock = system_clock) -> None:
        self._streams = streams
        self._clock = clock
        self._silent_since: dict[Connection, datetime] = {}

    async def run(self) -> None:
        """Sweep for ever; what fails now is tried again in the next round."""
        while True:
            try:
                await self.sweep()
            except FootlightError as failure:
                log.error("sweep.failed", code=failure.code)
            except Exception:  # nobody else ends what is over: one bad round must not be the last
                log.exception("sweep.failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """One round."""
        streams = await self._streams.all_open()
        heard_from = await self._heard_from(streams)
        verdict = judge(streams, heard_from, self._silent_since, self._clock(), self._streams.reconnect)
        self._silent_since = verdict.silent_since
        for stream_id in verdict.overdue:
            await self._streams.end_if_overdue(stream_id)
        for stream_id, number in verdict.silent:
            await self._streams.drop_if_still(stream_id, number)
        for stream_id, number in verdict.returned:
            await self._streams.heal_if_still(stream_id, number)

    async def _heard_from(self, streams: Sequence[Stream]) -> set[str] | None:
        live = [stream.id for stream in streams if stream.status == "live"]
        interrupted = [stream.id for stream in streams if stream.status == "interrupted"]
        try:
            return await self._streams.heard_from(live) | await self._streams.publishing(interrupted)
        except RedisUnavailable as failure:
            log.error("sweep.health_unknown", code=failure.code)
            return None
