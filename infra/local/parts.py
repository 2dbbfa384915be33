"""A part: one child process of the embedded platform, described as a value. `process.py` runs it.

Every embedded server has a module of its own that prepares its folder and returns its part (`postgres_part`, ...).
All of them listen on loopback only and end with their parent, however it dies.
"""

import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

LOOPBACK = "127.0.0.1"
BINARIES = Path(sys.executable).parent  # where the wheels put their programs


@dataclass(frozen=True, slots=True)
class Part:
    """What to run, where it answers, how to know that it is ready and how to end it."""

    name: str
    command: tuple[str, ...]
    folder: Path
    address: str
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: Signals = SIGTERM
    stop_seconds: float = 5.0  # then it is killed
    start_seconds: float = 60.0
    settle: Callable[[], Awaitable[None]] | None = None  # once, after the first time it is ready


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(port: int, host: str = LOOPBACK) -> Callable[[], Awaitable[bool]]:
    """Ready when a TCP connection is accepted."""

    async def check() -> bool:
        try:
            socket.create_connection((host, port), 0.2).close()
        except OSError:
            return False
        return True

    return check
