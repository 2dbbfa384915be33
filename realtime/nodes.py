"""Where the nodes are: each tells the others, in Redis, at which private address it takes requests of its sessions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.forever import forever
from infra.stores.redis import Redis, RedisUnavailable, asked

FORGET_SECONDS = 10  # a node that died
RENEW_SECONDS = 3.0
REMEMBER_SECONDS = 3.0
REMEMBERED = 1024  # names, also those that clients made up


class Nodes:
    """The directory. Its own answers are remembered for REMEMBER_SECONDS, also that there is no such node."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, tuple[float, tuple[str, int] | None]] = {}

    async def address_of(self, name: str) -> tuple[str, int] | None:
        """Host and port of a node; None when it is not there. Raises `RedisUnavailable`."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        found = await asked(lambda: self._redis.get(_key(name)))
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        address = _parse(found) if found else None
        self._known[name] = (now + REMEMBER_SECONDS, address)
        return address

    @asynccontextmanager
    async def announced(self, name: str, host: str, port: int) -> AsyncIterator[None]:
        """The node called `name` is at this address until the block is left."""

        async def tell() -> None:
            await asked(lambda: self._redis.set(_key(name), f"{host} {port}", ex=FORGET_SECONDS))

        await tell()
        renewing = asyncio.create_task(forever("realtime.nodes", tell, every_seconds=RENEW_SECONDS))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            with contextlib.suppress(RedisUnavailable):  # then it is forgotten in FORGET_SECONDS
                await asked(lambda: self._redis.delete(_key(name)))


def _key(name: str) -> str:
    return f"realtime:node:{name}"


def _parse(found: bytes) -> tuple[str, int]:
    host, port = found.decode().split()
    return host, int(port)
