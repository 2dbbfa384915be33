"""Redis Cluster (or Valkey): open, ping, close, and load our functions.

One client per process serves commands on all shards and re-learns the topology after a failover. Sharded
subscriptions do not use it: each shard has a reader of its own (see `realtime/cluster.py`), because redis-py polls
shards in turn and one quiet shard would delay the others.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ClusterDownError,
    ClusterError,
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
    OSError,
    TimeoutError,
)


# redis-py opens a connection for each command under way, at most 100 a node, and refuses the next.
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
        "username": first.username or None,
        "password": first.password or None,
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
        await client.aclose()


async def ping_redis(client: Redis) -> None:
    """Ask every primary."""
    try:
        await client.ping(target_nodes=RedisCluster.PRIMARIES)
    except LOST as lost:
        raise RedisUnavailable() from lost


class Functions:
    """A library of Redis Functions, loaded when a shard does not know it (first use, or a node that came back empty).

    A call that loses its connection is repeated, so functions must bear running twice.
    """

    def __init__(self, client: Redis, source: str) -> None:
        self._client = client
        self._source = source
        self._places = asyncio.Semaphore(CALLS_AT_ONCE)

    async def call(self, function: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]) -> Any:
        """Run `function` on the shard that owns `keys` (all in one slot); one round trip once loaded."""
        command = ("FCALL", function, len(keys), *keys, *arguments)
        # AttributeError: redis-py 8.1 closes all connections of the client when one breaks or the topology is new,
        # and a command that was just connecting then finds `self._writer` None (`_send_packed_command`).
        async with self._places:
            end = asyncio.get_running_loop().time() + CALL_PATIENCE_SECONDS
            for wait in CALL_WAITS_SECONDS:
                try:
                    return await self._run(keys[0], command)
                except (*LOST, AttributeError):
                    if asyncio.get_running_loop().time() > end:
                        break
                    await asyncio.sleep(wait)
            try:
                return await self._run(keys[0], command)
            except (*LOST, AttributeError) as lost:
                raise RedisUnavailable() from lost

    async def _run(self, key: str, command: Sequence[Any]) -> Any:
        # We name the owner. Left alone, redis-py 8.1 asks one fixed node for the keys of every FCALL: a second round
        # trip, and every shard fails with that node (`_determine_slot` in redis/asyncio/cluster.py).
        try:
            return await self._client.execute_command(*command, target_nodes=self._client.get_node_from_key(key))
        except ResponseError as refused:
            if "unction not found" not in str(refused):
                raise
        node = self._client.get_node_from_key(key)
        await self._client.execute_command("FUNCTION LOAD", "REPLACE", self._source, target_nodes=node)
        return await self._client.execute_command(*command, target_nodes=node)
