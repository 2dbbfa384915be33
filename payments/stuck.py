"""What cannot be done now must not keep others waiting: a sweep that takes the oldest first would take it for ever."""

from datetime import datetime, timedelta

from infra.clock import Clock
from payments.inbox import pause_after

MOST = 10_000  # forgotten beyond that: they are only tried sooner


class Stuck:
    """Ids that failed, each with a pause that grows from 2 s to an hour. Of one process, and forgotten with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[int, datetime]] = {}

    def now(self) -> list[str]:
        """Those not to be tried yet."""
        now = self._clock()
        return [name for name, (_, until) in self._failed.items() if until > now]

    def failed(self, name: str, *, at_least: timedelta = timedelta()) -> None:
        times = self._failed.get(name, (0, None))[0] + 1
        if len(self._failed) >= MOST:
            self._failed.clear()
        self._failed[name] = times, self._clock() + max(pause_after(times), at_least)

    def done(self, name: str) -> None:
        self._failed.pop(name, None)
