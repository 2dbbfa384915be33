"""`footlight serve`: one node of the API, the real-time server, or both."""

import argparse
import asyncio

from gateway.app import create_app
from gateway.platform import open_platform
from gateway.serving import inherited, listen, serve, stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings

log = get_logger(__name__)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop: readiness off, no new clients, sockets moved, requests finished, stores closed."""
    stop, web = stop_on_signals(), settings.web
    async with open_platform(settings) as platform:
        app, health = create_app(
            platform, with_http=arguments.role != "realtime", with_realtime=arguments.role != "http"
        )

        async def announce() -> None:
            health.draining = True
            await asyncio.sleep(web.stop_delay_seconds)

        async def move_sockets() -> None:
            await platform.realtime.drain(web.stop_seconds / 2)  # closing who stayed takes up to 1.5 s more

        sockets = [inherited(number) for number in arguments.fd] + [listen(arguments.host, arguments.port)]
        log.info("node.started", port=arguments.port, role=arguments.role)
        await serve(app, sockets, stop, move_sockets, announce=announce, stop_seconds=web.stop_seconds)
    return 0
