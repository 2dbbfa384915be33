"""Small real parts, and a look at what is running."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.parts import LOOPBACK, Check, Part, alive, listens

PATIENCE_SECONDS = 30


def http_part(folder: Path, name: str, port: int) -> Part:
    """A web server of the standard library."""
    command = (sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK)
    return Part(name, command, folder / name, f"{LOOPBACK}:{port}", listens(port), stop_seconds=1.0)


def script_part(folder: Path, name: str, code: str, ready: Check = alive, *, essential: bool = True) -> Part:
    """A few lines of Python."""
    command = (sys.executable, "-c", code)
    return Part(name, command, folder / name, "", ready, stop_seconds=1.0, start_seconds=5.0, essential=essential)


@dataclass
class Diary:
    """A watcher that keeps everything it is told."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None:
        self.lines.append((part.name, state))
        if pid is not None:
            self.pids[part.name] = pid
        if note:
            self.notes.append(note)

    def count(self, name: str, state: str) -> int:
        return self.lines.count((name, state))


async def until(true: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        await asyncio.sleep(0.02)


def processes_in(folder: Path) -> list[str]:
    """The command lines of all processes that work inside `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder) and process.name != str(os.getpid()):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return [line for line in found if line]
