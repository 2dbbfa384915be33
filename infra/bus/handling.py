"""What both buses do with one message in hand: run the handler under its correlation id, and judge how it ended."""

from dataclasses import dataclass

from infra.bus.port import Handler, Message, Retry
from infra.errors import FootlightError
from infra.logs import correlated, get_logger
from infra.metrics import Metrics

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """Handled: forget it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Failed: one more attempt, after a while."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Failed too often: to the dead letters."""

    reason: str


Verdict = Done | Again | GiveUp


def after_failure(attempt: int, retry: Retry, reason: str) -> Verdict:
    """What becomes of a message whose attempt number `attempt` failed."""
    if attempt >= retry.attempts:
        return GiveUp(reason)
    return Again(retry.delay_seconds(attempt))


def before_attempt(message: Message, retry: Retry) -> Verdict | None:
    """A verdict without asking the handler, for a message that keeps taking its consumer down with it."""
    if message.attempt > retry.attempts:
        return GiveUp(f"its consumer died with it in hand; {message.attempt - 1} attempts were made")
    return None


def reason_of(failure: Exception) -> str:
    """One line for a person: the code of our own errors, the type of others, and the words."""
    kind = failure.code if isinstance(failure, FootlightError) else type(failure).__name__
    return f"{kind}: {failure}"[:500]


async def attempt(name: str, handle: Handler, message: Message, retry: Retry, metrics: Metrics) -> Verdict:
    """Run the handler once. Never raises, except when cancelled."""
    with correlated(message.correlation_id, message_id=message.id, topic=message.topic):
        verdict = before_attempt(message, retry)
        if verdict is None:
            try:
                await handle(message)
            except Exception as failure:
                verdict = after_failure(message.attempt, retry, reason_of(failure))
                log.error("bus.handler_failed", consumer=name, attempt=message.attempt, exc_info=failure)
        return _counted(name, verdict or Done(), metrics)


async def hear(handle: Handler, message: Message, metrics: Metrics) -> None:
    """Run a listener's handler; a failure is logged and counted, nothing more."""
    with correlated(message.correlation_id, message_id=message.id, topic=message.topic):
        try:
            await handle(message)
        except Exception as failure:
            metrics.bus_failed.labels("listener").inc()
            log.error("bus.listener_failed", exc_info=failure)
        else:
            metrics.bus_handled.labels("listener").inc()


def _counted(name: str, verdict: Verdict, metrics: Metrics) -> Verdict:
    match verdict:
        case Done():
            metrics.bus_handled.labels(name).inc()
        case Again():
            metrics.bus_failed.labels(name).inc()
        case GiveUp(reason):
            metrics.bus_dead.labels(name).inc()
            log.error("bus.message_dead", consumer=name, reason=reason)
    return verdict
