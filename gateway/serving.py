"""Runs an ASGI app on sockets until told to stop, and stops in order.

On SIGTERM: `announce` while still serving (readiness off, so that balancers look elsewhere), then no new connections,
then `before_stop` (clients told to move), then requests in hand get what is left of `stop_seconds` to finish. A second
signal ends it at once.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn

from gateway.asgi import ASGIApp
from gateway.protocol import BoundedHttp

STOP_SECONDS = 4.0  # a supervisor kills after 5, and closing the stores takes a moment too
LEAST_GRACE_SECONDS = 0.5  # for requests in hand, however long everything before it took
BACKLOG = 4096
# Inherited by accepted sockets. The default lets every stalled viewer pin 3.8 MB of kernel memory (100 stalled
# readers: 378 MB; with this bound 14 MB).
SEND_BUFFER_BYTES = 64 * 1024


Step = Callable[[], Awaitable[None]]


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: when to stop is decided outside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop_accepting(self) -> None:
        for server in self.servers:
            server.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket with the kernel's send memory bounded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def inherited(descriptor: int) -> socket.socket:
    """The listening socket our parent opened for us."""
    return socket.socket(fileno=descriptor)


async def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    stop: asyncio.Event,
    before_stop: Step,
    *,
    announce: Step | None = None,
    stop_seconds: float = STOP_SECONDS,
) -> None:
    """Serve until `stop` is set, then be gone `stop_seconds` after `announce` is through."""
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",  # `BoundedHttp` hands WebSockets to realtime/wire/connection.py
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # gateway/addresses.py decides whom to believe
        backlog=BACKLOG,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        if announce is not None:
            await announce()
        loop = asyncio.get_running_loop()
        end = loop.time() + stop_seconds
        server.stop_accepting()
        await before_stop()
        # uvicorn reads it when it stops and waits with it; any number of seconds will do (uvicorn 0.54, `server.py`)
        config.timeout_graceful_shutdown = max(LEAST_GRACE_SECONDS, end - loop.time())  # type: ignore[assignment]
        server.should_exit = True
    stopping.cancel()
    await serving


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; the second one ends the process."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def heard(number: signal.Signals) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard, number)
    return stop


async def nothing_before() -> None:
    """For processes that have nothing to do before they stop."""
