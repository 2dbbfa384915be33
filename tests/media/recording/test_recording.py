"""A live stream that was recorded is one video, whatever happened to encoder, storage and processes."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from media.recording.maker import CUT_SHORT, source_key
from tests.media.publisher import publishing
from tests.media.recording.stage import RecordingStage, decoded


async def test_a_stream_becomes_one_video_with_every_frame(stage: RecordingStage, tmp_path: Path) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 6)
    await stage.end(started)
    maker = stage.maker()
    assert await maker.step()
    (video,) = await stage.videos()
    assert (video.title, video.category, video.visibility, video.status) == (
        "A morning by the sea", "Nature", "public", "processing",
    )  # fmt: skip
    assert video.recording is not None
    (span,) = video.recording.spans
    assert span.position_seconds == 0.0
    assert span.duration_seconds == pytest.approx(6.0, abs=0.05)
    data = await stage.source(video)
    times, sounds, sizes = await decoded(data, tmp_path)
    assert len(times) == 150
    assert sounds > 200
    assert sizes == {str(320 * 180 * 3 // 2)}
    assert await stage.uploading.state_of(video.id) is not None
    assert len(stage.uploading.transcoding.sources) == 1
    await stage.due_now()
    assert await maker.step()
    assert await stage.pieces(started), "the pieces go only when the video is ready"
    later, _, _ = await decoded(data, tmp_path, after=("-ss", "4.2"))
    assert len(later) == 45, "a reader can go anywhere"


async def test_an_encoder_that_drops_and_returns_makes_one_video(stage: RecordingStage, tmp_path: Path) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 4)
        await stage.publish(started, 3)
    await stage.end(started)
    await stage.maker().step()
    (video,) = await stage.videos()
    assert video.recording is not None
    first, second = video.recording.spans
    assert second.position_seconds == pytest.approx(4.0, abs=0.1)
    assert second.at >= first.at
    times, _, _ = await decoded(await stage.source(video), tmp_path)
    assert len(times) == 175
    assert all(0.03 < after - before < 0.12 for before, after in pairwise(times)), "no hole and no time twice"


async def test_an_encoder_that_returns_with_another_picture_makes_one_video_of_one_size(
    stage: RecordingStage, tmp_path: Path
) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 4)
        # A second passes before the live process believes that no sound will come.
        await stage.publish(started, 3, size="160x120", audio=())
    await stage.end(started)
    await stage.maker().step()
    (video,) = await stage.videos()
    times, sounds, sizes = await decoded(await stage.source(video), tmp_path)
    assert sizes == {str(320 * 180 * 3 // 2)}
    assert times[-1] == pytest.approx(6.0, abs=0.2)
    assert sounds > 250
    assert video.recording is not None
    assert [round(span.position_seconds) for span in video.recording.spans] == [0, 4]


async def test_storage_that_is_away_loses_nothing(stage: RecordingStage, tmp_path: Path) -> None:
    started = await stage.started()
    async with stage.live() as recorder:
        stage.storage.is_away = True
        await stage.publish(started, 5.5)
        await stage.storage.refused.wait()
        await stage.end(started)
        assert not await stage.maker().step(), "what a living process holds is waited for"
        assert recorder.spool.size_bytes() > 0
        stage.storage.is_away = False
    await stage.maker().step()
    (video,) = await stage.videos()
    times, _, _ = await decoded(await stage.source(video), tmp_path)
    assert len(times) == 138


async def test_streams_that_are_short_or_not_to_be_recorded_make_none(stage: RecordingStage) -> None:
    short, silent = await stage.started(), await stage.started(record=False)
    async with stage.live():
        await stage.publish(short, 3)
        await stage.publish(silent, 6)
    for started in (short, silent):
        await stage.end(started)
    maker = stage.maker()
    assert [await maker.step() for _ in range(3)] == [True, True, False]
    assert await stage.videos() == []
    assert await stage.pieces(short) == await stage.pieces(silent) == []
    assert await stage.state(short) == await stage.state(silent) == "done"


class Died(Exception):
    """As far as others can tell, the worker was killed."""


@pytest.mark.parametrize("place", ["before the document", "before the transcode", "in the transaction"])
async def test_a_worker_that_dies_in_the_middle_leaves_one_video(stage: RecordingStage, place: str) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)

    class Catalogue:
        async def get(self, video_id: str) -> Any:
            return await stage.uploading.catalogue.get(video_id)

        async def create(self, video: Any) -> Any:
            if place == "before the document":
                raise Died
            await stage.uploading.catalogue.create(video)
            if place == "before the transcode":
                raise Died

        async def recorded(self, *arguments: Any) -> Any:
            return await stage.uploading.catalogue.recorded(*arguments)

    class Uploads:
        async def adopt(self, *arguments: Any) -> None:
            await stage.uploading.uploads.adopt(*arguments)
            raise Died

    with pytest.raises(Died):
        await stage.maker(catalogue=Catalogue(), uploads=Uploads()).step()
    assert await stage.state(started) == "open"
    await stage.due_now()
    assert await stage.maker().step()
    (video,) = await stage.videos()
    assert await stage.uploading.files() == [source_key(video.id)]
    assert await stage.uploading.transcodes() == 1
    assert await stage.uploading.parts_lying_about() == 0


async def test_two_workers_make_one_video(stage: RecordingStage) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)
    assert sorted(await asyncio.gather(stage.maker().step(), stage.maker().step())) == [False, True]
    assert len(await stage.videos()) == 1


async def test_pieces_go_when_the_video_is_deleted(stage: RecordingStage) -> None:
    started = await stage.started()
    async with stage.live():
        await stage.publish(started, 5.5)
    await stage.end(started)
    maker = stage.maker()
    await maker.step()
    (video,) = await stage.videos()
    async with stage.uploading.mongo.collection("videos") as videos:
        await videos.update_one({"_id": video.id}, {"$set": {"status": "deleting"}})
    await stage.due_now()
    await maker.step()
    assert await stage.pieces(started) == []
    assert await stage.state(started) == "done"


async def test_a_killed_live_process_leaves_the_rest_to_its_successor(stage: RecordingStage, tmp_path: Path) -> None:
    started = await stage.started()
    async with stage.killable_live() as child, publishing(stage.url(started)):
        await stage.until_spooled(6)
        child.kill()
        await child.wait()
    spooled = stage.spooled()
    await stage.end(started)
    assert not await stage.maker().step(), "what may still come is waited for"
    async with stage.live():
        await stage.until_all_is_stored(started)
    await stage.maker().step()
    (video,) = await stage.videos()
    times, _, _ = await decoded(await stage.source(video), tmp_path)
    assert len(times) == 25 * spooled, "all but the segment that was not whole"


async def test_what_is_sent_while_recording_is_off_is_left_out(stage: RecordingStage, tmp_path: Path) -> None:
    started, who = await stage.started_by()
    async with stage.live():
        await stage.publish(started, 4)
        await stage.streams.describe(started.stream.id, who, record=False)
        await stage.publish(started, 2)
        await stage.streams.describe(started.stream.id, who, record=True)
        await stage.publish(started, 3)
    await stage.end(started)
    await stage.maker().step()
    (video,) = await stage.videos()
    assert len((await decoded(await stage.source(video), tmp_path))[0]) == 175
    assert video.recording is not None
    assert len(video.recording.spans) == 2


async def test_a_full_spool_ends_the_recording_and_says_so(stage: RecordingStage) -> None:
    stage.settings = replace(stage.settings, recording_spool_bytes=400_000)
    started = await stage.started()
    async with stage.live():
        stage.storage.is_away = True
        await stage.publish(started, 9)
        stage.storage.is_away = False
    await stage.end(started)
    await stage.maker().step()
    (video,) = await stage.videos()
    assert video.description == CUT_SHORT
    assert video.recording is not None
    assert 5 < video.recording.spans[0].duration_seconds < 8.5
