"""The door other nodes use: it serves requests of this node's own real-time sessions, at an address of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from gateway.protocol import BoundedHttp
from gateway.serving import Server, listen
from realtime.server import Realtime

STOP_SECONDS = 1  # everybody was told to move before


@asynccontextmanager
async def open_private_door(realtime: Realtime, host: str) -> AsyncIterator[None]:
    """Listen on `host`, at a port the kernel chooses, and tell the other nodes. Leave the block when drained."""
    listener = listen(host, 0)
    config = uvicorn.Config(
        realtime.private_app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with realtime.reachable(host, listener.getsockname()[1]):
            yield
    finally:
        server.should_exit = True
        await serving
