"""Runs one part: start, wait until ready, notice its end, stop it.

The child gets a session of its own (so that Ctrl-C at the terminal reaches only us, and we stop the parts in order)
and dies with us even when we are killed (`infra.children`).
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from infra.children import ends_with_us
from infra.local.parts import Part, PartFailed

POLL_SECONDS = 0.03
TAIL_BYTES = 2000
LOG_BYTES = 20 * 1024 * 1024
LOG_KEPT_BYTES = 1024 * 1024


class Running:
    """One living child of ours. `log` keeps what it printed."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process, log: Path) -> None:
        self.part = part
        self.process = process
        self.log = log
        self.started = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def tail(self) -> str:
        """The end of its log, for the message that says why it failed."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()

    async def wait_ready(self) -> None:
        """Return when the part answers; raise `PartFailed` when it ends or takes too long."""
        deadline = time.monotonic() + self.part.start_seconds
        while time.monotonic() < deadline:
            if not self.alive:
                raise PartFailed(f"{self.part.name} ended with {self.process.returncode}:\n{self.tail()}")
            if await self.part.ready():
                return
            await asyncio.sleep(POLL_SECONDS)
        raise PartFailed(f"{self.part.name} did not answer in {self.part.start_seconds:g} s:\n{self.tail()}")

    def send(self, number: signal.Signals) -> None:
        """Signal the whole session of the child."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    async def stop(self) -> None:
        """Ask it to end, then make it end; also ends what it left behind in its session."""
        if self.alive:
            # Only the leader: PostgreSQL's children must not see the signal meant for their postmaster.
            self.process.send_signal(self.part.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), self.part.stop_seconds)
        self.send(signal.SIGKILL)
        await self.process.wait()
        remove(self.part.leftovers)


async def start(part: Part) -> Running:
    """Start the child; it may not be ready yet. Raises `PartFailed` when it cannot even be started."""
    log = part.folder / "log"
    try:
        await asyncio.to_thread(_make_ready_to_start, part, log)
        return Running(part, await _spawn(part, log), log)
    except OSError as failure:
        raise PartFailed(f"{part.name} could not be started: {failure}") from failure


def _make_ready_to_start(part: Part, log: Path) -> None:
    part.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove(part.leftovers)
    if part.prepare is not None:
        part.prepare()
    shorten(log)


async def _spawn(part: Part, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *ends_with_us(part.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8", **part.environment},
            cwd=part.folder,
            pass_fds=part.inherited,
            start_new_session=True,
            umask=0o077,  # what the servers write is for their owner only
        )


def remove(leftovers: Iterable[Path]) -> None:
    for file in leftovers:
        with contextlib.suppress(OSError):  # another user's: the server itself will say so
            file.unlink(missing_ok=True)


def shorten(log: Path) -> None:
    """Keep the newest bytes of a log that grew too long; its writer appends, so it need not know."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        with log.open("rb") as file:
            file.seek(-LOG_KEPT_BYTES, os.SEEK_END)
            newest = file.read()
        log.write_bytes(newest)
