"""`footlight edge`: the cache in front of the origin."""

import argparse

from gateway.serving import listen, nothing_before, serve, stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings
from media.delivery.edge import open_edge

log = get_logger(__name__)


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop."""
    stop, live = stop_on_signals(), settings.live
    async with open_edge(live, settings.web.all_origins) as app:
        log.info("edge.started", port=live.edge_port)
        await serve(app, [listen(live.edge_host, live.edge_port)], stop, nothing_before)
    return 0
