"""What a worker does for the catalogue of videos: it publishes, counts, renames and removes what was left to do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.converting import transcoding_of
from gateway.core import Core, running
from infra.clock import system_clock
from infra.forever import forever
from infra.settings import Settings
from infra.stores.mongo import Mongo
from infra.stores.objects import Objects
from media.catalog import announcing, deleting, views
from media.catalog.deleting import Caches, Deleting, Leaving, cancelling, follow_deletions
from media.catalog.hiding import Hiding, follow_hidden
from media.catalog.indexes import keep_making_indexes
from media.catalog.library import Library
from media.catalog.naming import follow_names
from media.catalog.views import Views
from media.delivery.cloudfront import CloudFrontCopies, cloudfront_client
from media.delivery.purging import EdgePurging, purge_key_of
from media.vod.uploads import Uploads


@asynccontextmanager
async def cataloguing(core: Core, mongo: Mongo, objects: Objects) -> AsyncIterator[None]:
    """Until the block is left."""
    library = Library.over(mongo, objects, announcing.to_bus(core.bus), system_clock)
    catalogue, counted = library.catalogue, Views(core.redis, system_clock)
    caches = _caches(core.settings)
    removal = _deletion(core, library, objects, counted, caches)
    hiding = Hiding(catalogue.repository, objects, caches)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(keep_making_indexes(mongo)))
        for name, work, seconds in (
            ("catalog.announcing", catalogue.announcer.sweep, announcing.SWEEP_SECONDS),
            ("catalog.likes", library.likes.sweep, announcing.SWEEP_SECONDS),
            ("catalog.views", lambda: counted.flush(catalogue), views.FLUSH_SECONDS),
            ("catalog.deleting", removal.sweep, deleting.SWEEP_SECONDS),
        ):
            await stack.enter_async_context(running(forever(name, work, every_seconds=seconds)))
        for following in (
            await follow_names(core.bus, catalogue),
            await follow_deletions(core.bus, catalogue.repository, removal),
            await follow_hidden(core.bus, hiding),
        ):
            stack.push_async_callback(following.close)
        yield


def _deletion(core: Core, library: Library, objects: Objects, counted: Views, caches: Caches) -> Deleting:
    transcodes = transcoding_of(core.settings, core.outbox)
    uploads = Uploads.over(core.db, objects, library.catalogue, transcodes, core.outbox, core.settings.vod)
    leaving = Leaving(library.likes, library.history, counted)
    stops = [cancelling(core.db, transcodes), uploads.remove_source]
    return Deleting(library.catalogue.repository, objects, leaving, stops, system_clock, caches=caches)


def _caches(settings: Settings) -> Caches:
    if settings.playback.distribution_id:
        return CloudFrontCopies(cloudfront_client, settings.playback.distribution_id)
    return EdgePurging(settings.live.edge_public_url, purge_key_of(settings.auth.secret))
