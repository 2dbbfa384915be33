"""A task in hand: how far it is, and when it last showed a sign of life."""

import time

from media.vod.task_repository import Lease


class Hold:
    """Filled by the work, read by whoever keeps the lease."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.progress = 0.0
        self._last_sign = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """Since the last sign of life."""
        return time.monotonic() - self._last_sign

    def alive(self) -> None:
        """Something moved."""
        self._last_sign = time.monotonic()

    def at(self, progress: float) -> None:
        """It is so far, 0 to 1. The same as before is no sign of life: a hung encoder may go on saying so."""
        if progress > self.progress:
            self.progress = min(1.0, progress)
            self.alive()
