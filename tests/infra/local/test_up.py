"""`footlight up` as a person uses it: one command, everything answers, a dead server comes back, nothing stays."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from infra.local.parts import free_port
from infra.local.ports import is_busy
from tests.infra.local.small import processes_in, until


class Up:
    """A running `footlight up` and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, web: str) -> None:
        self.process = process
        self.web = web
        self.printed = ""

    async def until_printed(self, text: str) -> None:
        assert self.process.stdout is not None
        while text not in self.printed:
            line = await self.process.stdout.readline()
            assert line, f"it ended before it said {text!r}:\n{self.printed}"
            self.printed += line.decode()

    async def until_ready(self) -> None:
        async with aiohttp.ClientSession() as browser:
            while True:
                async with browser.get(f"{self.web}/readyz") as answer:
                    if answer.status == 200:
                        return
                await asyncio.sleep(0.2)


@asynccontextmanager
async def footlight_up(folder: Path) -> AsyncIterator[Up]:
    port = free_port()
    while is_busy(port + 1):
        port = free_port()
    command = [sys.executable, "-m", "gateway", "up", "--no-demo", "--data", str(folder), "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, "--rtmp-port", str(free_port()), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield Up(process, f"http://localhost:{port}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_one_command_brings_everything_up_heals_it_and_leaves_nothing(tmp_path: Path) -> None:
    async with footlight_up(tmp_path) as up:
        await up.until_printed("Press Ctrl-C to stop.")
        assert up.web in up.printed
        assert "SANDBOX, no money moves: http://localhost:" in up.printed
        await up.until_ready()
        postmaster = (tmp_path / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
        nodes = [line for line in processes_in(tmp_path) if "gateway serve" in line]
        os.kill(int(postmaster), signal.SIGKILL)
        await up.until_printed("postgres: died")
        await up.until_printed("(restart 1)")
        await up.until_ready()
        assert [line for line in processes_in(tmp_path) if "gateway serve" in line] == nodes
        up.process.send_signal(signal.SIGTERM)
        await up.until_printed("Everything is stopped")
        assert await up.process.wait() == 0
        await until(lambda: not processes_in(tmp_path))
