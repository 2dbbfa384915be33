"""Rights that begin or end by time alone: nobody tells of it, so somebody has to look.

`right_changes` says when each user's standing changes next; a look is one read of its index. Several sweepers share
the work: what one is at the others pass over.
"""

import asyncio
from collections.abc import Iterator

from infra.errors import FootlightError, Unavailable
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Postgres
from payments.entitlements import Rights

SWEEP_SECONDS = 0.25  # what ended is told within a second
BATCH = 100
AT_ONCE = 4  # connections, of the process's pool of ten

log = get_logger(__name__)


class RightsSweeper:
    """Looks every `SWEEP_SECONDS` until cancelled."""

    def __init__(self, db: Postgres, rights: Rights, outbox: Outbox) -> None:
        self._db = db
        self._rights = rights
        self._outbox = outbox

    async def run(self) -> None:
        while True:
            try:
                while await self.sweep() == BATCH:
                    pass
            except FootlightError as failure:
                log.error("rights.sweep_failed", code=failure.code)
            except Exception:  # nobody else ends what time has ended: one bad round must not be the last
                log.exception("rights.sweep_failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> int:
        """One round; returns for how many people it was news. Raises `Unavailable`."""
        async with self._db.connection() as connection:
            due = await self._rights.due(connection, BATCH)
        waiting = iter(due)
        return sum(await asyncio.gather(*(self._work_off(waiting) for _ in range(AT_ONCE))))

    async def _work_off(self, waiting: Iterator[str]) -> int:
        """Take one after the other until none is left."""
        return sum([await self._refresh(user_id) for user_id in waiting])

    async def _refresh(self, user_id: str) -> bool:
        try:
            async with self._db.transaction() as connection:
                news = await self._rights.refresh(connection, user_id)
        except Unavailable:
            raise
        except Exception:  # whatever is wrong with this one, the others' rights end too
            log.exception("rights.stuck", user_id=user_id)
            return False
        if news:
            self._outbox.nudge()
        return news
