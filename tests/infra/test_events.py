"""Events travel as JSON and come back as they were."""

from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bus.port import Message, Retry, matches
from infra.clock import system_clock
from infra.events import Event
from infra.logs import correlated


class Told(Event, frozen=True, kw_only=True):
    topic: ClassVar[str] = "test.told"
    text: str
    count: int | None = None


@given(st.text(), st.none() | st.integers(-(2**63), 2**63 - 1), st.datetimes(timezones=st.just(UTC)))
def test_an_event_survives_the_journey(text: str, count: int | None, at: datetime) -> None:
    event = Told(at=at, text=text, count=count)
    assert Told.from_message(event.to_message()) == event


def test_a_message_carries_topic_moment_and_correlation_and_an_id_of_its_own() -> None:
    event = Told(at=system_clock(), text="x")
    with correlated("req-3"):
        one, other = event.to_message(), event.to_message()
    assert (one.topic, one.at, one.correlation_id, one.attempt) == ("test.told", event.at, "req-3", 1)
    assert one.id != other.id


def test_a_newer_sender_may_add_fields_and_a_wrong_one_is_refused() -> None:
    message = Told(at=system_clock(), text="x").to_message()
    body = msgspec.json.encode({**msgspec.json.decode(message.body), "later": True})
    assert Told.from_message(Message("i", message.topic, body, message.at)).text == "x"
    with pytest.raises(msgspec.ValidationError):
        Told.from_message(Message("i", message.topic, b'{"text": 1}', message.at))


@pytest.mark.parametrize(
    ("topic", "wanted", "expected"),
    [
        ("stream.ended", ["stream.ended"], True),
        ("stream.ended", ["stream.*"], True),
        ("stream.ended", ["account.*", "stream.began"], False),
        ("stream.a.b", ["stream.*"], False),
        ("stream", ["stream.*"], False),
        ("stream.ended", [], False),
        ("plain", ["*", ".*"], False),
    ],
)
def test_topics_are_exact_or_a_family(topic: str, wanted: list[str], expected: bool) -> None:
    assert matches(topic, wanted) is expected


def test_delays_double_up_to_the_longest() -> None:
    retry = Retry(attempts=9, first_seconds=1, longest_seconds=10)
    assert [retry.delay_seconds(n) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 10, 10]
