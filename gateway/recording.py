"""What a worker does for recordings of live streams: it makes videos of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.converting import transcoding_of
from gateway.core import Core, running
from infra.clock import system_clock
from infra.stores.mongo import Mongo
from infra.stores.objects import Objects
from media.catalog.announcing import to_bus
from media.catalog.videos import Catalogue
from media.recording.maker import Maker, follow_ended
from media.vod.uploads import Uploads


@asynccontextmanager
async def making_recordings(core: Core, mongo: Mongo, objects: Objects) -> AsyncIterator[None]:
    """Until the block is left."""
    settings = core.settings
    catalogue = Catalogue(mongo, to_bus(core.bus), system_clock)
    transcodes = transcoding_of(core.settings, core.outbox)
    maker = Maker(
        db=core.db,
        objects=objects,
        catalogue=catalogue,
        uploads=Uploads.over(core.db, objects, catalogue, transcodes, core.outbox, settings.vod),
        ffmpeg=settings.live.ffmpeg,
        clock=system_clock,
        nudge=core.outbox.nudge,
    )
    maker.on_failed = core.metrics.recordings_failed.inc
    following = await follow_ended(core.bus, maker)
    try:
        async with running(maker.run()):
            yield
    finally:
        await following.close()
