"""Keeps the parts of the embedded platform alive: starts them in order, restarts what dies, stops all in reverse.

A part that dies is restarted alone, after 1 s, then 2, 4 ... 30 s; a minute of health makes it 1 s again. The others
stay: every client of a server here connects again by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.local.parts import Part, PartFailed
from infra.local.process import Running, start

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Parts that start together, and what is done once all of them are ready."""

    parts: Sequence[Part]
    then: Callable[[], Awaitable[None]] | None = None


class Watcher(Protocol):
    """Who is told about every change of a part."""

    def changed(self, part: Part, state: str, note: str = "", *, pid: int | None = None, restarts: int = 0) -> None: ...


def next_delay(last: float, lived_seconds: float) -> float:
    """Seconds to wait before the next start; `last` is 0 when there was none."""
    if last == 0 or lived_seconds >= HEALTHY_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(last * 2, LONGEST_DELAY_SECONDS)


class Keeper:
    """One part, kept alive."""

    def __init__(self, part: Part, watcher: Watcher) -> None:
        self.part = part
        self._watcher = watcher
        self._running: Running | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._restarts = 0
        self._delay = 0.0

    async def start(self) -> None:
        """Return when the part is ready, and keep it from then on.

        Raises `PartFailed` when an essential part does not come up; another is tried again in the background.
        """
        if self.part.essential:
            await self._launch()
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def abandon(self) -> None:
        """Stop keeping it; the process goes on until `stop`."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})

    async def stop(self) -> None:
        """End the process, and what it left in its session."""
        if self._running is not None:
            try:
                self._say("stopping")
            finally:
                await self._running.stop()
            self._running = None
            self._say("stopped")

    async def _keep(self) -> None:
        while True:
            try:
                running = self._running or await self._launch()
                lived = await self._watch(running)
            except PartFailed as failure:
                self._say("failed", failure.message)
                lived = 0.0
            self._delay = next_delay(self._delay, lived)
            self._restarts += 1
            await asyncio.sleep(self._delay)

    async def _launch(self) -> Running:
        self._say("starting")
        self._running = running = await start(self.part)
        try:
            await running.wait_ready()
        except PartFailed:
            await self._bury()
            raise
        self._say("ready")
        return running

    async def _watch(self, running: Running) -> float:
        """Wait for its end; return how many seconds it lived."""
        status = await running.process.wait()
        lived = time.monotonic() - running.started
        await self._bury()
        self._say("died", f"{self.part.name} ended {_reason(status)} after {lived:.0f} s. It is restarted.")
        return lived

    async def _bury(self) -> None:
        """End what a dead or failed process left behind, such as a port held by its children."""
        running, self._running = self._running, None
        if running is not None:
            await running.stop()

    def _say(self, state: str, note: str = "") -> None:
        pid = self._running.process.pid if self._running else None
        self._watcher.changed(self.part, state, note, pid=pid, restarts=self._restarts)


class Supervisor:
    """All stages. `start`, wait for whatever ends the platform, then `stop`, which also ends half a start."""

    def __init__(self, stages: Sequence[Stage], watcher: Watcher) -> None:
        self._stages = [(stage, [Keeper(part, watcher) for part in stage.parts]) for stage in stages]

    async def start(self) -> None:
        """Bring up one stage after the other. Raises the first `PartFailed` of an essential part."""
        for stage, keepers in self._stages:
            await _together([keeper.start() for keeper in keepers])
            if stage.then is not None:
                await stage.then()

    async def stop(self) -> None:
        """End the stages in reverse order; each part gets its `stop_seconds`, those of one stage at once.

        What goes wrong with one part keeps no other from being stopped; all of it is raised at the end.
        """
        failures = await _all([keeper.abandon() for _, keepers in self._stages for keeper in keepers])
        for _, keepers in reversed(self._stages):
            failures += await _all([keeper.stop() for keeper in keepers])
        if failures:
            raise BaseExceptionGroup("Not every part could be stopped in order.", failures)


async def _together(steps: Sequence[Awaitable[None]]) -> None:
    """Run all to their end, then raise the first failure: no child may be half started when we go on."""
    for failure in await _all(steps):
        raise failure


async def _all(steps: Sequence[Awaitable[None]]) -> list[BaseException]:
    """Run all to their end, whatever they raise; returns that."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]


def _reason(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"
