"""The recording half of a live process, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.clock import Clock, new_id
from infra.settings import LiveSettings
from infra.stores.objects import Objects
from infra.stores.postgres import Postgres
from media.recording.recorder import Recorder
from media.recording.spool import Spool
from media.recording.uploader import Uploader


@asynccontextmanager
async def open_recorder(
    settings: LiveSettings, db: Postgres, objects: Objects, clock: Clock
) -> AsyncIterator[Recorder]:
    """Record what is given to the recorder. Leaving the block stores what can be stored in a few seconds; the next
    process on this disk stores the rest. Close whoever records before.
    """
    spool = await asyncio.to_thread(Spool.new, settings.recording_spool, new_id)
    recorder = Recorder(spool, settings.recording_spool_bytes)
    uploader = Uploader(recorder, db, objects, clock)
    recorder.on_cut_short = uploader.cut_short
    writing, moving = asyncio.create_task(recorder.run()), asyncio.create_task(uploader.run())
    try:
        yield recorder
    finally:
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
        await uploader.last_round()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
