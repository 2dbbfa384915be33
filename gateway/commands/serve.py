"""`footlight serve`: one node of the API, the real-time server, or both."""

import argparse
import asyncio
import gc

from gateway.app import create_app
from gateway.platform import open_platform
from gateway.private import open_private_door
from gateway.serving import inherited, listen, serve, stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings

# A connection is some thirty objects that live for an hour. With Python's own thresholds a node of 10,000 looks at all
# of them again and again: connecting cost 1.0 ms instead of 0.5, and a full look stops every room for 100 ms.
COLLECT_AFTER = (50_000, 20, 50)

log = get_logger(__name__)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop: readiness off, no new clients, sockets moved, requests finished, stores closed."""
    stop, web = stop_on_signals(), settings.web
    async with (
        open_platform(settings, with_http=arguments.role != "realtime") as platform,
        open_private_door(platform.realtime, settings.realtime.private_host),
    ):
        app, health = create_app(platform, with_realtime=arguments.role != "http")

        async def announce() -> None:
            health.draining = True
            await asyncio.sleep(web.stop_delay_seconds)

        async def move_sockets() -> None:
            await platform.realtime.drain(web.stop_seconds / 2)  # closing who stayed takes up to 1.5 s more

        sockets = [inherited(number) for number in arguments.fd] + [listen(arguments.host, arguments.port)]
        gc.collect()
        gc.freeze()  # what a node consists of stays
        gc.set_threshold(*COLLECT_AFTER)
        log.info("node.started", port=arguments.port, role=arguments.role)
        await serve(app, sockets, stop, move_sockets, announce=announce, stop_seconds=web.stop_seconds)
    return 0
