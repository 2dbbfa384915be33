"""`footlight serve`: one node of the API, the real-time server, or both."""

import argparse

from gateway.app import create_app
from gateway.platform import open_platform
from gateway.serving import inherited, listen, serve, stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings

log = get_logger(__name__)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop: readiness off, sockets moved, requests finished, stores closed."""
    stop = stop_on_signals()
    async with open_platform(settings) as platform:
        app, health = create_app(
            platform, with_http=arguments.role != "realtime", with_realtime=arguments.role != "http"
        )

        async def before_stop() -> None:
            health.draining = True
            await platform.realtime.drain()

        sockets = [inherited(number) for number in arguments.fd] + [listen(arguments.host, arguments.port)]
        log.info("node.started", port=arguments.port, role=arguments.role)
        await serve(app, sockets, stop, before_stop)
    return 0
