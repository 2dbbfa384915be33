"""The rules of transcoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.stores.objects import ObjectsUnavailable
from media.vod.errors import LeaseLost, MediaRefused, ScratchFull, SourceDamaged, SourceGone
from media.vod.tasks import (
    MOST_EXCUSES,
    Again,
    Drop,
    GiveUp,
    TaskShare,
    after_loss,
    after_prepare,
    eta_seconds,
    first_task,
    judge,
    last_task,
    share_done,
    stage_of,
)
from tests.media.vod.work import NOON, a_plan


def kinds(chunks: int = 1, *, audio: bool = True, renditions: int = 2) -> list[tuple[str, int]]:
    tasks = after_prepare(a_plan(chunks, audio=audio, renditions=renditions))
    return [(task.kind, task.chunk) for task in sorted(tasks, key=lambda task: (task.rank, task.chunk))]


def test_the_first_picture_comes_first_and_what_nobody_waits_for_last() -> None:
    assert kinds() == [("low", 0), ("audio", 0), ("poster", 0), ("high", 0), ("pictures", 0)]
    assert kinds(2) == [
        ("low", 0), ("audio", 0), ("poster", 0), ("low", 1), ("high", 0), ("high", 1), ("pictures", 0),
    ]  # fmt: skip


def test_nothing_is_made_of_what_the_source_has_not() -> None:
    assert kinds(audio=False, renditions=1) == [("low", 0), ("poster", 0), ("pictures", 0)]


def test_only_what_is_soon_over_may_take_a_quick_place() -> None:
    assert first_task(1000).quick
    assert not first_task(100 << 30).quick
    long = {(task.kind, task.chunk): task.quick for task in after_prepare(a_plan(10, segments_each=600))}
    assert not long["audio", 0]  # hours of it
    short = {(task.kind, task.chunk): task.quick for task in after_prepare(a_plan(2))}
    assert short["low", 0]
    assert short["audio", 0]
    assert not short["low", 1]
    assert not short["high", 0]
    assert last_task().quick


@pytest.mark.parametrize("error", [MediaRefused("It has no picture."), SourceGone()])
def test_what_the_file_is_guilty_of_fails_at_once_and_for_good(error: MediaRefused) -> None:
    verdict = judge(error, 1, 0, 3, NOON)
    assert isinstance(verdict, GiveUp)
    assert (verdict.failure.message, verdict.failure.retryable) == (error.message, False)


@pytest.mark.parametrize("error", [ScratchFull(), ObjectsUnavailable()])
def test_what_is_our_fault_counts_as_no_attempt_for_hours(error: Exception) -> None:
    verdicts = [judge(error, 3, excuses, 3, NOON) for excuses in range(MOST_EXCUSES)]
    pauses = [verdict.pause_seconds for verdict in verdicts if isinstance(verdict, Again) and not verdict.counts]
    assert len(pauses) == MOST_EXCUSES
    assert sum(pauses) > 3 * 3600
    assert isinstance(judge(error, 3, MOST_EXCUSES, 3, NOON), GiveUp)


def test_a_lost_lease_is_nobodys_failure() -> None:
    assert judge(LeaseLost(), 3, 0, 3, NOON) == Drop()


@given(st.integers(1, 10), st.integers(1, 10))
def test_a_task_is_tried_as_often_as_is_allowed_and_then_given_up_with_a_reason(attempt: int, most: int) -> None:
    for verdict in (judge(SourceDamaged(), attempt, 0, most, NOON), after_loss(attempt, most, NOON)):
        assert isinstance(verdict, GiveUp) == (attempt >= most)
        if isinstance(verdict, GiveUp):
            assert verdict.failure.retryable
            assert f"{attempt} times" in verdict.failure.message


def test_what_went_wrong_inside_is_not_shown() -> None:
    verdict = judge(RuntimeError("/secret/path"), 3, 0, 3, NOON)
    assert isinstance(verdict, GiveUp)
    assert "secret" not in verdict.failure.message


shares = st.lists(
    st.builds(
        TaskShare,
        st.sampled_from(["prepare", "low", "high", "audio", "finish"]),
        st.floats(0.01, 1000),
        st.floats(0, 1),
    )
)


@given(shares)
def test_progress_stays_between_nothing_and_all(some: list[TaskShare]) -> None:
    assert 0 <= share_done(some) < 1
    assert stage_of(some) in ("checking", "encoding", "finishing")


def test_an_estimate_is_made_of_the_speed_so_far() -> None:
    assert eta_seconds(0.25, 10) == pytest.approx(30)
    assert eta_seconds(0.001, 10) is None
