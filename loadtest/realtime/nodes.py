"""Nodes under test: real `footlight serve --role realtime` processes beside the embedded servers of a platform."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from infra.local.folder import environment_of
from infra.local.parts import LOOPBACK, Part, free_port
from infra.local.process import Running, start
from infra.local.search import answers
from infra.settings import Settings, load_settings
from loadtest.people import Person, become_creator, sign_up, start_stream, stop_stream
from loadtest.stack import Stack, platform

SIGN_UPS_AT_ONCE = 4
TALKERS = 100  # a user may say 20 things in 30 s, so these may say 66 a second
DRAIN_SECONDS = 40  # half of it is for telling clients to move: 10,000 of them at the pace another node takes them
STOP_SECONDS = DRAIN_SECONDS + 5.0


@dataclass(slots=True)
class Node:
    """One node; `restart` gives it a new process on the same port."""

    part: Part
    port: int
    running: Running

    @property
    def pid(self) -> int:
        return self.running.process.pid

    async def kill(self) -> None:
        """As a power cut does."""
        self.running.send(signal.SIGKILL)
        await self.running.process.wait()

    async def restart(self) -> float:
        """SIGTERM, wait for its end, start again, wait until ready; returns the seconds its end took."""
        began = time.monotonic()
        await self.running.stop()
        took = time.monotonic() - began
        await self.start()
        return took

    async def start(self) -> None:
        self.running = await start(self.part)
        await self.running.wait_ready()


@dataclass(frozen=True, slots=True)
class Bench:
    """A platform with accounts, and a way to start nodes on it."""

    stack: Stack
    settings: Settings
    folder: Path
    web: aiohttp.ClientSession
    creator: Person
    talkers: Sequence[Person]
    tokens: Path  # of the talkers

    @asynccontextmanager
    async def nodes(self, count: int) -> AsyncIterator[list[Node]]:
        """Fresh nodes, stopped afterwards."""
        async with AsyncExitStack() as stack:
            nodes = await asyncio.gather(*(self._node(number) for number in range(1, count + 1)))
            for node in nodes:
                stack.push_async_callback(_stop, node)
            yield list(nodes)

    @asynccontextmanager
    async def room(self) -> AsyncIterator[str]:
        """The room of a new stream."""
        stream: dict[str, Any] = await start_stream(self.web, self.creator)
        try:
            yield stream["id"]
        finally:
            await stop_stream(self.web, self.creator, stream["id"])

    async def queries(self) -> int:
        """Transactions the database has seen so far; what a backend did counts within a second of its end."""
        await asyncio.sleep(1.5)
        connection = await asyncpg.connect(self.settings.postgres.url)
        try:
            await connection.execute("SELECT pg_stat_clear_snapshot()")
            found = await connection.fetchval(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
            )
            return int(found)
        finally:
            await connection.close()

    async def _node(self, number: int) -> Node:
        port = free_port()
        environment = {**environment_of(self.stack.folder), "FOOTLIGHT_NODE": f"bench-{number}"}
        environment["FOOTLIGHT_REALTIME_AUTO_SLOW_PER_SECOND"] = "0"  # some figures are about more than it allows
        environment["FOOTLIGHT_STOP_SECONDS"] = str(DRAIN_SECONDS)
        part = Part(
            name=f"bench-{number}",
            command=(sys.executable, "-m", "gateway", "serve", "--role", "realtime", "--port", str(port)),
            folder=self.folder / f"bench-{number}",
            address=f"{LOOPBACK}:{port}",
            ready=answers(f"http://{LOOPBACK}:{port}/readyz"),
            environment=environment,
            stop_seconds=STOP_SECONDS,
        )
        node = Node(part, port, await start(part))
        await node.running.wait_ready()
        return node


async def _stop(node: Node) -> None:
    if node.running.alive:
        node.running.send(signal.SIGKILL)  # a drain of thousands of clients that leave anyway would only cost time
    await node.running.stop()


@asynccontextmanager
async def bench_platform(talkers: int = TALKERS) -> AsyncIterator[Bench]:
    """Servers, one node for the API, and people who may talk."""
    with tempfile.TemporaryDirectory(prefix="footlight-bench-") as folder:
        async with platform(None, "--nodes", "1") as stack, aiohttp.ClientSession(stack.web) as web:
            settings = load_settings({**os.environ, **environment_of(stack.folder)})
            creator = await become_creator(web, await sign_up(web, 1, "Creator"))
            tokens = Path(folder) / "tokens"
            people = await _sign_up_many(web, talkers)
            tokens.write_text("".join(f"{who.token}\n" for who in people))
            yield Bench(stack, settings, Path(folder), web, creator, people, tokens)


async def _sign_up_many(web: aiohttp.ClientSession, count: int) -> Sequence[Person]:
    gate = asyncio.Semaphore(SIGN_UPS_AT_ONCE)

    async def one(number: int) -> Person:
        async with gate:
            return await sign_up(web, 1000 + number, f"Talker {number}")

    return await asyncio.gather(*(one(number) for number in range(count)))
