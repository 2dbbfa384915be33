"""`footlight edge`: the cache in front of the origin."""

import argparse
import time
from collections.abc import Callable

from gateway.serving import listen, nothing_before, serve, stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings
from infra.stores.objects import Objects, open_objects
from media.delivery.doorkeeper import Doorkeeper
from media.delivery.edge import open_edge
from media.delivery.purging import purge_key_of
from media.delivery.signing import read_public_keys

log = get_logger(__name__)


READ_SECONDS = 60  # more than any fetch takes


def reading(objects: Objects) -> Callable[[str], str]:
    """Where the file of a key can be read, as the edge may read it: the bucket is open to nobody else."""
    return lambda key: objects.presigned("get_object", READ_SECONDS, Key=key)


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop."""
    stop, live = stop_on_signals(), settings.live
    doorkeeper = Doorkeeper(read_public_keys(settings.playback.public_keys), live.edge_public_url, time.time)
    async with (
        open_objects(settings.objects) as objects,
        open_edge(
            live, settings.web.all_origins, doorkeeper, reading(objects), purge_key=purge_key_of(settings.auth.secret)
        ) as app,
    ):
        log.info("edge.started", port=live.edge_port)
        await serve(app, [listen(live.edge_host, live.edge_port)], stop, nothing_before)
    return 0
