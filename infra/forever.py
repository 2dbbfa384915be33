"""A background loop that outlives its failures: one bad answer must not end it for the life of the process."""

import asyncio
from collections.abc import Awaitable, Callable

from infra.logs import get_logger

log = get_logger(__name__)


async def forever(name: str, work: Callable[[], Awaitable[object]], *, every_seconds: float) -> None:
    """Wait, run `work`, wait again, until cancelled. What `work` raises is logged under `name`."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await work()
        except Exception:  # whatever it was, the next round may go well
            log.exception("loop.failed", loop=name)
