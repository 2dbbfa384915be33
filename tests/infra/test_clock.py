"""Time and identity."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from infra.clock import milliseconds, new_id, system_clock


def test_now_is_in_utc() -> None:
    assert system_clock().tzinfo is UTC


def test_a_moment_becomes_unix_milliseconds() -> None:
    assert milliseconds(datetime(2026, 1, 1, 0, 0, 1, 500_000, UTC)) == 1_767_225_601_500


def test_ids_are_uuids_of_version_7_born_now() -> None:
    before = milliseconds(system_clock())
    number = UUID(new_id())
    after = milliseconds(system_clock() + timedelta(milliseconds=1))
    assert (number.version, number.variant) == (7, RFC_4122)
    assert before <= number.int >> 80 <= after


def test_ids_do_not_repeat_and_sort_by_birth() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    births = [one[:13] for one in ids]
    assert births == sorted(births)
