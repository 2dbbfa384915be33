"""`footlight worker`: background work. The outbox relay comes with the core, the sweeper of streams runs here."""

import argparse

from gateway.core import open_core, running
from gateway.serving import stop_on_signals
from infra.logs import get_logger
from infra.settings import Settings
from media.live.sweeper import Sweeper

log = get_logger(__name__)


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Work until told to stop."""
    stop = stop_on_signals()
    async with open_core(settings) as core, running(Sweeper(core.streams).run()):
        log.info("worker.started")
        await stop.wait()
    return 0
