"""Videos made by the service: the same documents and files as our own transcoders make, whatever happens on the way."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec

from gateway.commands.transcode import open_transcoder
from infra.convert_settings import ConvertSettings
from infra.settings import Settings
from loadtest.vod.desk import Desk
from media.vod.convert.conductor import Conductor
from media.vod.convert.jobs import Jobs
from media.vod.convert.service import open_mediaconvert
from tests.media.vod.convert.conftest import Drawn
from tests.media.vod.convert.stand_in import StandIn

# Known only to who read the whole source, or measured of what was encoded.
OWN_ALONE = ("checksum_sha256", "stored_bytes")


async def value(desk: Desk, query: str) -> Any:
    async with desk.db.connection() as connection:
        return await connection.fetchval(query)


async def asked_for(desk: Desk, conductor: Conductor, film: Drawn) -> str:
    """A video whose job is at the service."""
    video_id = await desk.upload(film.file)
    assert await conductor.look(video_id)
    return video_id


async def test_a_job_becomes_the_video_that_our_own_transcoders_would_have_made(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn, settings: Settings
) -> None:
    video_id = await asked_for(desk, conductor, film)
    assert (await desk.catalogue.get(video_id)).status == "processing"
    await service.work()
    assert await conductor.look(video_id)
    assert await value(desk, "SELECT state FROM transcodes") == "done"
    await value(desk, "UPDATE transcode_leftovers SET due_at = now()")
    own = replace(settings, convert=ConvertSettings())
    async with open_transcoder(own) as transcoder:  # its housekeeping deletes what the job left behind
        await _until_empty(desk, f"vod/{video_id}/", "/job-")
        assert await desk.faults(video_id, film.frames) == []
        other_id = await desk.upload(film.file)
        stop = asyncio.Event()
        running = asyncio.create_task(transcoder.run(stop))
        await desk.until(other_id)
        async with asyncio.timeout(30):  # the last task ends a moment after the video is ready
            while await value(desk, "SELECT count(*) FROM transcodes WHERE state <> 'done'"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        stop.set()
        await running
    assert await shape(desk, video_id) == await shape(desk, other_id)


async def shape(desk: Desk, video_id: str) -> tuple[Any, set[str]]:
    """The document and the names of the files, without ids and what only one of both can know."""
    video = await desk.catalogue.get(video_id)
    document = msgspec.to_builtins(video)
    for name in OWN_ALONE:
        document["metadata"].pop(name)
    for name in ("id", "creator_id", "created_at", "updated_at", "published_at", "revision", "upload_url", "build"):
        document.pop(name, None)
    text = msgspec.json.encode(document).decode()
    poster = video.metadata.thumbnails[0].rpartition("/")[2]
    folder = (video.manifest_path or "").rpartition("/")[0]
    files = {key.removeprefix(folder.lstrip("/")) for key in await desk.keys(folder.lstrip("/"))}
    return msgspec.json.decode(text.replace(folder, "BUILD").replace(poster, "P").replace(video_id, "V")), files


async def _until_empty(desk: Desk, prefix: str, part: str) -> None:
    async with asyncio.timeout(30):
        while any(part in key for key in await desk.keys(prefix)):  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.1)


async def test_looks_by_many_who_know_nothing_of_each_other_ask_for_one_job(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn
) -> None:
    video_id = await desk.upload(film.file)
    await asyncio.gather(*(conductor.look(video_id) for _ in range(8)))
    await conductor.look(video_id)
    assert service.statuses() == ["SUBMITTED"]
    await service.work()
    await asyncio.gather(*(conductor.look(video_id) for _ in range(8)))
    assert (await desk.catalogue.get(video_id)).status == "ready"
    assert not await conductor.look(video_id)
    assert await value(desk, "SELECT count(*) FROM convert_jobs") == 0


async def test_a_file_the_service_cannot_read_fails_at_once_with_the_reason(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn
) -> None:
    video_id = await asked_for(desk, conductor, film)
    service.fail(1076)
    await conductor.look(video_id)
    video = await desk.catalogue.get(video_id)
    assert video.failure is not None
    assert (video.status, video.failure.code, video.failure.retryable) == ("failed", "video.unreadable", False)


async def test_a_fault_of_the_video_is_tried_three_times_with_a_new_job_each_and_can_be_tried_again(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn
) -> None:
    video_id = await asked_for(desk, conductor, film)
    for _ in range(3):
        service.fail(1111)
        await conductor.look(video_id)  # hears of the failure
        await conductor.look(video_id)  # asks for the next job
    video = await desk.catalogue.get(video_id)
    assert video.failure is not None
    assert (video.status, video.failure.retryable, service.statuses()) == ("failed", True, ["ERROR"] * 3)
    assert len({request["clientRequestToken"] for request in service.requests}) == 3
    assert await desk.again(video_id)
    await conductor.look(video_id)
    await service.work()
    await conductor.look(video_id)
    assert (await desk.catalogue.get(video_id)).status == "ready"


async def test_a_service_that_is_away_costs_no_attempt(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn
) -> None:
    service.broken = 503
    video_id = await desk.upload(film.file)
    for _ in range(4):
        await conductor.look(video_id)
    assert await value(desk, "SELECT attempt FROM transcode_tasks") == 0
    service.broken = 0
    await conductor.look(video_id)
    await service.work()
    await conductor.look(video_id)
    assert (await desk.catalogue.get(video_id)).status == "ready"


async def test_what_is_no_video_is_refused_by_name(
    desk: Desk, conductor: Conductor, service: StandIn, tmp_path: Any
) -> None:
    file = tmp_path / "text"
    file.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n" * 40)
    video_id = await desk.upload(file)
    await conductor.look(video_id)
    video = await desk.catalogue.get(video_id)
    assert video.failure is not None
    assert (video.failure.code, service.jobs) == ("video.unreadable", {})


async def test_an_output_that_is_missing_is_no_video(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn
) -> None:
    video_id = await asked_for(desk, conductor, film)
    await service.work()
    lost = next(key for key in await desk.keys(f"vod/{video_id}/") if key.endswith("_000000001.cmfv"))
    await desk.objects.call("delete_object", Key=lost)
    await conductor.look(video_id)
    assert (await desk.catalogue.get(video_id)).status == "processing"
    assert await value(desk, "SELECT attempt FROM transcode_tasks WHERE kind = 'job'") == 1


async def test_a_deleted_video_is_cancelled_at_the_service(
    desk: Desk, conductor: Conductor, service: StandIn, film: Drawn, settings: Settings
) -> None:
    video_id = await asked_for(desk, conductor, film)
    await desk.cancel(video_id)
    async with open_mediaconvert(settings.convert) as client:
        assert await Jobs(desk.db).cancel_dropped(client) == 1
        assert await Jobs(desk.db).cancel_dropped(client) == 0
    assert service.statuses() == ["CANCELED"]
    assert not await conductor.look(video_id)
