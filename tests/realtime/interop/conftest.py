"""The servers, clients and transports that every test of this folder runs with."""

import asyncio
import gc
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import socketio
import uvicorn

from gateway.protocol import BoundedHttp
from gateway.serving import Server
from infra.local.parts import LOOPBACK
from realtime.wire.server import SocketServer
from tests.realtime.interop.application import Diary, build
from tests.realtime.interop.clients import Bridge, Client, NodeClient, PythonClient, open_bridge

LIBRARY = Path(__file__).parents[3] / "http" / "web" / "node_modules" / "socket.io-client"
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": None}  # None: what the client does itself
SERVED = {"websocket": "websocket", "polling": "polling", "upgrade": "websocket"}


@dataclass
class World:
    """A server with the application, and what it saw."""

    name: str
    sio: Any  # `socketio.AsyncServer`, which has no types
    diary: Diary
    url: str

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait for what tells nobody that it happened."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  # there is no event to wait for
                await asyncio.sleep(0.005)


def stock() -> Any:
    """python-socketio as it comes. It keeps the events of one client in order only when it cannot `call`."""
    return socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])


def ours() -> Any:
    """Our server without an application of its own."""
    return SocketServer()


# Ours takes over the connection from our HTTP protocol; stock is served as uvicorn serves any application.
SERVERS: dict[str, tuple[Callable[[], Any], Any]] = {"stock": (stock, "httptools"), "ours": (ours, BoundedHttp)}


@asynccontextmanager
async def serving(sio: Any, http: Any) -> AsyncIterator[str]:
    """Serve it as the platform does, on a free port."""
    listener = socket.create_server((LOOPBACK, 0))
    config = uvicorn.Config(
        socketio.ASGIApp(sio),
        http=http,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn tells nobody
        await asyncio.sleep(0.005)
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        await sio.shutdown()
        server.should_exit = True
        await task


@pytest.fixture(scope="module", params=SERVERS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    make, http = SERVERS[request.param]
    sio, diary = make(), Diary()
    build(sio, diary)
    async with serving(sio, http) as url:
        yield World(request.param, sio, diary, url)
    gc.collect()  # what clients left open is complained of here, where it is expected (see test_stories.py)


@pytest.fixture(scope="session")
async def bridge() -> AsyncIterator[Bridge]:
    if not LIBRARY.exists():
        pytest.skip("the web client is not installed (make up installs it)")
    if shutil.which("node") is None:
        pytest.skip("there is no Node on this machine")
    async with open_bridge(LIBRARY) as bridge:
        yield bridge


@pytest.fixture(params=["python", "javascript"])
def kind(request: pytest.FixtureRequest) -> Callable[[Any], Client]:
    """Makes clients of one kind."""
    if request.param == "python":
        return PythonClient
    bridge: Bridge = request.getfixturevalue("bridge")
    return lambda transports: NodeClient(bridge, transports)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def connect(world: World, kind: Callable[[Any], Client], transport: str) -> AsyncIterator[Connect]:
    """Connects one more client: `await connect(auth, namespaces=..., reconnect=...)`. All are closed afterwards."""
    clients: list[Client] = []

    async def connect_one(auth: Any = None, **options: Any) -> Client:
        client = kind(TRANSPORTS[transport])
        clients.append(client)
        await client.connect(world.url, auth, **options)
        return client

    yield connect_one
    for client in clients:
        await client.close()
