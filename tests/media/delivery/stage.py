"""A small real origin whose every answer is counted, and an edge in front of it, both on ports of loopback."""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
from yarl import URL

from infra.settings import LiveSettings
from media.delivery.edge import Edge, open_edge
from tests.media.delivery.passes import PURGE_KEY, doorkeeper, live_cookies, no_files

WEB = "https://footlight.example"
STREAM = "/live/abcdefghijklmnop"
FOREVER = "public, max-age=31536000, immutable"


class Server(uvicorn.Server):
    """Ends when told, not by signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI app; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces; the test's own timeout is the limit."""
    while not condition():  # noqa: ASYNC110 - counters of the edge have no event, and should not for a test's sake
        await asyncio.sleep(0.01)


@dataclass
class CountingOrigin:
    """Answers what it was told to, counts who asked, and holds answers while `gate` is closed."""

    asked: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 200
    cache_control: str = FOREVER
    body: bytes | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, scope: MutableMapping[str, Any], _: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        target = scope["path"] + (f"?{query}" if query else "")
        self.asked[target] += 1
        self.arrived.set()
        await self.gate.wait()
        number = self.asked[target]
        body = f"{target} #{number}".encode() if self.body is None else self.body
        headers = [(b"content-type", b"video/mp4"), (b"content-length", str(len(body)).encode())]
        if self.cache_control:
            headers.append((b"cache-control", self.cache_control.encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Seconds:
    """A monotonic clock that moves when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reply:
    """What a player got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def source(self) -> str:
        return self.headers.get("x-cache", "")


@dataclass
class Stage:
    """Origin, edge and a player."""

    origin: CountingOrigin
    edge: Edge
    url: str
    clock: Seconds
    player: aiohttp.ClientSession

    async def ask(self, target: str, method: str = "GET", **headers: str) -> Reply:
        """With the stream's cookies, unless others are given."""
        cookies = {"cookie": live_cookies(target.split("/")[2])} if target.startswith("/live/") else {}
        sent = cookies | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.player.request(method, URL(self.url + target, encoded=True), headers=sent) as response:
            body = await response.read()
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, body)

    async def ask_raw(self, target: bytes) -> int:
        """Send the target as it is; returns the status."""
        host, port = self.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        cookies = live_cookies(STREAM.rpartition("/")[2]).encode()
        head = b" HTTP/1.1\r\nhost: edge\r\ncookie: " + cookies + b"\r\nconnection: close\r\n\r\n"
        writer.write(b"GET " + target + head)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return int(answer.split(b" ", 2)[1])


@asynccontextmanager
async def edge_for_tests(
    settings: LiveSettings, origins: Sequence[str] = (WEB,), clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Edge]:
    """An edge that checks cookies with the key of tests."""
    async with open_edge(settings, origins, doorkeeper(), no_files, purge_key=PURGE_KEY, clock=clock) as edge:
        yield edge


@asynccontextmanager
async def stage(*, cache_bytes: int = 64 << 20, origins: Sequence[str] = (WEB,)) -> AsyncIterator[Stage]:
    origin, clock = CountingOrigin(), Seconds()
    async with serving(origin) as origin_url:
        settings = LiveSettings(origin_url=origin_url, edge_cache_bytes=cache_bytes)
        async with edge_for_tests(settings, origins, clock) as edge, serving(edge) as url:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as player:
                yield Stage(origin, edge, url, clock, player)
                origin.gate.set()
