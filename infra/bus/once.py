"""Handle a message id once by a group or queue, for a broker that cannot tell duplicates itself.

A claim is a key in Redis with a lease that is renewed while the handler runs, and becomes a mark when it succeeded.
When Redis does not answer for `PATIENCE_SECONDS`, the message is handled all the same: at least once is the promise,
once is the effort.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

from redis.exceptions import RedisError

from infra.bus.port import DEDUPE_SECONDS
from infra.clock import new_id
from infra.logs import get_logger
from infra.retry import retrying
from infra.stores.redis import Redis, RedisUnavailable, asked

LEASE_SECONDS = 15.0
DONE = b"done"
PATIENCE_SECONDS = 2.0  # a new connection, a new topology, a loaded machine: not worth handling something twice
AWAY = (RedisUnavailable, RedisError)

log = get_logger(__name__)


class Once:
    """Claims of this process."""

    def __init__(self, client: Redis, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._client = client
        self._lease_ms = int(lease_seconds * 1000)
        self._token = new_id().encode()
        self._in_hand: set[str] = set()  # in Redis all claims of this process look alike
        self._patiently = retrying(*AWAY, attempts=5, seconds=PATIENCE_SECONDS, first_seconds=0.05)

    async def claim(self, consumer: str, message_id: str) -> Literal["mine", "busy", "done"]:
        """`mine` until `finish` or `release`; `busy`: somebody has it, or died with it less than a lease ago."""
        key = _key(consumer, message_id)
        if key in self._in_hand:
            return "busy"
        self._in_hand.add(key)
        verdict = await self._claim(key)
        if verdict != "mine":
            self._in_hand.discard(key)
        return verdict

    async def _claim(self, key: str) -> Literal["mine", "busy", "done"]:
        try:
            found = await self._patiently(
                asked,
                lambda: self._client.set(key, self._token, px=self._lease_ms, nx=True, get=True),
            )
        except AWAY as failure:
            log.error("bus.duplicates_possible", reason=str(failure))
            return "mine"
        if found == DONE:
            return "done"
        return "mine" if found in {None, self._token} else "busy"

    @contextlib.asynccontextmanager
    async def holding(self, consumer: str, message_id: str) -> AsyncIterator[None]:
        """Keep the claim alive inside the block."""
        task = asyncio.create_task(self._renew(_key(consumer, message_id)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def finish(self, consumer: str, message_id: str) -> None:
        """Handled: every later copy is a duplicate."""
        try:
            await self._patiently(asked, lambda: self._client.set(_key(consumer, message_id), DONE, ex=DEDUPE_SECONDS))
        except AWAY as failure:  # the next copy is handled again, which handlers must stand
            log.error("bus.duplicates_possible", reason=str(failure))
        finally:
            self._in_hand.discard(_key(consumer, message_id))

    async def release(self, consumer: str, message_id: str) -> None:
        """Not handled: the next attempt may be anybody's."""
        try:
            with contextlib.suppress(*AWAY):  # the lease ends by itself
                await asked(lambda: self._client.delete(_key(consumer, message_id)))
        finally:
            self._in_hand.discard(_key(consumer, message_id))

    async def _renew(self, key: str) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            with contextlib.suppress(*AWAY):  # the next round tries again, within the lease
                await asked(lambda: self._client.pexpire(key, self._lease_ms))


def _key(consumer: str, message_id: str) -> str:
    return f"bus.once:{consumer}:{message_id}"
