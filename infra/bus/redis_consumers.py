"""Reading the streams of the Redis bus: consumers that share the work of a group, and listeners that hear everything.

Every reader blocks on a connection of its own; the shared client is used for short commands only, and it is the one
that learns about a moved shard. What a consumer has in hand is renewed every third of the lease; a message whose lease
ran out belongs to a dead process (or was lost on a broken connection) and is claimed by whoever looks next.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
import redis.asyncio
from redis.asyncio.retry import Retry as ClientRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from infra.bus.handling import Again, Done, GiveUp, Verdict, attempt, hear
from infra.bus.port import MAX_DEAD, BusUnavailable, Handler, Message, Retry, matches
from infra.clock import new_id
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.retry import retrying
from infra.stores.redis import LOST, Functions, Redis, RedisUnavailable

BLOCK_MS = 500  # also how late a delayed message may be, and how long closing waits for a quiet reader
FORGOTTEN_MS = 3_600_000  # a consumer name that was silent for an hour is removed
LONGEST_PAUSE_SECONDS = 2.0
ACKNOWLEDGE_SECONDS = 15.0  # a node restarts in 2 to 5 s; afterwards the message is handled a second time

log = get_logger(__name__)


async def in_bus_terms(functions: Functions, name: str, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
    """Call one function of `streams.lua`; anything Redis has against it means that the bus is not available."""
    try:
        return await functions.call(name, keys, arguments)
    except (RedisUnavailable, RedisError) as failure:
        raise BusUnavailable() from failure


class BlockingReader:
    """A connection to the shard that owns `key`, opened when needed, dropped after any failure."""

    def __init__(self, client: Redis, key: str) -> None:
        self._client = client
        self._key = key
        self._connection: redis.asyncio.Redis | None = None

    async def read(self, *command: str | bytes | int) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
        """The answer to XREAD or XREADGROUP; `ResponseError` is for the caller, the rest is `BusUnavailable`."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            return await self._connection.execute_command(*command) or []
        except LOST as lost:
            await self.close()
            raise BusUnavailable() from lost
        except ResponseError:
            await self.close()  # MOVED among them: look for the owner again
            raise

    def _connect(self) -> "redis.asyncio.Redis":
        node = self._client.get_node_from_key(self._key)
        if node is None:
            raise BusUnavailable()
        given = self._client.connection_kwargs
        kept = {key: given[key] for key in given if key in {"username", "password", "socket_connect_timeout"}}
        kept |= {key: given[key] for key in given if key.startswith("ssl_")}
        pool = redis.asyncio.ConnectionPool(
            connection_class=node.connection_class,
            host=node.host,
            port=node.port,
            socket_timeout=given["socket_timeout"] + BLOCK_MS / 1000,
            retry=ClientRetry(NoBackoff(), 0),  # a read that is sent twice takes two messages
            max_connections=1,
            protocol=2,
            **kept,
        )
        return redis.asyncio.Redis.from_pool(pool)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(RedisError, OSError):
                await connection.aclose()


@dataclass(frozen=True, slots=True)
class Source:
    """Where one group or queue takes its messages from. All keys have one hash tag: one slot, one shard.

    `inbox` belongs to this group alone and gets what is tried again; `log` is shared by all groups, None for a queue.
    """

    name: str
    group: str
    inbox: str
    later: str
    dead: str
    log: str | None = None
    topics: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[str, ...]:
        return (self.inbox,) if self.log is None else (self.log, self.inbox)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in hand."""

    stream: str
    id: bytes
    payload: bytes
    deliveries: int = 1


class Pause:
    """Waits longer after each failure in a row, and says once that something is wrong and once that it is over."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._failures = 0

    def over(self) -> None:
        if self._failures:
            log.info("bus.reader_recovered", reader=self._reader)
        self._failures = 0

    def seconds(self, failure: Exception) -> float:
        if not self._failures:
            log.error("bus.reader_waits", reader=self._reader, exc_info=failure)
        self._failures += 1
        return min(LONGEST_PAUSE_SECONDS, 0.05 * 2.0 ** min(self._failures, 10))


class Consumer:
    """Takes messages of one source until closed; see `infra.bus.port` for what is promised."""

    def __init__(
        self,
        client: Redis,
        functions: Functions,
        source: Source,
        handle: Handler,
        retry: Retry,
        metrics: Metrics,
        *,
        concurrency: int = 1,
        lease_seconds: float,
    ) -> None:
        self._client = client
        self._functions = functions
        self._source = source
        self._handle = handle
        self._retry = retry
        self._metrics = metrics
        self._concurrency = concurrency
        self._lease_ms = int(lease_seconds * 1000)
        self._name = new_id()
        self._reader = BlockingReader(client, source.inbox)
        self._slots = asyncio.Semaphore(concurrency)
        self._held: dict[Entry, asyncio.Task[None]] = {}
        self._freed = asyncio.Event()
        self._closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._look_at = 0.0  # when delayed messages are looked at next
        self._claim_at = 0.0  # when expired leases are looked at next

    async def start(self) -> None:
        """Create the group, if it is new, from this moment on; then read in the background."""
        await self._create_groups("$")
        self._tasks = [
            asyncio.create_task(self._read_until_closed()),
            asyncio.create_task(self._renew_until_cancelled()),
        ]

    async def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._freed.set()
        await self._tasks[0]  # at most BLOCK_MS: cancelling a read could lose the message it was about to return
        await asyncio.gather(*self._held.values())
        self._tasks[1].cancel()
        await asyncio.gather(self._tasks[1], return_exceptions=True)
        await self._reader.close()
        with contextlib.suppress(BusUnavailable):
            await self._call("bus_leave", self._source.streams, self._source.group, self._name, FORGOTTEN_MS)

    async def _create_groups(self, start: str) -> None:
        for stream in self._source.streams:
            # The inbox is ours from its first entry; of the log only what comes from now on.
            begin = start if stream == self._source.log else "0"
            try:
                await self._client.xgroup_create(stream, self._source.group, begin, mkstream=True)
            except ResponseError as refused:
                if "BUSYGROUP" not in str(refused):
                    raise BusUnavailable() from refused
            except LOST as lost:
                raise BusUnavailable() from lost

    async def _read_until_closed(self) -> None:
        pause = Pause(self._source.name)
        while not self._closing.is_set():
            if len(self._held) >= self._concurrency:
                self._freed.clear()
                await self._freed.wait()
                continue
            try:
                for entry in await self._next():
                    self._held[entry] = asyncio.create_task(self._take(entry))
                pause.over()
            except Exception as failure:  # noqa: BLE001 - a consumer that ends is a queue that sticks; it is logged
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause.seconds(failure)):
                        await self._closing.wait()

    async def _next(self) -> list[Entry]:
        now = asyncio.get_running_loop().time()
        free = self._concurrency - len(self._held)
        if now >= self._claim_at:
            claimed = await self._claim(free)
            if claimed:
                return claimed
            self._claim_at = now + self._lease_ms / 3000
        if now >= self._look_at:
            due = await self._call("bus_promote", (self._source.later, self._source.inbox), 100)
            self._look_at = now + (min(due, BLOCK_MS) if due >= 0 else BLOCK_MS) / 1000
        block = max(1, int((self._look_at - asyncio.get_running_loop().time()) * 1000))
        return await self._read(free, block)

    async def _read(self, count: int, block_ms: int) -> list[Entry]:
        streams = self._source.streams
        command = ("XREADGROUP", "GROUP", self._source.group, self._name, "COUNT", count, "BLOCK", block_ms, "STREAMS")
        try:
            answer = await self._reader.read(*command, *streams, *(">" for _ in streams))
        except ResponseError as refused:
            if "NOGROUP" not in str(refused):
                raise BusUnavailable() from refused
            # The node came back without our group: whatever is in the streams now, we have not read.
            await self._create_groups("0")
            return []
        return [Entry(stream.decode(), id_, fields[b"m"]) for stream, entries in answer for id_, fields in entries]

    async def _claim(self, count: int) -> list[Entry]:
        streams = self._source.streams
        found = await self._call("bus_claim", streams, self._source.group, self._name, self._lease_ms, count)
        entries = [Entry(streams[number - 1], id_, payload, times) for number, id_, payload, times in found]
        if entries:
            log.info("bus.claimed", consumer=self._source.name, count=len(entries))
        # Our own, when renewing failed for a whole lease: still in hand, not to be handled twice at once.
        held = {(entry.stream, entry.id) for entry in self._held}
        return [entry for entry in entries if (entry.stream, entry.id) not in held]

    async def _take(self, entry: Entry) -> None:
        try:
            async with self._slots:
                await self._conclude(entry, *await self._judge(entry))
        finally:
            del self._held[entry]
            self._freed.set()

    async def _judge(self, entry: Entry) -> tuple[Verdict, bytes]:
        """What becomes of it, and how it is stored from now on."""
        try:
            message = msgspec.msgpack.decode(entry.payload, type=Message)
        except msgspec.MsgspecError as garbage:
            return GiveUp(f"not a message: {garbage}"), entry.payload
        if entry.stream == self._source.log and not matches(message.topic, self._source.topics):
            return Done(), entry.payload
        message = replace(message, attempt=message.attempt + entry.deliveries - 1)
        verdict = await attempt(self._source.name, self._handle, message, self._retry, self._metrics)
        if isinstance(verdict, Again):
            message = replace(message, attempt=message.attempt + 1)
        return verdict, msgspec.msgpack.encode(message)

    async def _conclude(self, entry: Entry, verdict: Verdict, payload: bytes) -> None:
        source, keys = self._source, (entry.stream, self._source.inbox)
        call = retrying(BusUnavailable, attempts=1000, seconds=ACKNOWLEDGE_SECONDS, first_seconds=0.05)
        try:
            match verdict:
                case Done():
                    await call(self._call, "bus_settle", keys, source.group, entry.id)
                case Again(delay):
                    wait_ms = int(delay * 1000)
                    await call(self._call, "bus_again", (*keys, source.later), source.group, entry.id, payload, wait_ms)
                    self._look_at = 0.0
                case GiveUp(reason):
                    await call(
                        self._call, "bus_bury", (*keys, source.dead), source.group, entry.id, payload, reason, MAX_DEAD
                    )
        except BusUnavailable:
            log.error("bus.not_acknowledged", consumer=source.name)

    async def _renew_until_cancelled(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            for stream in self._source.streams:
                ids = [entry.id for entry in self._held if entry.stream == stream]
                with contextlib.suppress(BusUnavailable):  # the next round tries again, well within the lease
                    if ids:
                        await self._call("bus_renew", (stream,), self._source.group, self._name, *ids)

    async def _call(self, function: str, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
        return await in_bus_terms(self._functions, function, keys, *arguments)


class Listener:
    """Hears every event of some topics from the moment `start` returned, over restarts of the shard."""

    def __init__(self, client: Redis, log_key: str, topics: Sequence[str], handle: Handler, metrics: Metrics) -> None:
        self._client = client
        self._key = log_key
        self._topics = tuple(topics)
        self._handle = handle
        self._metrics = metrics
        self._reader = BlockingReader(client, log_key)
        self._last = b"0-0"
        self._closing = False
        self._handling = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        try:
            newest = await self._client.xrevrange(self._key, count=1)
        except (*LOST, RedisError) as lost:
            raise BusUnavailable() from lost
        if newest:
            self._last = cast(bytes, newest[0][0])
        self._task = asyncio.create_task(self._read_until_closed())

    async def close(self) -> None:
        if self._task is None or self._closing:
            return
        self._closing = True
        if not self._handling:
            self._task.cancel()  # nothing is lost: a listener keeps nothing
        await asyncio.gather(self._task, return_exceptions=True)
        await self._reader.close()

    async def _read_until_closed(self) -> None:
        pause, failed = Pause("listener"), False
        while not self._closing:
            try:
                if failed:
                    await self._check_for_a_gap()
                answer = await self._reader.read(
                    "XREAD", "COUNT", 100, "BLOCK", BLOCK_MS, "STREAMS", self._key, self._last
                )
                failed = False
                pause.over()
            except Exception as failure:  # noqa: BLE001 - a listener that ends is deaf for good; it is logged
                failed = True
                await asyncio.sleep(pause.seconds(failure))
                continue
            for _, entries in answer:
                await self._hear(entries)

    async def _hear(self, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        for id_, fields in entries:
            if self._closing:
                return
            self._last = id_
            try:
                message = msgspec.msgpack.decode(fields[b"m"], type=Message)
            except msgspec.MsgspecError as garbage:
                log.error("bus.garbage", reason=str(garbage))
                continue
            if matches(message.topic, self._topics):
                self._handling = True
                try:
                    await hear(self._handle, message, self._metrics)
                finally:
                    self._handling = False

    async def _check_for_a_gap(self) -> None:
        """Also makes the shared client learn where the shard is now."""
        try:
            facts = await self._client.xinfo_stream(self._key)
        except ResponseError:
            return  # no such stream (yet, or any more): what comes will be new
        cut = facts.get("max-deleted-entry-id", b"0-0")
        if _position(cut) > _position(self._last):
            log.error("bus.listener_missed", last=self._last.decode())


def _position(stream_id: bytes) -> tuple[int, ...]:
    return tuple(int(part) for part in stream_id.split(b"-"))
