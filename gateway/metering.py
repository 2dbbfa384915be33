"""A page of figures for processes that serve nothing else: `/metrics` of workers and transcoders, for Prometheus.

The library's own server in a thread of its own; it answers at loopback unless told otherwise, and to everybody who can
reach it there. Nodes and the edge show their figures on the port they serve at.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import start_http_server

from infra.logs import get_logger
from infra.metrics import Metrics

log = get_logger(__name__)


@asynccontextmanager
async def showing(metrics: Metrics, host: str, port: int) -> AsyncIterator[None]:
    """Until the block is left; port 0 shows none. Raises `OSError` when the port is taken."""
    if port == 0:
        yield
        return
    server, thread = start_http_server(port, host, metrics.registry)
    log.info("metrics.shown", host=host, port=port)
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
