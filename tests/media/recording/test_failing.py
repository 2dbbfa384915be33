"""A recording that cannot be made is given up: its creator sees why, and can have it tried again."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.clock import system_clock
from infra.outbox import Outbox
from infra.stores.objects import NoSuchObject, ObjectsUnavailable
from media.catalog.model import Video
from media.errors import FragmentsBroken
from media.live.streams import Started
from media.recording.failing import (
    CODE,
    LONGEST,
    MOST_FAILURES,
    PIECES_BROKEN,
    PIECES_GONE,
    STORES_AWAY,
    failure_of,
    is_our_trouble,
    is_over,
)
from media.recording.repository import Due
from media.vod.errors import VideoNotFailed
from media.vod.retrying import Retrying
from media.vod.transcodes import Transcodes
from tests.media.recording.stage import RecordingStage

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def due(failures: int, tried_for: timedelta = timedelta(0)) -> Due:
    return Due("s", "open", None, None, 1, failures, NOW - tried_for)


@pytest.mark.parametrize(
    ("tries", "over"),
    [
        (due(MOST_FAILURES - 1), False),
        (due(MOST_FAILURES), True),
        (due(1, LONGEST - timedelta(seconds=1)), False),
        (due(0, LONGEST), True),
    ],
)
def test_a_recording_is_over_after_so_many_tries_or_a_day(tries: Due, over: bool) -> None:
    assert is_over(tries, NOW) is over


@pytest.mark.parametrize(
    ("cause", "counts", "message"),
    [
        (ObjectsUnavailable(), False, STORES_AWAY),
        (OSError(28, "No space left on device"), False, STORES_AWAY),
        (NoSuchObject(), True, PIECES_GONE),
        (FragmentsBroken(), True, PIECES_BROKEN),
    ],
)
def test_only_what_is_the_recordings_own_fault_counts(cause: Exception, counts: bool, message: str) -> None:
    assert is_our_trouble(cause) is not counts
    assert failure_of(cause, NOW).message == message


async def ended_stream(stage: RecordingStage) -> Started:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)
    return started


async def tried_out(stage: RecordingStage, failures: int = MOST_FAILURES - 1) -> None:
    async with stage.uploading.db.connection() as connection:
        await connection.execute("UPDATE recordings SET failures = $1", failures)
    await stage.due_now()


async def lost_piece(stage: RecordingStage, started: Started) -> Callable[[], Awaitable[Any]]:
    """Remove one piece; what is returned puts it back."""
    key = next(key for key in await stage.pieces(started) if key.endswith(".m4s"))
    data = await stage.uploading.objects.read(key)
    await stage.uploading.objects.call("delete_object", Key=key)
    return lambda: stage.uploading.objects.call("put_object", Key=key, Body=data)


async def only_video(stage: RecordingStage) -> Video:
    (video,) = await stage.videos()
    return video


def retrying(stage: RecordingStage) -> Retrying:
    transcodes = Transcodes(Outbox(), system_clock)
    catalogue, db = stage.uploading.catalogue, stage.uploading.db
    return Retrying(db, catalogue, transcodes, stage.repository, system_clock, lambda: None)


async def test_a_recording_that_can_never_be_joined_fails_with_a_reason(stage: RecordingStage) -> None:
    started = await ended_stream(stage)
    await lost_piece(stage, started)
    given_up: list[str] = []
    maker = stage.maker()
    maker.on_failed = lambda: given_up.append("one")
    with pytest.raises(NoSuchObject):
        await maker.step()
    assert await stage.videos() == [], "it may have been bad luck"
    await tried_out(stage)
    with pytest.raises(NoSuchObject):
        await maker.step()
    video = await only_video(stage)
    assert (video.status, video.title, video.creator_id) == (
        "failed",
        "A morning by the sea",
        started.stream.creator_id,
    )
    assert video.failure is not None
    assert (video.failure.code, video.failure.message, video.failure.retryable) == (CODE, PIECES_GONE, True)
    assert await stage.state(started) == "failed"
    assert given_up == ["one"]
    assert not await maker.step(), "nobody tries any more"


async def test_a_recording_that_kills_its_workers_fails(stage: RecordingStage) -> None:
    started = await ended_stream(stage)
    await tried_out(stage, MOST_FAILURES)  # nobody lived to say what happened
    assert await stage.maker().step()
    assert (await only_video(stage)).status == "failed"
    assert await stage.state(started) == "failed"


async def test_stores_that_are_away_do_not_count_but_for_a_day(stage: RecordingStage) -> None:
    started = await ended_stream(stage)
    await tried_out(stage)
    stage.storage.is_away = True
    with pytest.raises(ObjectsUnavailable):
        await stage.maker().step()
    assert await stage.state(started) == "open"
    async with stage.uploading.db.connection() as connection:
        await connection.execute("UPDATE recordings SET first_tried_at = now() - interval '25 hours'")
    await stage.due_now()
    with pytest.raises(ObjectsUnavailable):
        await stage.maker().step()
    failure = (await only_video(stage)).failure
    assert failure is not None
    assert failure.message == STORES_AWAY


async def test_a_failed_recording_that_is_tried_again_becomes_the_video(stage: RecordingStage) -> None:
    started, who = await stage.started_by()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)
    put_back = await lost_piece(stage, started)
    await tried_out(stage)
    with pytest.raises(NoSuchObject):
        await stage.maker().step()
    await put_back()
    failed = await only_video(stage)
    assert (await retrying(stage).retry(who, failed.id)).status == "processing"
    async with stage.uploading.db.connection() as connection:
        tries = await connection.fetchrow("SELECT attempts, failures, first_tried_at FROM recordings")
    assert tuple(tries or ()) == (0, 0, None), "its pauses begin anew"
    assert await stage.maker().step()
    video = await only_video(stage)
    assert (video.id, video.status, video.failure) == (failed.id, "processing", None)
    assert video.upload_url is not None
    assert video.recording is not None
    assert len(video.recording.spans) == 1
    assert video.metadata.file_size > 0
    assert await stage.uploading.transcodes() == 1
    assert await stage.state(started) == "made"


async def test_pieces_of_a_failed_recording_go_after_a_week_and_it_cannot_be_tried_again(
    stage: RecordingStage,
) -> None:
    started, who = await stage.started_by()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)
    await lost_piece(stage, started)
    await tried_out(stage)
    with pytest.raises(NoSuchObject):
        await stage.maker().step()
    assert await stage.pieces(started)
    await stage.due_now()  # as it is when the week is over
    assert await stage.maker().step()
    video = await only_video(stage)
    assert video.failure is not None
    assert (video.status, video.failure.retryable) == ("failed", False)
    assert await stage.pieces(started) == []
    assert await stage.state(started) == "done"
    with pytest.raises(VideoNotFailed):
        await retrying(stage).retry(who, video.id)
