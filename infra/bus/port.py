"""The bus: topic events that tell what happened, and durable jobs that ask for work.

Both are at-least-once. A message is acknowledged only after its handler returned; a handler that raises is tried
again with a growing delay and, after `Retry.attempts`, parked in the dead letters with the reason. The same message
id is handled once by a group or queue within `DEDUPE_SECONDS`; handlers must still be idempotent, because a process
may die between its effect and the acknowledgement.

Shutdown: `Subscription.close()` stops taking messages and waits for the handler in hand; what was not acknowledged is
delivered to another process.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

DEDUPE_SECONDS = 3600  # a redelivery comes within minutes; an hour of ids is small and safe


@dataclass(frozen=True, slots=True)
class Message:
    """What travels. `body` is JSON; `topic` is `area.what_happened` for events, the queue's name for jobs."""

    id: str
    topic: str
    body: bytes
    at: datetime
    correlation_id: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and after how long, a failed message is tried again: `first * 2^n` seconds, at most `longest`."""

    attempts: int = 5
    first_seconds: float = 1.0
    longest_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, and why."""

    message: Message
    reason: str


Handler = Callable[[Message], Awaitable[None]]


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
        """Transient: this process hears every matching event from now on; nothing is kept for it."""
        ...

    async def enqueue(self, queue: str, message: Message, *, delay_seconds: float = 0.0) -> None:
        """Ask for work, now or later."""
        ...

    async def work(self, queue: str, handle: Handler, *, retry: Retry = Retry(), concurrency: int = 1) -> Subscription:
        """Take jobs of `queue`, at most `concurrency` at once."""
        ...

    async def dead(self, name: str, *, count: int = 100) -> list[DeadLetter]:
        """The newest dead letters of a queue or group."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` when the broker does not answer."""
        ...

    async def close(self) -> None:
        """Close every subscription, then the connection."""
        ...
