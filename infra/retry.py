"""Trying again, declared once: which exceptions, how often, how long. stamina does the waiting, with jitter.

    ask = retrying(PostgresUnavailable, attempts=3, seconds=5)
    row = await ask(db.fetch_user, user_id)

Only named exception types are tried again; a retry on everything would repeat our own bugs. Only calls that may be
repeated belong here: reads, and writes that carry an id.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from infra.logs import get_logger
from infra.metrics import Metrics

P = ParamSpec("P")
T = TypeVar("T")
TOO_WIDE = (Exception, BaseException)

log = get_logger(__name__)


def retrying(
    *on: type[Exception],
    attempts: int = 4,
    seconds: float = 10.0,
    first_seconds: float = 0.1,
    longest_seconds: float = 2.0,
) -> "Retrying":
    """A caller: `await caller(function, *arguments)`. It gives up after `attempts` or `seconds`, whichever is first.

    Waits double from `first_seconds` to `longest_seconds`, each with as much jitter again as `first_seconds`. The last
    exception is raised as it was.
    """
    if not on or any(kind in TOO_WIDE for kind in on):
        raise TypeError("name the exceptions that are worth another try")
    return Retrying(on, attempts, seconds, first_seconds, longest_seconds)


@dataclass(frozen=True, slots=True)
class Retrying:
    """What `retrying` declares. Not stamina's own caller, because that reports every call under one name."""

    on: tuple[type[Exception], ...]
    attempts: int
    seconds: float
    first_seconds: float
    longest_seconds: float

    async def __call__(
        self, function: Callable[P, Coroutine[Any, Any, T]], /, *arguments: P.args, **named: P.kwargs
    ) -> T:
        declared = stamina.retry(
            on=self.on,
            attempts=self.attempts,
            timeout=self.seconds,
            wait_initial=self.first_seconds,
            wait_max=self.longest_seconds,
            wait_jitter=self.first_seconds,
        )
        return await declared(function)(*arguments, **named)


def report_retries(metrics: Metrics) -> None:
    """Log and count every retry of this process. Call once, where the program is wired."""

    def report(details: RetryDetails) -> None:
        error = type(details.caused_by).__name__
        metrics.retries.labels(details.name, error).inc()
        log.info(
            "retry.scheduled",
            call=details.name,
            error=error,
            attempt=details.retry_num,
            wait_ms=int(details.wait_for * 1000),
        )

    set_on_retry_hooks([report])


def without_waiting(attempts: int) -> AbstractContextManager[None]:
    """For tests: inside the block retries follow at once, at most `attempts` in all."""
    return stamina.set_testing(True, attempts=attempts, cap=True)
