"""The bus on Redis streams: the embedded default, on the cluster that is there anyway.

Events are one stream with a consumer group for each subscribing group; every job queue is a stream of its own. All
keys of the events, and all of one queue, share a hash tag, so each is one slot and every change is one atomic function
(`streams.lua`). Delayed messages wait in a sorted set; dead letters are a capped stream. The event log is trimmed
behind the slowest group and never within `LISTENER_SECONDS`; only `LOG_CAP` overrides that, which is logged and
counted. A publish that is repeated with the same id within `DEDUPE_SECONDS` stores nothing.

The promise rests on the store: with `appendfsync always` nothing confirmed is lost to a crash.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import cast

import msgspec
from redis.exceptions import RedisError

from infra.bus.port import (
    DEDUPE_SECONDS,
    LISTENER_SECONDS,
    BusUnavailable,
    DeadLetter,
    Handler,
    Message,
    Retry,
    Subscription,
)
from infra.bus.redis_consumers import Consumer, Listener, Source, in_bus_terms
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.stores.redis import LOST, Functions, Redis

EVENTS = "{bus.events}"
LOG = EVENTS + "log"
LOG_CAP = 100_000  # events; some 50 MB of typical ones
QUEUE_CAP = 100_000  # jobs waiting; more are refused, never dropped
LEASE_SECONDS = 15.0  # a crashed consumer's message is handled elsewhere after this
EPOCH = datetime.fromtimestamp(0, UTC)  # the moment of what was not even a message

log = get_logger(__name__)


class QueueFull(BusUnavailable):
    code = "bus.queue_full"
    message = "There is too much work waiting. Try again later."


class RedisStreamsBus:
    """`infra.bus.port.Bus` on a cluster client that the caller opens before and closes after."""

    def __init__(
        self, client: Redis, metrics: Metrics, *, lease_seconds: float = LEASE_SECONDS, log_cap: int = LOG_CAP
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._lease_seconds = lease_seconds
        self._log_cap = log_cap
        self._functions = Functions(client, (files("infra.bus") / "streams.lua").read_text())
        self._subscriptions: list[Subscription] = []

    async def publish(self, message: Message) -> None:
        keys = (LOG, f"{EVENTS}seen:{message.id}")
        payload = msgspec.msgpack.encode(message)
        dropped = await in_bus_terms(
            self._functions, "bus_publish", keys, payload, DEDUPE_SECONDS, self._log_cap, LISTENER_SECONDS * 1000
        )
        self._metrics.bus_published.labels(message.topic).inc()
        if dropped:
            self._metrics.bus_dropped.inc(dropped)
            log.error("bus.log_over_cap", dropped=dropped, cap=self._log_cap)

    async def subscribe(
        self, group: str, topics: Sequence[str], handle: Handler, *, retry: Retry = Retry()
    ) -> Subscription:
        return await self._consume(_group(group, topics), handle, retry, concurrency=1)

    async def listen(self, topics: Sequence[str], handle: Handler) -> Subscription:
        listener = Listener(self._client, LOG, topics, handle, self._metrics)
        await listener.start()
        self._subscriptions.append(listener)
        return listener

    async def enqueue(self, queue: str, message: Message, *, delay_seconds: float = 0.0) -> None:
        source = _queue(queue)
        stored = await in_bus_terms(
            self._functions,
            "bus_enqueue",
            (source.inbox, source.later, f"{{bus.queue.{queue}}}seen:{message.id}"),
            msgspec.msgpack.encode(message),
            DEDUPE_SECONDS,
            int(delay_seconds * 1000),
            QUEUE_CAP,
        )
        if not stored:
            raise QueueFull(queue=queue)
        self._metrics.bus_published.labels(queue).inc()

    async def work(self, queue: str, handle: Handler, *, retry: Retry = Retry(), concurrency: int = 1) -> Subscription:
        return await self._consume(_queue(queue), handle, retry, concurrency)

    async def dead(self, name: str, *, count: int = 100) -> list[DeadLetter]:
        newest: list[tuple[bytes, dict[bytes, bytes]]] = []
        try:
            for source in (_group(name, ()), _queue(name)):
                found = await self._client.xrevrange(source.dead, count=count)
                newest += cast(list[tuple[bytes, dict[bytes, bytes]]], found or [])
        except (*LOST, RedisError) as lost:
            raise BusUnavailable() from lost
        newest.sort(key=lambda entry: tuple(map(int, entry[0].split(b"-"))))
        return [_dead_letter(fields) for _, fields in newest[-count:]]

    async def ping(self) -> None:
        try:
            await self._client.exists(LOG)
        except (*LOST, RedisError) as lost:
            raise BusUnavailable() from lost

    async def close(self) -> None:
        await asyncio.gather(*(subscription.close() for subscription in self._subscriptions))
        self._subscriptions.clear()

    async def _consume(self, source: Source, handle: Handler, retry: Retry, concurrency: int) -> Subscription:
        consumer = Consumer(
            self._client,
            self._functions,
            source,
            handle,
            retry,
            self._metrics,
            concurrency=concurrency,
            lease_seconds=self._lease_seconds,
        )
        await consumer.start()
        self._subscriptions.append(consumer)
        return consumer


def _group(name: str, topics: Sequence[str]) -> Source:
    return Source(
        name=name,
        group=name,
        inbox=f"{EVENTS}inbox:{name}",
        later=f"{EVENTS}later:{name}",
        dead=f"{EVENTS}dead:{name}",
        log=LOG,
        topics=tuple(topics),
    )


def _queue(name: str) -> Source:
    tag = f"{{bus.queue.{name}}}"
    return Source(name=name, group="workers", inbox=f"{tag}inbox", later=f"{tag}later", dead=f"{tag}dead")


def _dead_letter(fields: dict[bytes, bytes]) -> DeadLetter:
    reason = fields[b"reason"].decode()
    try:
        return DeadLetter(msgspec.msgpack.decode(fields[b"m"], type=Message), reason)
    except msgspec.MsgspecError:
        from_nobody = Message(id="", topic="", body=fields[b"m"], at=EPOCH)
        return DeadLetter(from_nobody, reason)
