"""Ends uploads that nobody ends, and does what was left undone when a process died.

Any number may run at once: every step checks the row again, and may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.postgres import Postgres
from media.vod.upload_ends import UploadEnds
from media.vod.upload_repository import UploadRepository
from media.vod.upload_storage import FOLDER, UploadStorage

SWEEP_SECONDS = 30.0
HOUSEKEEPING_ROUNDS = 120  # an hour
UNDONE_AFTER = timedelta(minutes=1)  # who closed it is long done with it, or gone
ABORTED_KEPT = timedelta(days=1)  # so long does an aborted upload say that it is
# A multipart upload that no row knows is left over from a crash. Elsewhere than here it may be somebody's long work.
STRANGERS_AFTER: Mapping[str, timedelta] = {FOLDER: timedelta(days=1), "": timedelta(days=7)}

log = get_logger(__name__)


class UploadSweeper:
    """Sweeps every `SWEEP_SECONDS` until cancelled."""

    def __init__(
        self, db: Postgres, storage: UploadStorage, ends: UploadEnds, origins: Sequence[str], clock: Clock
    ) -> None:
        """`origins`: those whose pages may send parts to the bucket."""
        self._db = db
        self._repository = UploadRepository()
        self._storage = storage
        self._ends = ends
        self._origins = origins
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever; what fails now is tried again in the next round."""
        rounds_to_housekeeping = 0
        while True:
            await self._tried(self.sweep)
            if rounds_to_housekeeping <= 0:
                rounds_to_housekeeping = HOUSEKEEPING_ROUNDS if await self._tried(self.keep_house) else 1
            rounds_to_housekeeping -= 1
            await asyncio.sleep(SWEEP_SECONDS)

    async def _tried(self, work: Callable[[], Awaitable[object]]) -> bool:
        try:
            await work()
        except FootlightError as failure:
            log.error("upload.sweep_failed", code=failure.code)
            return False
        except Exception:  # nobody else ends what is over: one bad round must not be the last
            log.exception("upload.sweep_failed")
            return False
        return True

    async def sweep(self) -> None:
        """Give up what is overdue, and settle what was left."""
        now = self._clock()
        async with self._db.connection() as connection:
            overdue = await self._repository.overdue(connection, now)
            unsettled = await self._repository.unsettled(connection, now - UNDONE_AFTER)
            await self._repository.forget(connection, now - ABORTED_KEPT)
        for upload in overdue:
            log.info("upload.expired", video_id=upload.video_id)
            await self._tried(partial(self._ends.give_up, upload.video_id))
        for upload in unsettled:
            await self._tried(partial(self._ends.settle, upload))

    async def keep_house(self) -> None:
        """What needs looking at now and then: who may send to the bucket, and parts that belong to nothing."""
        await self._storage.allow_origins(self._origins)
        for folder, patience in STRANGERS_AFTER.items():
            begun = await self._storage.begun_before(self._clock() - patience, folder)
            async with self._db.connection() as connection:
                known = await self._repository.known(connection, [one.multipart_id for one in begun])
            for one in begun:
                if one.multipart_id not in known:
                    log.info("upload.stranger_aborted", key=one.key, begun_at=one.at.isoformat())
                    await self._storage.abort(one.key, one.multipart_id)
