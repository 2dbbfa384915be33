"""`footlight sandbox`: the stand-in for Stripe, for development and tests. No money moves."""

import argparse
import asyncio
import ipaddress
import os

import uvloop

from gateway.serving import listen, nothing_before, serve, stop_on_signals
from infra.logs import configure_logs, get_logger
from payments.sandbox.deliveries import Endpoint
from payments.sandbox.errors import CannotStart
from payments.sandbox.running import Options, open_sandbox

log = get_logger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; needs no settings of the platform. Raises `CannotStart`."""
    options = options_of(arguments)
    configure_logs(os.environ.get("FOOTLIGHT_LOG_LEVEL", "INFO"), "console", "sandbox")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options, arguments.host, arguments.port))


async def _serve(options: Options, host: str, port: int) -> int:
    stop = stop_on_signals()
    async with open_sandbox(options) as app:
        log.info("sandbox.started", url=options.url, told=options.endpoint.url if options.endpoint else None)
        await serve(app, [listen(host, port)], stop, nothing_before)
    return 0


def options_of(arguments: argparse.Namespace) -> Options:
    """Raises `CannotStart` for what could be mistaken for Stripe, or reached by others."""
    if not _is_loopback(arguments.host) and not arguments.anywhere:
        raise CannotStart(f"{arguments.host} can be reached by others, who could then pay with nothing. "
                          "If that is meant: --anywhere.")  # fmt: skip
    endpoint = None
    if arguments.webhook_url:
        secret = os.environ.get(arguments.webhook_secret_env, "").partition(",")[0].strip()
        if not secret:
            raise CannotStart(f"Webhooks are signed: set {arguments.webhook_secret_env}.")
        endpoint = Endpoint(arguments.webhook_url, secret)
    return Options(
        file=arguments.data,
        url=arguments.public_url or f"http://localhost:{arguments.port}",
        key=os.environ.get(arguments.key_env, ""),
        endpoint=endpoint,
        anywhere=arguments.anywhere,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
