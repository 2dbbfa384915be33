"""One clock for the heartbeats of all sockets: no timer for a client.

A wheel of slots; a socket is in one slot at a time and is asked when that slot comes. What to do is the socket's own
decision (`Beating.beat`), so an answered ping costs nothing here.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from infra.logs import get_logger

TICK_SECONDS = 1.0

log = get_logger(__name__)


class Beating(Protocol):
    """Something that wants to be asked now and then."""

    def beat(self) -> float | None:
        """Called when its time has come; the seconds until the next time, or None for never again."""
        ...


class Heartbeat:
    """Runs while it has anybody to ask. Times are exact to one tick, never early."""

    def __init__(self, *, tick_seconds: float = TICK_SECONDS, each_tick: Callable[[float], None] | None = None) -> None:
        self.tick_seconds = tick_seconds
        self._each_tick = each_tick
        self._slots: dict[int, list[Beating]] = {}
        self._task: asyncio.Task[None] | None = None

    def ask(self, who: Beating, after_seconds: float) -> None:
        slot = int((_now() + after_seconds) / self.tick_seconds) + 1
        self._slots.setdefault(slot, []).append(who)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        self._slots.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        done = int(_now() / self.tick_seconds)
        while self._slots:
            await asyncio.sleep(self.tick_seconds - _now() % self.tick_seconds)
            now = int(_now() / self.tick_seconds)
            for slot in range(done + 1, now + 1):
                self._beat(self._slots.pop(slot, []))
            done = now
            if self._each_tick is not None:
                self._guarded(lambda: self._each_tick and self._each_tick(self.tick_seconds))

    def _beat(self, asked: list[Beating]) -> None:
        for who in asked:
            self._guarded(lambda who=who: self._ask_one(who))  # type: ignore[misc]  # a lambda's default

    def _ask_one(self, who: Beating) -> None:
        again = who.beat()
        if again is not None:
            self.ask(who, again)

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # one socket must not stop the hearts of all others
            log.exception("heartbeat.failed")


def _now() -> float:
    return asyncio.get_running_loop().time()
