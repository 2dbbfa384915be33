"""The bus: topic events that tell what happened, and durable jobs that ask for work.

Both are at-least-once. A message is acknowledged only after its handler returned; a handler that raises is tried
again with a growing delay and, after `Retry.attempts`, parked in the dead letters with the reason; dying with the
message in hand counts as an attempt. The same message id is handled once by a group or queue within `DEDUPE_SECONDS`;
handlers must still be idempotent, because a process may die between its effect and the acknowledgement.

Order: one consumer handles events in the order they were published, except for those that are tried again. A handler
runs under the correlation id of its message.

Shutdown: `Subscription.close()` stops taking messages and waits for the handler in hand; what was not acknowledged is
delivered to another process.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from infra.errors import TooLarge, Unavailable

DEDUPE_SECONDS = 3600  # a redelivery comes within minutes; an hour of ids is small and safe
MAX_BODY_BYTES = 262_144  # events carry facts and jobs carry references; files live in the object store
MAX_DEAD = 1000  # dead letters kept of each group and queue, the newest
LISTENER_SECONDS = 600  # how long a listener may be cut off and still miss nothing


class BusUnavailable(Unavailable):
    code = "service.bus"
    message = "The event service does not answer just now. Try again in a moment."


class MessageTooLarge(TooLarge):
    code = "bus.message_too_large"
    message = "A message on the bus is over the limit. Send a reference instead of the thing."


@dataclass(frozen=True, slots=True)
class Message:
    """What travels. `body` is JSON; `topic` is `area.what_happened` for events, the queue's name for jobs."""

    id: str
    topic: str
    body: bytes
    at: datetime
    correlation_id: str = ""
    attempt: int = 1

    def __post_init__(self) -> None:
        if len(self.body) > MAX_BODY_BYTES:
            raise MessageTooLarge(topic=self.topic, limit_bytes=MAX_BODY_BYTES)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and after how long, a failed message is tried again: `first * 2^n` seconds, at most `longest`."""

    attempts: int = 5
    first_seconds: float = 1.0
    longest_seconds: float = 60.0

    def delay_seconds(self, failed_attempt: int) -> float:
        """The wait after attempt number `failed_attempt` (the first is 1)."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(failed_attempt - 1, 30))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, and why."""

    message: Message
    reason: str


Handler = Callable[[Message], Awaitable[None]]


def matches(topic: str, wanted: Sequence[str]) -> bool:
    """Whether a topic is one of these: exact (`stream.ended`) or of a family (`stream.*`, one more word)."""
    area = topic.rpartition(".")[0]
    return topic in wanted or (bool(area) and f"{area}.*" in wanted)


class Subscription(Protocol):
    """A running consumer."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """Publishes return only when the broker has the message safely; otherwise they raise `infra.errors.Unavailable`."""

    async def publish(self, message: Message) -> None:
        """Send an event to every group and listener whose topics match."""
        ...

    async def subscribe(
        self, group: str, topics: Sequence[str], handle: Handler, *, retry: Retry = Retry()
    ) -> Subscription:
        """Durable: each event reaches one process of `group`, also events sent while none was running.

        A topic is exact (`stream.ended`) or a family (`stream.*`).
        """
        ...

    async def listen(self, topics: Sequence[str], handle: Handler) -> Subscription:
        """Transient: this process hears every matching event from the moment this returns until it closes.

        A handler that raises is logged and counted; nothing is tried again. While the broker is away or restarts,
        events wait for `LISTENER_SECONDS`; what was lost beyond that is logged.
        """
        ...

    async def enqueue(self, queue: str, message: Message, *, delay_seconds: float = 0.0) -> None:
        """Ask for work, now or later. Without a worker the job waits."""
        ...

    async def work(self, queue: str, handle: Handler, *, retry: Retry = Retry(), concurrency: int = 1) -> Subscription:
        """Take jobs of `queue`, at most `concurrency` at once in this process."""
        ...

    async def dead(self, name: str, *, count: int = 100) -> list[DeadLetter]:
        """The newest dead letters of a queue or group, newest last; at most `MAX_DEAD` are kept."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` when the broker does not answer."""
        ...

    async def close(self) -> None:
        """Close every subscription, then the connection."""
        ...
