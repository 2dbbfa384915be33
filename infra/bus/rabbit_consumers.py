"""Taking messages from RabbitMQ: consumers that share the work of a group or queue, and listeners that hear everything.

The broker never gives a consumer more than it may handle at once, so nothing waits in a process that may die. After
the broker was away it delivers again what is still in hand here; the claim of `Once` and the list of heard ids keep
that from being handled twice.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Protocol

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel, AbstractRobustConnection, AbstractRobustQueue

from infra.bus.handling import Again, Done, GiveUp, attempt, hear
from infra.bus.once import Once
from infra.bus.port import BusUnavailable, Handler, Message, Retry, matches
from infra.bus.rabbit_queues import EXCHANGE, LISTENER_ARGUMENTS, REASON, Envelope, NotOurs, Target, from_amqp, to_amqp
from infra.clock import new_id
from infra.logs import get_logger
from infra.metrics import Metrics

ANSWER_SECONDS = 5.0
BUSY_SECONDS = 0.5  # another process has this id in hand: how often to look whether it is done
LISTENER_PREFETCH = 100
REMEMBERED = 1000  # ids a listener remembers; ten times what can be delivered again
# RuntimeError: that is what aiormq's ChannelInvalidStateError is ("the channel is closed").
LOST = (aio_pika.exceptions.AMQPError, OSError, TimeoutError, RuntimeError)

Take = Callable[[AbstractIncomingMessage], Coroutine[None, None, None]]

log = get_logger(__name__)


@contextlib.asynccontextmanager
async def in_bus_terms() -> AsyncIterator[None]:
    """Talk to the broker: no longer than `ANSWER_SECONDS`, and every failure is `BusUnavailable`."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except LOST as lost:
        raise BusUnavailable() from lost
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BusUnavailable() from None  # the library cancels what waits for an answer when the connection breaks


class Sender(Protocol):
    """What a consumer needs of the bus: where to put what it could not handle."""

    async def send_to(self, target: Target, message: Message, delay_seconds: float) -> None: ...
    async def bury(self, target: Target, message: aio_pika.Message) -> None: ...


class Consumer:
    """Takes messages of one queue until closed; see `infra.bus.port` for what is promised."""

    def __init__(
        self,
        connection: AbstractRobustConnection,
        sender: Sender,
        once: Once,
        target: Target,
        handle: Handler,
        retry: Retry,
        metrics: Metrics,
        concurrency: int,
    ) -> None:
        self._connection = connection
        self._sender = sender
        self._once = once
        self._target = target
        self._handle = handle
        self._retry = retry
        self._metrics = metrics
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._taken = Taken()

    async def start(self) -> None:
        async with in_bus_terms():
            channel = await self._connection.channel()
            await channel.set_qos(prefetch_count=self._concurrency)
            queue = await channel.declare_queue(self._target.queue, durable=True, arguments=self._target.arguments)
            for topic in self._target.topics:
                await queue.bind(EXCHANGE, topic)
            await self._taken.begin(channel, queue, self._take)

    async def close(self) -> None:
        await self._taken.end()

    async def _take(self, incoming: AbstractIncomingMessage) -> None:
        async with self._slots:
            if self._taken.closing:
                return  # not acknowledged: closing the channel gives it back
            try:
                message = from_amqp(envelope_of(incoming), incoming.body)
            except NotOurs as garbage:
                await self._bury_garbage(incoming, garbage)
                return
            if self._target.topics and not matches(message.topic, self._target.topics):
                await acknowledge(incoming)  # a binding of an earlier version of this group
                return
            await self._handle_once(incoming, message)

    async def _handle_once(self, incoming: AbstractIncomingMessage, message: Message) -> None:
        name = self._target.queue
        while (claim := await self._once.claim(name, message.id)) == "busy":
            await asyncio.sleep(BUSY_SECONDS)
            if self._taken.closing:
                return
        if claim == "done":
            await acknowledge(incoming)
            return
        async with self._once.holding(name, message.id):
            verdict = await attempt(self._target.name, self._handle, message, self._retry, self._metrics)
        match verdict:
            case Done():
                await self._once.finish(name, message.id)
                await acknowledge(incoming)
            case Again(delay):
                await self._once.release(name, message.id)
                copy = replace(message, attempt=message.attempt + 1)
                await replaced(incoming, self._sender.send_to(self._target, copy, delay))
            case GiveUp(reason):
                buried = await replaced(incoming, self._sender.bury(self._target, to_amqp(message, reason)))
                await (self._once.finish if buried else self._once.release)(name, message.id)

    async def _bury_garbage(self, incoming: AbstractIncomingMessage, garbage: Exception) -> None:
        reason = f"not a message: {garbage}"
        self._metrics.bus_dead.labels(self._target.name).inc()
        log.error("bus.message_dead", consumer=self._target.name, reason=reason)
        letter = aio_pika.Message(
            incoming.body,
            message_id=incoming.message_id,
            type=incoming.type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers={REASON: reason},
        )
        await replaced(incoming, self._sender.bury(self._target, letter))


class Listener:
    """Hears every event of some topics from the moment `start` returned; its queue outlives short absences."""

    def __init__(
        self, connection: AbstractRobustConnection, topics: Sequence[str], handle: Handler, metrics: Metrics
    ) -> None:
        self._connection = connection
        self._topics = tuple(topics)
        self._handle = handle
        self._metrics = metrics
        self._turn = asyncio.Lock()
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._taken = Taken()

    async def start(self) -> None:
        async with in_bus_terms():
            channel = await self._connection.channel()
            await channel.set_qos(prefetch_count=LISTENER_PREFETCH)
            # Not exclusive: an exclusive queue dies with the connection, and with it what is published meanwhile.
            queue = await channel.declare_queue(f"listen.{new_id()}", durable=True, arguments=LISTENER_ARGUMENTS)
            for topic in self._topics:
                await queue.bind(EXCHANGE, topic)
            await self._taken.begin(channel, queue, self._hear)

    async def close(self) -> None:
        await self._taken.end(delete=True)

    async def _hear(self, incoming: AbstractIncomingMessage) -> None:
        async with self._turn:
            if self._taken.closing:
                return
            try:
                message = from_amqp(envelope_of(incoming), incoming.body)
            except NotOurs as garbage:
                log.error("bus.garbage", reason=str(garbage))
            else:
                if message.id not in self._heard:
                    await hear(self._handle, message, self._metrics)
                self._remember(message.id)
            await acknowledge(incoming)

    def _remember(self, message_id: str) -> None:
        self._heard[message_id] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)


class Taken:
    """A queue being consumed, and the deliveries that are in hand."""

    def __init__(self) -> None:
        self.closing = False
        self._in_hand: set[asyncio.Task[None]] = set()
        self._channel: AbstractRobustChannel | None = None
        self._queue: AbstractRobustQueue | None = None
        self._tag = ""

    async def begin(self, channel: AbstractRobustChannel, queue: AbstractRobustQueue, take: Take) -> None:
        """Call `take` for each delivery; each call is a task of its own, started in the order of the queue."""

        async def deliver(incoming: AbstractIncomingMessage) -> None:
            task = asyncio.create_task(take(incoming))
            self._in_hand.add(task)
            task.add_done_callback(self._finished)

        self._channel, self._queue = channel, queue
        self._tag = await queue.consume(deliver)

    async def end(self, *, delete: bool = False) -> None:
        """Take no more, wait for what is in hand, give the rest back."""
        if self.closing or self._channel is None or self._queue is None:
            return
        self.closing = True
        with contextlib.suppress(BusUnavailable):  # then the broker notices by itself that we are gone
            async with in_bus_terms():
                await self._queue.cancel(self._tag)
        await asyncio.gather(*self._in_hand, return_exceptions=True)
        with contextlib.suppress(BusUnavailable):
            async with in_bus_terms():
                if delete:
                    await self._queue.delete(if_unused=False, if_empty=False)
                await self._channel.close()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            # A fault of ours, not of a handler; the message comes back when the channel ends.
            log.error("bus.delivery_failed", exc_info=failure)


def envelope_of(incoming: AbstractIncomingMessage) -> Envelope:
    return Envelope(incoming.message_id, incoming.correlation_id, incoming.type, incoming.headers)


async def acknowledge(incoming: AbstractIncomingMessage) -> None:
    """Tell the broker to forget it; over a connection that broke meanwhile it will come again, as a duplicate."""
    try:
        async with in_bus_terms():
            await incoming.ack()
    except BusUnavailable:
        log.info("bus.not_acknowledged", message_id=incoming.message_id)


async def replaced(incoming: AbstractIncomingMessage, move: Awaitable[None]) -> bool:
    """Acknowledge what was safely put elsewhere; what could not be moved goes back to its queue."""
    try:
        await move
    except BusUnavailable:
        log.error("bus.not_moved", message_id=incoming.message_id)
        with contextlib.suppress(BusUnavailable):
            async with in_bus_terms():
                await incoming.nack(requeue=True)
        return False
    await acknowledge(incoming)
    return True
