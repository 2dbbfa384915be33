"""Forms are read as Stripe's client writes them, and months are counted as people do."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from payments.sandbox.encoding import read_form
from payments.sandbox.errors import Refused
from payments.sandbox.periods import part_left, period_end

NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
VALUES = st.text("ab&=[]%+ é", max_size=8)
NESTED = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=6,
)

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def nested(depth: int) -> list[tuple[str, str]]:
    return [("a" + "[b]" * depth, "c")]


@patiently
@given(st.dictionaries(NAMES, NESTED, max_size=4))
def test_what_stripes_client_writes_is_read_as_it_was(wanted: dict[str, Any]) -> None:
    try:
        assert read_form(_api_encode(wanted)) == wanted
    except Refused:
        assert any(key.count("[") >= 8 for key, _ in _api_encode(wanted))


@patiently
@given(st.lists(st.tuples(st.text("ab[]0", max_size=12), VALUES), max_size=6))
def test_whatever_else_comes_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    with contextlib.suppress(Refused):  # anything else would be an error of ours
        assert isinstance(read_form(pairs), dict)


def test_brackets_without_a_number_make_a_list() -> None:
    assert read_form([("expand[]", "a"), ("expand[]", "b")]) == {"expand": ["a", "b"]}
    assert read_form(nested(7))
    with pytest.raises(Refused):
        read_form(nested(9))


def test_the_31st_is_the_last_day_of_shorter_months_and_the_31st_again() -> None:
    monthly = {"interval": "month", "interval_count": 1}
    anchor = at = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())
    ends = []
    for _ in range(3):
        at = period_end(anchor, at, monthly)
        ends.append(datetime.fromtimestamp(at, UTC).strftime("%m-%d"))
    assert ends == ["02-28", "03-31", "04-30"]
    assert period_end(anchor, anchor, {"interval": "year", "interval_count": 1}) - anchor == 365 * 86_400
    assert period_end(anchor, anchor, {"interval": "week", "interval_count": 2}) - anchor == 14 * 86_400


@patiently
@given(st.integers(0, 10_000), st.integers(1, 3_000_000), st.floats(0, 1))
def test_a_part_is_never_more_than_the_whole(amount: int, length: int, when: float) -> None:
    assert 0 <= part_left(amount, 0, length, int(length * when)) <= amount
    assert (part_left(amount, 0, length, 0), part_left(amount, 0, length, length)) == (amount, 0)
