"""Retries: only what was named, counted, and quick in tests."""

import pytest

from infra.errors import Invalid, Unavailable
from infra.metrics import Metrics
from infra.retry import report_retries, retrying, without_waiting


class Flaky:
    """Raises a number of times, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def ask(self, question: str) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return question


async def test_a_named_failure_is_tried_again_until_it_answers() -> None:
    flaky = Flaky(Unavailable(), Unavailable())
    with without_waiting(5):
        assert await retrying(Unavailable)(flaky.ask, "why") == "why"
    assert flaky.calls == 3


async def test_the_last_failure_is_raised_as_it_was() -> None:
    last = Unavailable("the third")
    flaky = Flaky(Unavailable(), Unavailable(), last, Unavailable())
    with without_waiting(3), pytest.raises(Unavailable) as raised:
        await retrying(Unavailable, attempts=10)(flaky.ask, "why")
    assert raised.value is last


async def test_another_failure_is_raised_at_once() -> None:
    flaky = Flaky(Invalid())
    with without_waiting(5), pytest.raises(Invalid):
        await retrying(Unavailable)(flaky.ask, "why")
    assert flaky.calls == 1


@pytest.mark.parametrize("kinds", [(), (Exception,), (Unavailable, Exception)])
def test_retrying_on_everything_is_refused(kinds: tuple[type[Exception], ...]) -> None:
    with pytest.raises(TypeError):
        retrying(*kinds)


async def test_every_retry_is_counted() -> None:
    metrics = Metrics()
    report_retries(metrics)
    with without_waiting(5):
        await retrying(Unavailable)(Flaky(Unavailable(), Unavailable()).ask, "why")
    samples = [
        s for metric in metrics.registry.collect() for s in metric.samples if s.name == "footlight_retries_total"
    ]
    [sample] = samples
    assert (sample.labels["error"], sample.value) == ("Unavailable", 2)
    assert "Flaky.ask" in sample.labels["call"]


async def test_waits_are_real_outside_of_tests() -> None:
    flaky = Flaky(Unavailable())
    assert await retrying(Unavailable, first_seconds=0.001)(flaky.ask, "why") == "why"
