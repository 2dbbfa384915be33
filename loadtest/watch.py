"""Looks at the platform's processes while a scenario runs, and kills a node when the scenario says so."""

import asyncio
import contextlib
import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

from loadtest.stack import Stack, cpu_seconds, memory_mb
from loadtest.users.stage import Plan
from loadtest.verdict import Machine

LOOK_SECONDS = 1.0
MEMORY_SECONDS = 10.0  # reading PSS walks every page


class Sample(NamedTuple):
    """CPU seconds of each process so far; of nodes, and of everything."""

    at: float
    nodes: dict[int, float]
    platform: dict[int, float]


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds between two looks. A process that ended in between counts no more, one that began counts whole."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


class Watch:
    """Use as an async context; then ask for `machine`."""

    def __init__(self, stack: Stack, plan: Plan) -> None:
        self._stack = stack
        self._plan = plan
        self._samples: list[Sample] = []
        self._memory: list[tuple[float, float, float]] = []
        self._killed = plan.scenario.kill_node_after_seconds == 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._look())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def machine(self, began: float, ended: float) -> Machine:
        """Between two moments."""
        within = [sample for sample in self._samples if began <= sample.at <= ended]
        if len(within) < 2:
            return Machine(0, 0, 0, 0)
        pairs = list(pairwise(within))
        seconds = within[-1].at - within[0].at
        nodes = sum(spent(before.nodes, after.nodes) for before, after in pairs)
        everything = sum(spent(before.platform, after.platform) for before, after in pairs)
        memory = [entry for entry in self._memory if entry[0] <= ended][-1]
        return Machine(nodes / seconds, everything / seconds, memory[1], memory[2])

    async def _look(self) -> None:
        looked_at_memory = 0.0
        while True:
            now, nodes, everything = time.monotonic(), node_pids(self._stack), self._stack.processes()
            self._samples.append(Sample(now, each(nodes), each(everything)))
            if now - looked_at_memory >= MEMORY_SECONDS:
                looked_at_memory = now
                self._memory.append((now, memory_mb(nodes), memory_mb(everything)))
            self._kill_when_due(now, nodes)
            await asyncio.sleep(LOOK_SECONDS)

    def _kill_when_due(self, now: float, nodes: list[int]) -> None:
        began = Path(self._plan.talk_began)
        after = self._plan.scenario.kill_node_after_seconds
        if not self._killed and nodes and began.exists() and now >= float(began.read_text()) + after:
            self._killed = True
            os.kill(nodes[0], signal.SIGKILL)


def each(pids: list[int]) -> dict[int, float]:
    return {pid: cpu_seconds([pid]) for pid in pids}


def node_pids(stack: Stack) -> list[int]:
    """The processes that serve sockets."""
    found = []
    for pid in stack.processes():
        with contextlib.suppress(OSError):
            if b"\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found
