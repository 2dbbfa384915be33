"""Sharded pub/sub over a Redis cluster: one connection and one reader task for every shard that has a subscription.

redis-py's own cluster subscriber polls the shards in turn, so a quiet or dead shard delays all others, and it never
learns a new topology (measured: 25 s on a dead port). Here every shard stands alone:

- a broken reader reconnects with backoff, learns the topology anew, subscribes again, and then tells each receiver
  `resumed`: messages may be missing, fetch them;
- a reader that is connected but hears nothing is found by probes: we publish to a channel of the same shard through
  the ordinary client every PROBE_SECONDS, and cut the reader when that does not arrive within PATIENCE_SECONDS.
  Together that is under 5 s. A probe that cannot be published proves nothing and cuts nobody.
"""

import asyncio
import contextlib
import contextvars
import math
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import RedisError, ResponseError

from infra.forever import forever
from infra.logs import get_logger
from infra.settings import RedisSettings
from infra.stores.redis import LOST, Redis, RedisUnavailable, asked, connection_options

PROBE_SECONDS = 1.5
PATIENCE_SECONDS = 2.5
SUBSCRIBE_SECONDS = 3.0
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0
MAX_PROBE_TAGS = 16_384
Address = tuple[str, int]
# AttributeError: redis-py finds its stream None when another task's failed command closed the connection under it.
BROKEN = (*LOST, RedisError, AttributeError)

log = get_logger(__name__)


class Receiver(Protocol):
    """Who hears a channel. Neither method may block."""

    def received(self, payload: bytes) -> None: ...

    def resumed(self) -> None:
        """The subscription was broken and stands again; what was said in between was not heard."""
        ...


class _Silent:
    """Hears the probes; that they arrive is all that counts."""

    def received(self, payload: bytes) -> None: ...

    def resumed(self) -> None: ...


class Subscription:
    """One channel that is wanted, and whether the shard has confirmed it."""

    def __init__(self, channel: str, receiver: Receiver) -> None:
        self.channel = channel
        self.receiver = receiver
        self.confirmed = asyncio.Event()
        self.broken = False

    def confirm(self) -> None:
        self.confirmed.set()
        if self.broken:
            self.broken = False
            self.receiver.resumed()

    def lose(self) -> None:
        self.broken = self.broken or self.confirmed.is_set()
        self.confirmed.clear()


class ShardedChannels:
    """The subscriptions of this process, each with the shard that owns its channel."""

    def __init__(self, redis: Redis, settings: RedisSettings) -> None:
        self._redis = redis
        self._options = connection_options(settings)
        self._shards: dict[Address, Shard] = {}
        self._ranges: dict[range, Address] = {}  # who owns which slots
        self._wanted: dict[str, Subscription] = {}
        self._relearning = asyncio.Lock()
        self._retired: list[Shard] = []  # their readers may still be ending

    async def subscribe(self, channel: str, receiver: Receiver) -> None:
        """Return when the shard has confirmed; raise `RedisUnavailable` when it does not in SUBSCRIBE_SECONDS."""
        if not self._ranges:
            await self.relearn()
        wanted = self._wanted[channel] = Subscription(channel, receiver)
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await self._shard_of(channel).add(wanted)
                await wanted.confirmed.wait()
        except BROKEN as lost:
            await self.unsubscribe(channel, receiver)
            raise RedisUnavailable() from lost

    async def unsubscribe(self, channel: str, receiver: Receiver) -> None:
        """Forget a channel; does nothing when it belongs to another receiver by now."""
        wanted = self._wanted.get(channel)
        if wanted is None or wanted.receiver is not receiver:
            return
        del self._wanted[channel]
        for shard in list(self._shards.values()):  # a shard may come or go while we wait
            await shard.discard(wanted)

    async def publish(self, channel: str, payload: bytes) -> None:
        """Tell every node that listens; raises `RedisUnavailable`."""
        try:
            await asked(lambda: self._redis.execute_command("SPUBLISH", channel, payload))
        except RedisError as lost:
            raise RedisUnavailable() from lost

    async def relearn(self) -> None:
        """Ask the cluster who owns what, and move subscriptions that have a new owner."""
        async with self._relearning:
            await self._learn()
        self._retired = [shard for shard in self._retired if not shard.ended]
        for address in self._shards.keys() - set(self._ranges.values()):
            self._retired.append(self._shards.pop(address))
            self._retired[-1].retire()
        for wanted in list(self._wanted.values()):
            with contextlib.suppress(*BROKEN, RedisUnavailable):  # its owner's reader tries again by itself
                await self._move(wanted)

    async def _learn(self) -> None:
        # Not `nodes_manager.initialize()`: it closes connections that commands under way are using.
        known = _coverage(self._ranges)
        for node in self._redis.get_nodes():
            try:
                rows = await node.execute_command("CLUSTER SLOTS")
            except BROKEN:
                continue
            ranges = {
                range(first, last + 1): (_text(owner[0]) or node.host, int(owner[1])) for first, last, owner, *_ in rows
            }
            # A node that has just come back, perhaps without its disk, knows fewer owners or none: ask the next.
            if ranges and _coverage(ranges) >= known:
                self._ranges = ranges
                return

    async def _move(self, wanted: Subscription) -> None:
        owner = self._shard_of(wanted.channel)
        for shard in list(self._shards.values()):
            if shard is not owner:
                await shard.discard(wanted)
        if not owner.holds(wanted) and self._wanted.get(wanted.channel) is wanted:
            wanted.lose()
            await owner.add(wanted)

    async def close(self) -> None:
        for shard in [*self._shards.values(), *self._retired]:
            await shard.close()

    async def probe_forever(self) -> None:
        await forever("cluster.probe", self._look_after, every_seconds=PROBE_SECONDS)

    async def _look_after(self) -> None:
        """Find owners for subscriptions that no shard holds, and readers that hear nothing."""
        shards = list(self._shards.values())
        if not all(any(shard.holds(wanted) for shard in shards) for wanted in self._wanted.values()):
            await self.relearn()
        await asyncio.gather(*(self._probe(shard) for shard in list(self._shards.values())))

    async def _probe(self, shard: "Shard") -> None:
        asked = time.monotonic()
        if not shard.connected_before(asked - PROBE_SECONDS):
            return
        try:
            await self.publish(shard.probe_channel, b"")
        except RedisUnavailable:
            return
        await asyncio.sleep(PATIENCE_SECONDS)
        if shard.connected_before(asked) and shard.heard_at < asked:
            log.error("cluster.silent_shard", shard=shard.name)
            shard.cut()

    def _shard_of(self, channel: str) -> "Shard":
        host, port = address = self._owner(channel)
        shard = self._shards.get(address)
        if shard is None:
            kind = SSLConnection if self._options["ssl"] else Connection
            options = {name: value for name, value in self._options.items() if name != "ssl"}

            def connect() -> Connection:
                return kind(host=host, port=port, protocol=2, **options)

            shard = self._shards[address] = Shard(f"{host}:{port}", connect, self.relearn)
            shard.start(Subscription(self._probe_channel(address), _Silent()))
        return shard

    def _owner(self, channel: str) -> Address:
        slot = self._redis.keyslot(channel)
        for slots, address in self._ranges.items():
            if slot in slots:
                return address
        raise RedisUnavailable

    def _probe_channel(self, address: Address) -> str:
        """A channel of that very shard: some tag among the first few falls into its slots."""
        names = (f"realtime:probe:{{{number}}}" for number in range(MAX_PROBE_TAGS))
        return next(name for name in names if self._owner(name) == address)


class Shard:
    """The reader of one primary. Confirmations are counted, because a channel may be left and joined in one breath."""

    def __init__(self, name: str, connect: Callable[[], Connection], relearn: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.wanted: dict[str, Subscription] = {}
        self.heard_at = 0.0
        self.probe_channel = ""
        self._connect = connect
        self._relearn = relearn
        self._connection: Connection | None = None
        self._connected_at = math.inf
        self._sending = asyncio.Lock()
        self._joins: Counter[str] = Counter()  # SSUBSCRIBE sent and not yet confirmed
        self._leaves: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._retired = False

    def start(self, probe: Subscription) -> None:
        self.probe_channel = probe.channel
        self.wanted[probe.channel] = probe
        # Not in the context of whoever came first: its correlation id has no business in our log lines.
        self._task = asyncio.create_task(self._run(), context=contextvars.Context())

    @property
    def ended(self) -> bool:
        return self._task is None or self._task.done()

    def holds(self, wanted: Subscription) -> bool:
        return self.wanted.get(wanted.channel) is wanted

    def connected_before(self, moment: float) -> bool:
        return self._connected_at < moment

    async def add(self, wanted: Subscription) -> None:
        self.wanted[wanted.channel] = wanted
        await self._send("SSUBSCRIBE", wanted.channel, self._joins)

    async def discard(self, wanted: Subscription) -> None:
        if self.holds(wanted):
            del self.wanted[wanted.channel]
            with contextlib.suppress(*BROKEN):  # a connection that is gone has forgotten the channel by itself
                await self._send("SUNSUBSCRIBE", wanted.channel, self._leaves)

    def cut(self) -> None:
        """Drop the connection; the reader starts anew."""
        if self._connection is not None and self._connection._writer is not None:
            self._connection._writer.transport.abort()  # no public way ends a connection that answers nothing

    def retire(self) -> None:
        """The node is no primary any more: end the reader."""
        self._retired = True
        for wanted in self.wanted.values():
            wanted.lose()
        self.wanted = {}  # the next owner confirms them; what this reader still hears or loses is not theirs
        self.cut()
        if self._task is not None and self._task is not asyncio.current_task():  # it may be just connecting
            self._task.cancel()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while not self._retired:
            try:
                async with self._session() as connection:
                    failures = 0
                    await self._read(connection)
            except BROKEN as lost:
                log.error("cluster.shard_lost", shard=self.name, why=type(lost).__name__)
            except Exception:  # a reader that ends leaves its rooms deaf for good
                log.exception("cluster.reader_failed", shard=self.name)
            longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**failures)
            failures += 1
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # spreads load, keeps no secret
            try:
                await self._relearn()
            except Exception:  # the same: the probes and the next failure learn again
                log.exception("cluster.relearn_failed", shard=self.name)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Connection]:
        connection = self._connect()
        try:
            await connection.connect()
            self._joins.clear()
            self._leaves.clear()
            self._connection = connection
            self.heard_at = self._connected_at = time.monotonic()
            for channel in list(self.wanted):
                await self._send("SSUBSCRIBE", channel, self._joins)
            yield connection
        finally:
            self._connection = None
            self._connected_at = math.inf
            for wanted in self.wanted.values():
                wanted.lose()
            await connection.disconnect(nowait=True)

    async def _send(self, command: str, channel: str, unanswered: "Counter[str]") -> None:
        async with self._sending:
            connection = self._connection
            if connection is not None and connection.is_connected:  # otherwise the next session subscribes
                unanswered[channel] += 1
                await connection.send_command(command, channel, check_health=False)

    async def _read(self, connection: Connection) -> None:
        while True:
            # No time limit for a single read: silence is what the probes are for.
            message: Any = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
            self.heard_at = time.monotonic()
            kind, channel = message[0], message[1].decode()
            if kind == b"smessage":
                if wanted := self.wanted.get(channel):
                    wanted.receiver.received(message[2])
            elif kind == b"ssubscribe":
                self._confirmed(channel)
            elif kind == b"sunsubscribe":
                self._left(channel)

    def _confirmed(self, channel: str) -> None:
        if _settle(self._joins, channel) <= 0 and (wanted := self.wanted.get(channel)):
            wanted.confirm()

    def _left(self, channel: str) -> None:
        if _settle(self._leaves, channel) < 0 and channel in self.wanted:
            raise ResponseError("the slot moved to another shard")


def _coverage(ranges: dict[range, Address]) -> int:
    return sum(map(len, ranges))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _settle(unanswered: "Counter[str]", channel: str) -> int:
    """Count one answer; how many are still to come, below zero when nobody had asked."""
    left = unanswered[channel] - 1
    if left > 0:
        unanswered[channel] = left
    else:
        del unanswered[channel]
    return left


@asynccontextmanager
async def open_channels(redis: Redis, settings: RedisSettings) -> AsyncIterator[ShardedChannels]:
    """Sharded channels for as long as the block lasts."""
    channels = ShardedChannels(redis, settings)
    probing = asyncio.create_task(channels.probe_forever())
    try:
        yield channels
    finally:
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
        await channels.close()
