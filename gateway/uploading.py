"""What a worker does for uploads: it ends those that nobody ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.converting import transcoding_of
from gateway.core import Core, running
from infra.clock import system_clock
from infra.stores.mongo import Mongo
from infra.stores.objects import Objects
from media.catalog.announcing import to_bus
from media.catalog.videos import Catalogue
from media.vod.uploads import Uploads


@asynccontextmanager
async def sweeping_uploads(core: Core, mongo: Mongo, objects: Objects) -> AsyncIterator[None]:
    """Until the block is left."""
    catalogue = Catalogue(mongo, to_bus(core.bus), system_clock)
    transcodes = transcoding_of(core.settings, core.outbox)
    uploads = Uploads.over(core.db, objects, catalogue, transcodes, core.outbox, core.settings.vod)
    async with running(uploads.sweeper(core.settings.web.all_origins).run()):
        yield
