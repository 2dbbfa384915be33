"""The part of a node that answers HTTP: the API and the stores only it uses. Real-time nodes do without all of it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar

from api.app import create_api
from gateway.activity import RoomActivity
from gateway.converting import transcoding_of
from gateway.core import Core, running
from gateway.earning import desk_of, earnings_of
from gateway.health import Store
from gateway.paying import Paying, open_paying
from gateway.replaying import open_replay
from infra.clock import system_clock
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.objects import open_objects
from infra.stores.search import open_search
from media.catalog.announcing import to_bus
from media.catalog.indexes import keep_making_indexes
from media.catalog.library import Library
from media.catalog.search import VideoSearch
from media.catalog.views import Views
from media.catalog.watching import Watching
from media.delivery.playback import Playback
from media.delivery.signing import load_signer
from media.live.charts import Charts
from media.live.timeline import Timeline
from media.recording.repository import RecordingRepository
from media.vod.retrying import Retrying
from media.vod.uploads import Uploads
from realtime.channel_emotes import ChannelEmotes
from realtime.moderation.channels import Channels
from realtime.moderation.live import HeldInChannels
from realtime.moderation.said import MongoSaid
from realtime.ports import ViewerCounts


@dataclass(frozen=True)
class Web:
    """The API, and what readiness says about its stores."""

    api: Litestar
    stores: Mapping[str, Store]


@asynccontextmanager
async def open_web(core: Core, viewers: ViewerCounts) -> AsyncIterator[Web]:
    """Connect to the stores and build the API."""
    settings = core.settings
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        objects = await stack.enter_async_context(open_objects(settings.objects))
        search = await stack.enter_async_context(open_search(settings.search))
        await stack.enter_async_context(running(keep_making_indexes(mongo)))
        paying = await stack.enter_async_context(open_paying(core))
        library = Library.over(mongo, objects, to_bus(core.bus), system_clock)
        transcodes = transcoding_of(core.settings, core.outbox)
        yield Web(
            api=create_api(
                accounts=core.accounts,
                streams=core.streams,
                viewers=viewers,
                charts=Charts(core.streams, Timeline(mongo), RoomActivity(core.db, core.redis)),
                channel_emotes=ChannelEmotes(core.db, objects, system_clock),
                channels=Channels.over(
                    core.db, core.outbox, core.desk.moderation, MongoSaid(mongo), clock=system_clock
                ),
                held_queue=HeldInChannels(core.db, core.desk.holding),
                library=library,
                replay=open_replay(mongo, library.catalogue),
                video_search=VideoSearch(search, library.catalogue, time.monotonic),
                uploads=Uploads.over(
                    core.db,
                    objects,
                    library.catalogue,
                    transcodes,
                    core.outbox,
                    settings.vod,
                ),
                retrying=Retrying(
                    core.db, library.catalogue, transcodes, RecordingRepository(), system_clock, core.outbox.nudge
                ),
                watching=Watching(Views(core.redis, system_clock), library.history),
                playback=Playback(load_signer(settings.playback, settings.live.edge_public_url, system_clock)),
                **(_sold(core, paying, mongo) if paying else {}),
                settings=settings,
            ),
            stores={
                "mongo": Store(mongo.ping, needed=False),
                "objects": Store(objects.ping, needed=False),
                "search": Store(search.ping, needed=False),
            },
        )


def _sold(core: Core, paying: Paying, mongo: Mongo) -> dict[str, Any]:
    """What the API needs where payments are on."""
    return {
        "orders": paying.orders,
        "subscriptions": paying.subscriptions,
        "gifts": paying.selling.gifts,
        "paid_messages": paying.selling.paid_messages,
        "earnings": earnings_of(core, paying, mongo),
        "payment_desk": desk_of(core, paying),
        "webhooks": paying.webhooks,
    }
