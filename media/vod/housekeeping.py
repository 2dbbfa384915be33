"""What every transcoder does beside its tasks, so that none waits for one that is dead: frees tasks of the lost, tells
documents of failures, deletes what is left over, forgets unused sources."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.postgres import PostgresUnavailable
from media.catalog.model import Failure
from media.vod.leases import Leases
from media.vod.leftovers import Leftovers
from media.vod.source import Sources

MOST_SECONDS_BETWEEN = 5.0

log = get_logger(__name__)

Tell = Callable[[str, str, Failure], Awaitable[None]]


class Housekeeping:
    """Any number may do it at once."""

    def __init__(self, leases: Leases, leftovers: Leftovers, sources: Sources, tell_failure: Tell) -> None:
        self._leases = leases
        self._leftovers = leftovers
        self._sources = sources
        self._tell_failure = tell_failure
        self._not_before = 0.0

    async def run(self, freed: Callable[[int], None]) -> None:
        """Until cancelled; `freed` is called with how many tasks there are to take again."""
        while True:
            await asyncio.sleep(min(MOST_SECONDS_BETWEEN, self._leases.lease_seconds / 2))
            try:
                if tasks := await self.round():
                    freed(tasks)
            except PostgresUnavailable as away:
                # Leases ran out while nobody could renew them: their holders get the time to say that they live.
                self._not_before = time.monotonic() + self._leases.lease_seconds
                log.error("housekeeping.waits", code=away.code)
            except FootlightError as failure:
                log.error("housekeeping.waits", code=failure.code)
            except Exception:  # nobody else frees what is lost: one bad round must not be the last
                log.exception("housekeeping.failed")

    async def round(self) -> int:
        """One round; how many tasks were freed."""
        freed = await self._leases.sweep_lost() if time.monotonic() >= self._not_before else 0
        await self._sources.tidy()
        await self._leases.tell_failures(self._tell_failure)
        await self._leftovers.sweep()
        return freed
