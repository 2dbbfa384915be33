"""A small app behind the real server and layers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.asgi import ASGIApp
from gateway.serving import listen, serve
from infra.local.parts import LOOPBACK

Serve = Callable[[ASGIApp], Awaitable[int]]


@pytest.fixture
async def served() -> AsyncIterator[Serve]:
    """Serves an app on a port of its own; returns the port."""
    stops: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    async def run(app: ASGIApp) -> int:
        listener, stop = listen(LOOPBACK, 0), asyncio.Event()

        async def nothing() -> None: ...

        task = asyncio.create_task(serve(app, [listener], stop, nothing))
        stops.append((stop, task))
        port: int = listener.getsockname()[1]
        await asyncio.sleep(0)
        return port

    yield run
    for stop, task in stops:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
