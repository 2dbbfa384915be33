"""Trying a failed video again over HTTP, with the real queue of work."""

import httpx

from infra.clock import system_clock
from media.catalog.library import Library
from media.catalog.model import Failure, Video
from media.vod.ports import Source
from media.vod.transcodes import Transcodes
from tests.accounts.world import World
from tests.api.test_videos import Person, ben, code, mara, put_video

__all__ = ["ben", "mara"]


async def failed_video(world: World, library: Library, owner: Person, *, retryable: bool = True) -> Video:
    """As the work leaves it when its attempts are used up."""
    now = system_clock()
    video = await put_video(library, owner)
    async with library.catalogue.repository._mongo.collection("videos") as videos:  # no way back there
        await videos.update_one({"_id": video.id}, {"$set": {"status": "processing", "playback_urls": []}})
    source = Source(video.id, owner.id, f"uploads/{video.id}/secret/source", 1000)
    async with world.db.transaction() as connection:
        await Transcodes(world.outbox, system_clock).request(connection, source)
        await connection.execute("UPDATE transcodes SET state = 'failed' WHERE video_id = $1", video.id)
        await connection.execute("DELETE FROM transcode_tasks WHERE video_id = $1", video.id)
    failure = Failure("transcode.encode_failed", "The video could not be encoded.", retryable, now)
    return await library.catalogue.failed(video.id, failure)


async def work_on(world: World, video: Video) -> list[tuple[str, str, str]]:
    async with world.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT v.state, v.build, t.kind FROM transcodes v LEFT JOIN transcode_tasks t USING (video_id) "
            "WHERE v.video_id = $1",
            video.id,
        )
    return [(row["state"], row["build"], row["kind"]) for row in rows]


async def test_the_owner_tries_again_once(world: World, library: Library, mara: Person) -> None:
    video = await failed_video(world, library, mara)
    before = await work_on(world, video)
    answer = await mara.call("POST", f"/videos/{video.id}/retry")
    assert (answer.status_code, answer.json()["status"], answer.json()["failure"]) == (202, "processing", None)
    after = await work_on(world, video)
    assert [(state, kind) for state, _, kind in after] == [("running", "prepare")]
    assert after[0][1] != before[0][1], "it must begin in a new build"
    assert code(await mara.call("POST", f"/videos/{video.id}/retry")) == (409, "video.not_failed")
    assert await work_on(world, video) == after


async def test_only_the_owner_may(
    world: World, library: Library, client: httpx.AsyncClient, mara: Person, ben: Person
) -> None:
    video = await failed_video(world, library, mara)
    path = f"/videos/{video.id}/retry"
    assert code(await ben.call("POST", path)) == (404, "video.not_found")
    assert code(await client.post(f"/api/v1{path}")) == (401, "auth.required")
    assert [state for state, _, _ in await work_on(world, video)] == ["failed"]


async def test_what_did_not_fail_or_cannot_be_mended_is_a_conflict(
    world: World, library: Library, mara: Person
) -> None:
    ready = await put_video(library, mara)
    refused = await failed_video(world, library, mara, retryable=False)
    for video in (ready, refused):
        assert code(await mara.call("POST", f"/videos/{video.id}/retry")) == (409, "video.not_failed")
    assert code(await mara.call("POST", "/videos/none/retry")) == (404, "video.not_found")


async def test_half_a_retry_is_made_whole_by_the_next(world: World, library: Library, mara: Person) -> None:
    video = await failed_video(world, library, mara)
    async with world.db.transaction() as connection:
        await Transcodes(world.outbox, system_clock).again(connection, video.id)
    begun = await work_on(world, video)
    answer = await mara.call("POST", f"/videos/{video.id}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "processing")
    assert await work_on(world, video) == begun
