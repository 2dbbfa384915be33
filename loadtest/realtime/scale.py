"""How large and how long: the figures' own scale, and a small one to try the bench."""

import resource
from dataclasses import dataclass
from pathlib import Path

from loadtest.realtime.nodes import Bench

TEXT_BYTES = 24  # with the envelope of an entry a delivered frame has about 260 bytes; the peers' are made as long


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts of clients, and seconds."""

    clients: int = 10_000
    one_process: int = 18_000
    huge: int = 100_000
    huge_nodes: int = 6  # a process may hold 20,000 descriptors
    rounds: int = 2
    seconds: float = 10.0
    huge_seconds: float = 120.0
    idle_seconds: float = 600.0


FULL = Scale()
QUICK = Scale(
    clients=500, one_process=900, huge=3000, huge_nodes=3, rounds=2, seconds=4.0, huge_seconds=10.0, idle_seconds=20.0
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every figure needs: a platform, the compiled generator, and how large it is to be."""

    bench: Bench
    program: Path
    scale: Scale


def raise_descriptors() -> None:
    """As many as this process and its children may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def need_descriptors(count: int) -> None:
    """Raise when a process with `count` sockets cannot run here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 500:
        raise RuntimeError(f"needs {count + 500} descriptors in one process, and {hard} are allowed (`ulimit -Hn`)")
