"""Redis Cluster (or Valkey): open, ping, close, and load our functions.

One client per process serves commands on all shards and re-learns the topology after a failover. Sharded
subscriptions do not use it: each shard has a reader of its own (see `realtime/cluster.py`), because redis-py polls
shards in turn and one quiet shard would delay the others.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ClusterDownError,
    ClusterError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from infra.errors import Unavailable
from infra.settings import RedisSettings

Redis = RedisCluster
LOST = (
    RedisConnectionError,
    RedisTimeoutError,
    RedisClusterException,
    ClusterDownError,
    ClusterError,
    OutOfMemoryError,
    ReadOnlyError,
    OSError,
    TimeoutError,
)


# redis-py opens a connection for each command under way, at most 100 a node, and refuses the next. So each node has its
# own places: calls that wait for one that hangs must not keep out those for the others.
CALLS_AT_ONCE = 32
CALL_WAITS_SECONDS = (0.02, 0.1, 0.3)
CALL_PATIENCE_SECONDS = 2.0  # a node that hangs is not asked again after this


class RedisUnavailable(Unavailable):
    code = "service.redis"
    message = "The room service does not answer just now. Try again in a moment."


def connection_options(settings: RedisSettings) -> dict[str, Any]:
    """Keyword arguments every connection to a node needs, shared by commands and subscriptions."""
    first = urlsplit(settings.nodes[0])
    return {
        "username": unquote(first.username) if first.username else None,
        "password": unquote(first.password) if first.password else None,
        "ssl": first.scheme == "rediss",
        "socket_timeout": settings.timeout_seconds,
        "socket_connect_timeout": settings.timeout_seconds,
        "decode_responses": False,
    }


@asynccontextmanager
async def open_redis(settings: RedisSettings) -> AsyncIterator[Redis]:
    """Connect to the cluster by any of its nodes."""
    nodes = [ClusterNode(part.hostname or "127.0.0.1", part.port or 6379) for part in map(urlsplit, settings.nodes)]
    client = RedisCluster(
        startup_nodes=nodes,
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), retries=4),
        require_full_coverage=False,  # one lost shard must not stop the others
        **connection_options(settings),
    )
    try:
        try:
            await client.initialize()
        except LOST as lost:
            raise RedisUnavailable() from lost
        yield client
    finally:
        known = client.get_nodes()
        await client.aclose()
        for node in known:  # a command that was just connecting leaves its connection open behind `aclose`
            await asyncio.gather(*(connection.disconnect(nowait=True) for connection in node._connections))


async def ping_redis(client: Redis) -> None:
    """Ask every primary."""
    await asked(lambda: client.ping(target_nodes=RedisCluster.PRIMARIES))


async def asked(command: Callable[[], Any]) -> Any:
    """The answer to a command that bears running twice; `RedisUnavailable` when the cluster does not give one.

    AttributeError: redis-py 8.1 closes all connections of the client when one breaks or the topology is new, and a
    command that was just connecting then finds `self._writer` None (`_send_packed_command`). That one is asked again.
    """
    try:
        try:
            return await command()
        except AttributeError:
            return await command()
    except (*LOST, AttributeError) as lost:
        raise RedisUnavailable() from lost


class Functions:
    """A library of Redis Functions, loaded when a shard does not know it (first use, or a node that came back empty).

    Redis keeps functions as long as its data. So the library and its functions get a version in their names, made of
    the source: a new release uses its own, and two releases run side by side. In the source, `register_function` is
    called with the name and the function, and callers use that name.

    A call that loses its connection is repeated, so functions must bear running twice.
    """

    def __init__(self, client: Redis, source: str) -> None:
        self._client = client
        self._version = hashlib.sha256(source.encode()).hexdigest()[:8]
        self._source = _versioned(source, self._version)
        self._places: dict[str, asyncio.Semaphore] = {}

    async def call(self, function: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]) -> Any:
        """Run `function` on the shard that owns `keys` (all in one slot); one round trip once loaded."""
        command = ("FCALL", f"{function}_{self._version}", len(keys), *keys, *arguments)
        async with self._places_for(keys[0]):
            end = asyncio.get_running_loop().time() + CALL_PATIENCE_SECONDS
            for wait in CALL_WAITS_SECONDS:
                try:
                    return await self._run(keys[0], command)
                except (*LOST, AttributeError):  # see `asked`
                    if asyncio.get_running_loop().time() > end:
                        break
                    await asyncio.sleep(wait)
            try:
                return await self._run(keys[0], command)
            except (*LOST, AttributeError) as lost:
                raise RedisUnavailable() from lost

    def _places_for(self, key: str) -> asyncio.Semaphore:
        try:
            node = self._client.get_node_from_key(key)
        except LOST:  # nobody's just now
            node = None
        return self._places.setdefault(node.name if node else "", asyncio.Semaphore(CALLS_AT_ONCE))

    async def _run(self, key: str, command: Sequence[Any]) -> Any:
        # We name the owner. Left alone, redis-py 8.1 asks one fixed node for the keys of every FCALL: a second round
        # trip, and every shard fails with that node (`_determine_slot` in redis/asyncio/cluster.py).
        try:
            return await self._ask(key, command)
        except ResponseError as refused:
            if "unction not found" not in str(refused):
                raise
        await self._ask(key, ("FUNCTION LOAD", "REPLACE", self._source))
        return await self._ask(key, command)

    async def _ask(self, key: str, command: Sequence[Any]) -> Any:
        node = self._client.get_node_from_key(key)
        try:
            return await self._client.execute_command(*command, target_nodes=node)
        finally:
            # A topology learnt meanwhile put another object in its place, and this one connected again for us: nobody
            # else would ever close that connection.
            if node is not None and self._client.get_node(node_name=node.name) is not node:
                await node.disconnect()


def _versioned(source: str, version: str) -> str:
    source = re.sub(r"(?<=name=)\w+", rf"\g<0>_{version}", source, count=1)
    return re.sub(r"(register_function\(\s*['\"]\w+)", rf"\1_{version}", source)
