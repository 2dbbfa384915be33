"""A whole platform for a benchmark: `footlight up` on a data folder of its own, on free ports, stopped afterwards."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.parts import free_port
from infra.local.ports import is_busy

START_SECONDS = 120
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Stack:
    """A running platform and how long it took to be ready."""

    pid: int
    web: str
    rtmp: str
    folder: Path
    ready_seconds: float

    def processes(self) -> list[int]:
        """Every process of the platform, the supervisor first."""
        return tree(self.pid)


@asynccontextmanager
async def platform(
    folder: Path | None = None, *more: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Stack]:
    """Run it for as long as the block lasts; `more` are further arguments of `footlight up`, `environment` settings."""
    with tempfile.TemporaryDirectory(prefix="footlight-") as temporary:
        home = folder or Path(temporary) / "data"
        port, rtmp_port = free_pair(), free_port()
        command = [sys.executable, "-m", "gateway", "up", "--no-demo", "--data", str(home), "--port", str(port)]
        started = time.monotonic()
        with (Path(temporary) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, "--rtmp-port", str(rtmp_port), *more, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        try:
            web = f"http://localhost:{port}"
            await ready(web, process, Path(temporary) / "log")
            yield Stack(process.pid, web, f"rtmp://localhost:{rtmp_port}/live", home, time.monotonic() - started)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)


async def ready(web: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the front door says that everything answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise RuntimeError(f"footlight up ended with {process.returncode}:\n{_tail(log)}")
        if await asyncio.to_thread(_answers, f"{web}/readyz"):
            return
        await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"The platform was not ready in {START_SECONDS} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text()[-2000:]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own http address
            return bool(answer.status == 200)
    except OSError:
        return False


def free_pair() -> int:
    """A free port whose successor is free as well: the edge takes the next one."""
    while is_busy((port := free_port()) + 1):
        pass
    return port


def tree(pid: int) -> list[int]:
    """A process and all that came from it."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += tree(int(child))
    return found


def memory_mb(pids: list[int]) -> float:
    """Proportional memory (PSS) of processes together: shared pages count once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(text.split("\nPss:")[1].split()[0])
    return total / 1024


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes together."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
