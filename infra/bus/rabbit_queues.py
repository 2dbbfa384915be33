"""What we declare on RabbitMQ (3.10 and later), and how a message looks there.

| name | kind | what for |
|---|---|---|
| `footlight.events` | topic exchange | every event, routed by its topic |
| `group.NAME`, `queue.NAME` | quorum queue | what a group or a job queue has still to do |
| `later.TARGET.MS` | quorum queue with a time to live | what is tried again, or was asked for later; expires unused |
| `dead.group.NAME`, `dead.queue.NAME` | quorum queue, capped | what was given up, the reason in a header |
| `listen.ID` | classic queue | one listener; expires when it stays away |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aio_pika
from pamqp.common import FieldValue

from infra.bus.port import LISTENER_SECONDS, MAX_BODY_BYTES, MAX_DEAD, DeadLetter, Message, MessageTooLarge

EXCHANGE = "footlight.events"
LONGEST = 100_000  # messages in a queue: more jobs are refused, the oldest events become dead letters
ATTEMPT, AT, REASON = "x-attempt", "x-at", "x-reason"
Arguments = dict[str, Any]


class NotOurs(ValueError):
    """Somebody else put this into our queue."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What AMQP says about a body; a consumer and a look into a queue get it in different classes."""

    message_id: str | None
    correlation_id: str | None
    type: str | None
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """The queue of a group or of jobs."""

    name: str
    queue: str
    topics: tuple[str, ...] = ()

    @property
    def dead(self) -> str:
        return f"dead.{self.queue}"

    @property
    def arguments(self) -> Arguments:
        limit = {"x-max-length": LONGEST, "x-delivery-limit": 100}  # the handler's own attempts end long before
        to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.dead}
        if self.topics:  # one slow group must not stop publishers
            return {"x-queue-type": "quorum", **limit, **to_dead, "x-overflow": "drop-head"}
        # A job may run for hours; the broker's own patience ends after 30 minutes (obeyed from 3.12 on).
        patience = {"x-consumer-timeout": 6 * 3_600_000}
        return {"x-queue-type": "quorum", **limit, **to_dead, **patience, "x-overflow": "reject-publish"}


def group_target(group: str, topics: Sequence[str] = ()) -> Target:
    return Target(group, f"group.{group}", tuple(topics))


def queue_target(queue: str) -> Target:
    return Target(queue, f"queue.{queue}")


DEAD_ARGUMENTS: Arguments = {
    "x-queue-type": "quorum",
    "x-max-length": MAX_DEAD,
    "x-overflow": "drop-head",
    "x-delivery-limit": 1_000_000,  # looking at them puts them back, which counts as a delivery
}
LISTENER_ARGUMENTS: Arguments = {"x-expires": LISTENER_SECONDS * 1000, "x-max-length": LONGEST}


def rounded_ms(delay_seconds: float) -> int:
    """The delay with two significant digits, rounded up: every delay is a queue, so there must not be many."""
    ms = max(1, round(delay_seconds * 1000))
    unit = int(10 ** max(0, len(str(ms)) - 2))
    return -(-ms // unit) * unit


def later_queue(target: str, delay_ms: int) -> tuple[str, Arguments]:
    """A queue whose messages move to `target` after `delay_ms`. It expires a minute after the last could be due."""
    arguments: Arguments = {
        "x-queue-type": "quorum",
        "x-message-ttl": delay_ms,
        "x-expires": 2 * delay_ms + 60_000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": target,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    return f"later.{target}.{delay_ms}", arguments


def to_amqp(message: Message, reason: str | None = None) -> aio_pika.Message:
    headers: dict[str, FieldValue] = {ATTEMPT: message.attempt, AT: message.at.isoformat()}
    if reason is not None:
        headers[REASON] = reason
    return aio_pika.Message(
        message.body,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.id,
        correlation_id=message.correlation_id,
        type=message.topic,
        headers=headers,
    )


def from_amqp(envelope: Envelope, body: bytes) -> Message:
    """Raises `NotOurs` for what was not sent by us."""
    headers = envelope.headers
    if not envelope.message_id or envelope.type is None:
        raise NotOurs("no message id or type")
    try:
        return Message(
            id=envelope.message_id,
            topic=envelope.type,
            body=body,
            at=datetime.fromisoformat(headers[AT]),
            correlation_id=envelope.correlation_id or "",
            # Quorum queues count deliveries that nobody acknowledged: consumers that died.
            attempt=int(headers[ATTEMPT]) + int(headers.get("x-delivery-count") or 0),
        )
    except (ValueError, KeyError, TypeError, MessageTooLarge) as wrong:
        raise NotOurs(f"headers or size: {wrong}") from wrong


def dead_letter(envelope: Envelope, body: bytes) -> DeadLetter:
    """Ours with our reason; what the broker itself gave up with the broker's; anything else as it is."""
    headers = {**envelope.headers, "x-delivery-count": 0}  # what counts here is how often somebody looked
    deaths = headers.get("x-death") or [{}]
    reason = headers.get(REASON) or f"given up by the broker: {deaths[0].get('reason', 'unknown')}"
    try:
        message = from_amqp(replace(envelope, headers=headers), body)
    except NotOurs:
        nobody = datetime.fromtimestamp(0, UTC)
        message = Message(envelope.message_id or "", envelope.type or "", body[:MAX_BODY_BYTES], nobody)
    return DeadLetter(message, str(reason))
