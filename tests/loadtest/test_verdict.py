"""A run that breaks a bound of its scenario ends red, and says what was broken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.mixes import MESSAGES_IN_30_S, SCENARIOS, Scenario, Storm
from loadtest.tables import percentile
from loadtest.users.figures import Result, Summary, Times
from loadtest.verdict import Machine, broken, report

GOOD = Result(
    joins=Summary(5, 10, 20, 30, 40), acks=Summary(5, 10, 20, 30, 40), deliveries=Summary(50, 10, 20, 30, 40),
    recoveries=Summary(5, 10, 20, 30, 40), http_p95=20.0, http_requests=7, errors={}, talk_began=100.0,
    talk_ended=110.0, viewers=10, present=10, acknowledged=5, wrong=0, not_whole=0, repeated=0, gaps=0, resets=0,
    connections_lost=0, generator_cpu_seconds=1.0, generator_memory_mb=60.0,
)  # fmt: skip
SCENARIO = Scenario(viewers=10, chatters=1, messages_per_second=0.5, storms=(Storm(1, 0.5),))


def test_a_good_run_breaks_nothing() -> None:
    assert broken(SCENARIO, GOOD) == []
    assert "not whole" in report("smoke", GOOD, Machine(1, 2, 3, 4))


@pytest.mark.parametrize(
    "change",
    [
        {"not_whole": 1},
        {"present": 9},
        {"wrong": 1},
        {"acknowledged": 0},
        {"errors": {"socket room:join: LineLost": 2}},
        {"deliveries": Summary(50, 10, 20, 90_000, 90_000)},
        {"joins": Summary(50, 10, 20, 90_000, 90_000)},
        {"acks": Summary(50, 10, 20, 90_000, 90_000)},
        {"recoveries": Summary(50, 10, 20, 90_000, 90_000)},
        {"recoveries": Summary()},
        {"http_p95": 9000.0},
    ],
    ids=str,
)
def test_each_bound_is_held(change: dict[str, object]) -> None:
    assert len(broken(SCENARIO, msgspec.structs.replace(GOOD, **change))) == 1


@given(st.lists(st.integers(0, 500), min_size=1, max_size=200))
def test_buckets_agree_with_sorted_values(values: list[int]) -> None:
    times = Times()
    for value in values:
        times.add(value / 1000 + 0.0001)
    summary = times.summary()
    found = (summary.p50, summary.p95, summary.p99, summary.max)
    assert found == tuple(percentile(values, share) + 1 for share in (0.5, 0.95, 0.99, 1.0))


@pytest.mark.parametrize("name", SCENARIOS)
def test_talkers_stay_within_the_limit(name: str) -> None:
    scenario = SCENARIOS[name]
    if scenario.chatters:
        assert scenario.messages_per_second * 30 / scenario.chatters < MESSAGES_IN_30_S
    assert bool(scenario.chatters) == bool(scenario.messages_per_second)
