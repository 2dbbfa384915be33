"""The breaker: its rules as a pure machine, and what twenty callers at once see of it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.breaker import Breaker, Circuit, CircuitOpen, Rules
from infra.metrics import Metrics

RULES = Rules(consecutive=3, share=0.5, least=6, window_seconds=10, open_seconds=5)


class Down(Exception):
    """What the service raises when it is down."""


class Time:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def opened(time: Time, metrics: Metrics | None = None) -> Breaker:
    breaker = Breaker("stripe", (Down,), metrics or Metrics(), rules=RULES, clock=time)
    for _ in range(RULES.consecutive):
        with pytest.raises(Down), breaker.guard():
            raise Down
    return breaker


def test_failures_in_a_row_open_it_and_callers_are_refused_at_once(time: Time) -> None:
    breaker = opened(time)
    time.now += 2
    with pytest.raises(CircuitOpen) as refused, breaker.guard():
        pytest.fail("the call went through")
    assert refused.value.retry_after_ms == 3000
    assert refused.value.as_dict()["code"] == "service.circuit_open"


def test_a_success_between_failures_keeps_it_closed(time: Time) -> None:
    breaker = Breaker("stripe", (Down,), Metrics(), rules=RULES, clock=time)
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(Down), breaker.guard():
                raise Down
        with breaker.guard():
            pass
    assert breaker.state == "closed"


def test_a_share_of_failures_in_the_window_opens_it() -> None:
    circuit = Circuit(RULES)
    for failed in (True, False, True, False, False, True):
        (circuit.failed if failed else circuit.succeeded)(circuit.ticket, 1.0)
    assert circuit.state == "open"


def test_failures_older_than_the_window_are_forgotten() -> None:
    circuit = Circuit(RULES)
    for moment, failed in enumerate((True, False, True, False, False, True)):
        (circuit.failed if failed else circuit.succeeded)(circuit.ticket, moment * 6.0)
    assert circuit.state == "closed"


def test_exceptions_that_are_answers_do_not_count(time: Time) -> None:
    breaker = Breaker("stripe", (Down,), Metrics(), rules=RULES, clock=time)
    for _ in range(20):
        with pytest.raises(KeyError), breaker.guard():
            raise KeyError
    assert breaker.state == "closed"


async def test_twenty_callers_at_once_make_one_probe(time: Time) -> None:
    breaker = opened(time)
    time.now += RULES.open_seconds
    answer, probes = asyncio.Event(), 0

    async def call() -> str:
        nonlocal probes
        try:
            with breaker.guard():
                probes += 1
                await answer.wait()
                return "answered"
        except CircuitOpen as refused:
            return f"come back in {refused.retry_after_ms}"

    calls = [asyncio.create_task(call()) for _ in range(20)]
    await asyncio.sleep(0)
    assert (probes, breaker.state) == (1, "half_open")
    answer.set()
    answers = await asyncio.gather(*calls)
    assert (answers.count("answered"), answers.count("come back in 1000")) == (1, 19)
    assert breaker.state == "closed"


async def test_a_failed_probe_opens_it_again(time: Time) -> None:
    breaker = opened(time)
    time.now += RULES.open_seconds
    with pytest.raises(Down), breaker.guard():
        raise Down
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen), breaker.guard():
        pass


async def test_a_cancelled_probe_leaves_the_probe_to_the_next_caller(time: Time) -> None:
    breaker = opened(time)
    time.now += RULES.open_seconds
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    states = []
    with breaker.guard():
        states.append(breaker.state)
    assert [*states, breaker.state] == ["half_open", "closed"]


def test_changes_of_state_are_counted(time: Time) -> None:
    metrics = Metrics()
    breaker = opened(time, metrics)
    read = metrics.registry.get_sample_value
    assert read("footlight_breaker_open", {"breaker": "stripe"}) == 1
    time.now += RULES.open_seconds
    with breaker.guard():
        assert read("footlight_breaker_open", {"breaker": "stripe"}) == 0.5
    assert read("footlight_breaker_open", {"breaker": "stripe"}) == 0
    for state in ("open", "half_open", "closed"):
        assert read("footlight_breaker_changes_total", {"breaker": "stripe", "state": state}) == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "succeed", "fail", "abandon"]), st.integers(0, 3), st.floats(0, 4)), max_size=60
)


@given(STEPS)
def test_whatever_happens_there_is_at_most_one_probe(steps: list[tuple[str, int, float]]) -> None:
    circuit, now, tickets = Circuit(RULES), 0.0, list[int]()
    for what, which, later in steps:
        now += later
        before = circuit.state
        if what == "ask":
            ticket = circuit.admit(now)
            if before == "open":
                assert (ticket is not None) == (now >= circuit.reopens_at), "open until its time, then a probe"
            if before == "half_open":
                assert ticket is None, "one probe is out already"
            if ticket is not None:
                tickets.append(ticket)
        elif tickets:
            ticket = tickets.pop(which % len(tickets))
            report = {"succeed": circuit.succeeded, "fail": circuit.failed, "abandon": circuit.abandoned}[what]
            current = ticket == circuit.ticket
            report(ticket, now)
            if not current:
                assert circuit.state == before, "a call from before says nothing about now"
            elif before == "half_open":
                assert circuit.state == ("closed" if what == "succeed" else "open")
        if circuit.state == "half_open":
            assert circuit.ticket in tickets, "a half-open circuit always waits for its probe"
