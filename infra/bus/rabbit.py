"""The bus on RabbitMQ: production. What is declared there is in `rabbit_queues.py`.

Everything is confirmed: a publish returns when a majority of the queue's replicas has the message on disk. An event
that nobody subscribed to is dropped without a word; a job always finds its queue. The connection and its consumers
come back by themselves after the broker was away; a publish meanwhile raises `BusUnavailable` within
`ANSWER_SECONDS`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from math import inf

import aio_pika
from aio_pika.abc import AbstractRobustChannel, AbstractRobustConnection
from aiormq import spec
from aiormq.abc import AbstractChannel

from infra.bus.once import Once
from infra.bus.port import (
    MAX_DEAD,
    DeadLetter,
    Handler,
    Message,
    Retry,
    Subscription,
)
from infra.bus.rabbit_consumers import LOST, Consumer, Listener, in_bus_terms
from infra.bus.rabbit_queues import (
    DEAD_ARGUMENTS,
    EXCHANGE,
    Arguments,
    Envelope,
    Target,
    dead_letter,
    group_target,
    later_queue,
    queue_target,
    rounded_ms,
    to_amqp,
)
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.stores.redis import Redis

log = get_logger(__name__)

RECONNECT_SECONDS = 0.5
# RabbitMQ writes the name of a new quorum queue to disk up to half a second later; when the only replica was killed
# within that time, the queue came back empty and a confirmed message was gone (measured with 3.10.8). So the first
# use of a new queue waits; once for each queue, ever.
SETTLE_SECONDS = 1.0
DECLARED_SECONDS = 30.0  # what we declared is there for so long; a queue for later lives a minute at least
HEARTBEAT_SECONDS = 10


class RabbitBus:
    """`infra.bus.port.Bus` on one connection; open it with `open_rabbit`."""

    def __init__(
        self,
        connection: AbstractRobustConnection,
        publisher: AbstractRobustChannel,
        once: Once,
        metrics: Metrics,
        settle_seconds: float,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._once = once
        self._metrics = metrics
        self._settle_seconds = settle_seconds
        self._declared_at: dict[str, float] = {}
        self._subscriptions: list[Subscription] = []

    async def publish(self, message: Message) -> None:
        await self._send(EXCHANGE, message.topic, to_amqp(message), mandatory=False)
        self._metrics.bus_published.labels(message.topic).inc()

    async def subscribe(
        self, group: str, topics: Sequence[str], handle: Handler, *, retry: Retry = Retry()
    ) -> Subscription:
        return await self._consume(group_target(group, topics), handle, retry, concurrency=1)

    async def listen(self, topics: Sequence[str], handle: Handler) -> Subscription:
        listener = Listener(self._connection, topics, handle, self._metrics)
        await listener.start()
        self._subscriptions.append(listener)
        return listener

    async def enqueue(self, queue: str, message: Message, *, delay_seconds: float = 0.0) -> None:
        target = queue_target(queue)
        await self._declare_target(target)
        await self.send_to(target, message, delay_seconds)
        self._metrics.bus_published.labels(queue).inc()

    async def work(self, queue: str, handle: Handler, *, retry: Retry = Retry(), concurrency: int = 1) -> Subscription:
        return await self._consume(queue_target(queue), handle, retry, concurrency)

    async def dead(self, name: str, *, count: int = 100) -> list[DeadLetter]:
        """They are taken and put back, so two who look at the same moment each see a part."""
        letters: list[DeadLetter] = []
        for target in (group_target(name), queue_target(name)):
            async with in_bus_terms():
                letters += await self._look_at(target.dead)
        return sorted(letters, key=lambda letter: letter.message.at)[-count:]

    async def ping(self) -> None:
        async with in_bus_terms():
            channel = await self._publisher.get_underlay_channel()
            await channel.exchange_declare(EXCHANGE, passive=True)

    async def close(self) -> None:
        await asyncio.gather(*(subscription.close() for subscription in self._subscriptions))
        self._subscriptions.clear()
        await self._connection.close()

    async def send_to(self, target: Target, message: Message, delay_seconds: float) -> None:
        """Put a message into the queue of a group or of jobs, now or later."""
        queue = target.queue
        if delay_seconds > 0:
            # Declared every time: that is what keeps an expiring queue alive for this message.
            queue, arguments = later_queue(target.queue, rounded_ms(delay_seconds))
            await self._declare(queue, arguments)
        await self._send("", queue, to_amqp(message), mandatory=True)

    async def bury(self, target: Target, message: aio_pika.Message) -> None:
        await self._declare_target(target)
        await self._send("", target.dead, message, mandatory=True)

    async def _send(self, exchange: str, routing_key: str, message: aio_pika.Message, *, mandatory: bool) -> None:
        async with in_bus_terms():
            channel = await self._publisher.get_underlay_channel()
            try:
                await channel.basic_publish(
                    message.body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=message.properties,
                    mandatory=mandatory,
                )
            except aio_pika.exceptions.PublishError:
                self._declared_at.clear()  # the broker came back without our queues; the next try declares them
                raise

    async def _consume(self, target: Target, handle: Handler, retry: Retry, concurrency: int) -> Subscription:
        await self._declare_target(target)
        consumer = Consumer(self._connection, self, self._once, target, handle, retry, self._metrics, concurrency)
        await consumer.start()
        self._subscriptions.append(consumer)
        return consumer

    async def _declare_target(self, target: Target) -> None:
        if self._is_settled(target.queue):
            return
        await self._declare(target.dead, DEAD_ARGUMENTS)
        await self._declare(target.queue, target.arguments)

    async def _declare(self, queue: str, arguments: Arguments) -> None:
        async with in_bus_terms():
            is_new = not self._is_settled(queue) and not await self._exists(queue)
            channel = await self._publisher.get_underlay_channel()
            await channel.queue_declare(queue, durable=True, arguments=arguments)
        if is_new:
            await asyncio.sleep(self._settle_seconds)
        self._declared_at[queue] = asyncio.get_running_loop().time()

    def _is_settled(self, queue: str) -> bool:
        return self._declared_at.get(queue, -inf) > asyncio.get_running_loop().time() - DECLARED_SECONDS

    async def _exists(self, queue: str) -> bool:
        async with self._passing_channel() as channel:
            try:
                await channel.queue_declare(queue, passive=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return False
            return True

    @contextlib.asynccontextmanager
    async def _passing_channel(self) -> AsyncIterator[AbstractChannel]:
        """A bare channel for one question: a "no" closes it, and closing it puts back what was taken."""
        publisher = await self._publisher.get_underlay_channel()
        channel = await publisher.connection.channel()
        try:
            yield channel
        finally:
            with contextlib.suppress(*LOST):
                await channel.close()

    async def _look_at(self, queue: str) -> list[DeadLetter]:
        if not await self._exists(queue):
            return []
        letters: list[DeadLetter] = []
        async with self._passing_channel() as channel:
            while len(letters) < MAX_DEAD:
                found = await channel.basic_get(queue)
                if isinstance(found.delivery, spec.Basic.GetEmpty):
                    break
                about = found.header.properties
                envelope = Envelope(about.message_id, about.correlation_id, about.message_type, about.headers or {})
                letters.append(dead_letter(envelope, found.body))
        return letters


class ConnectionLog:
    """Says once that the connection is gone and once that it is back; the library reports every try."""

    def __init__(self) -> None:
        self._gone = False

    def lost(self, _: object, failure: BaseException | None) -> None:
        if failure is not None and not self._gone:  # None: we closed it
            log.error("bus.connection_lost", reason=str(failure))
        self._gone = failure is not None

    def back(self, _: object) -> None:
        self._gone = False
        log.info("bus.connection_back")


@contextlib.asynccontextmanager
async def open_rabbit(
    url: str, redis: Redis, metrics: Metrics, *, once: Once | None = None, settle_seconds: float = SETTLE_SECONDS
) -> AsyncIterator[RabbitBus]:
    """Connect, declare the exchange; leaving the block closes subscriptions, then the connection."""
    async with in_bus_terms():
        connection = await aio_pika.connect_robust(
            url, reconnect_interval=RECONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS
        )
    told = ConnectionLog()
    connection.close_callbacks.add(told.lost)
    connection.reconnect_callbacks.add(told.back)
    try:
        async with in_bus_terms():
            publisher = await connection.channel(publisher_confirms=True, on_return_raises=True)
            await publisher.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        bus = RabbitBus(connection, publisher, once or Once(redis), metrics, settle_seconds)
        try:
            yield bus
        finally:
            await bus.close()
    finally:
        await connection.close()
