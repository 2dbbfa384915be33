"""A circuit breaker: stop asking something that does not answer, and find out with one question when it does again.

The breakers on the index let every waiting caller through when half-open (20 of 20 measured with three of them), which
is a stampede on a service that is just getting up. This one lets exactly one probe through.

`Circuit` decides and does no I/O; `Breaker` is the thin shell around a call.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from infra.errors import Unavailable
from infra.logs import get_logger
from infra.metrics import Metrics

State = Literal["closed", "open", "half_open"]
LEVEL: dict[State, float] = {"closed": 0.0, "half_open": 0.5, "open": 1.0}

log = get_logger(__name__)


class CircuitOpen(Unavailable):
    code = "service.circuit_open"
    message = "A part of the service has not answered for a while. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Rules:
    """Open after `consecutive` failures in a row, or when `share` of `least` or more calls in the window failed."""

    consecutive: int = 5
    share: float = 0.5
    least: int = 20
    window_seconds: float = 10.0
    open_seconds: float = 5.0


@dataclass(slots=True)
class Circuit:
    """The state machine. `now` is any clock that only goes forward, in seconds.

    Every admitted call reports back once, with the ticket it was given: a call that began before the circuit opened
    says nothing about the service that a probe is asking now.
    """

    rules: Rules
    state: State = "closed"
    reopens_at: float = 0.0
    ticket: int = 0  # grows with each change of state
    _in_a_row: int = 0
    _calls: deque[tuple[float, bool]] = field(default_factory=deque)
    _failures: int = 0

    def admit(self, now: float) -> int | None:
        """A ticket for this call, or None when it must be refused."""
        if self.state == "closed":
            return self.ticket
        if self.state == "open" and now >= self.reopens_at:
            self._become("half_open")
            return self.ticket  # the one probe
        return None

    def wait(self, now: float) -> float:
        """Seconds until asking again makes sense."""
        return max(0.0, self.reopens_at - now)

    def succeeded(self, ticket: int, now: float) -> None:
        if ticket != self.ticket:
            return
        if self.state == "half_open":
            self._become("closed")
        self._in_a_row = 0
        self._record(now, failed=False)

    def failed(self, ticket: int, now: float) -> None:
        if ticket != self.ticket:
            return
        if self.state == "half_open":
            self._open(now)
            return
        self._in_a_row += 1
        self._record(now, failed=True)
        if self._too_many():
            self._open(now)

    def abandoned(self, ticket: int, now: float) -> None:
        """The call ended without an answer (it was cancelled): the next caller may probe instead."""
        if ticket == self.ticket and self.state == "half_open":
            self._become("open")
            self.reopens_at = now

    def _too_many(self) -> bool:
        if self._in_a_row >= self.rules.consecutive:
            return True
        return len(self._calls) >= self.rules.least and self._failures >= self.rules.share * len(self._calls)

    def _record(self, now: float, *, failed: bool) -> None:
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - self.rules.window_seconds:
            self._failures -= self._calls.popleft()[1]

    def _open(self, now: float) -> None:
        self._become("open")
        self.reopens_at = now + self.rules.open_seconds

    def _become(self, state: State) -> None:
        self.state = state
        self.ticket += 1
        self._in_a_row = 0
        self._calls.clear()
        self._failures = 0


class Breaker:
    """`async with`-free: wrap the awaited call in `with breaker.guard():`. Only the `counts` exceptions are failures.

    Any other exception is an answer (a refused card is no outage). Changes of state are logged and counted. One event
    loop only.
    """

    def __init__(
        self,
        name: str,
        counts: tuple[type[Exception], ...],
        metrics: Metrics,
        *,
        rules: Rules = Rules(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._counts = counts
        self._metrics = metrics
        self._circuit = Circuit(rules)
        self._clock = clock
        self._metrics.breaker_open.labels(name).set(0.0)

    @property
    def state(self) -> State:
        return self._circuit.state

    @property
    def is_due(self) -> bool:
        """Open, and the next caller would be the probe that finds out whether it still has to be."""
        return self.state == "open" and not self._circuit.wait(self._clock())

    def refusal(self) -> CircuitOpen:
        """What is said to whoever is not let through."""
        # While a probe is out nobody knows how long; a second is the least that is worth telling a client.
        seconds = self._circuit.wait(self._clock()) or 1.0
        return CircuitOpen(retry_after_ms=max(1, int(seconds * 1000)), part=self.name)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let the block run, or raise `CircuitOpen` with `retry_after_ms` at once."""
        with self._announced():
            ticket = self._circuit.admit(self._clock())
        if ticket is None:
            raise self.refusal()
        report = self._circuit.abandoned
        try:
            yield
            report = self._circuit.succeeded
        except self._counts:
            report = self._circuit.failed
            raise
        except Exception:
            report = self._circuit.succeeded
            raise
        finally:
            with self._announced():
                report(ticket, self._clock())

    @contextmanager
    def _announced(self) -> Iterator[None]:
        before = self.state
        yield
        after = self.state
        if after == before:
            return
        self._metrics.breaker_open.labels(self.name).set(LEVEL[after])
        self._metrics.breaker_changes.labels(self.name, after).inc()
        write = log.error if after == "open" else log.info
        write("breaker.changed", breaker=self.name, before=before, state=after)
