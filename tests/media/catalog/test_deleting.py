"""Deleting: everything goes, whatever crashes, and nothing of another video."""

from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from infra.clock import new_id
from infra.settings import ObjectSettings
from infra.stores.mongo import Mongo
from infra.stores.objects import Objects, ObjectsUnavailable, open_objects
from infra.stores.redis import Redis
from media.catalog.deleting import SETTLE, Deleting, Leaving, prefixes_of
from media.catalog.errors import VideoNotFound
from media.catalog.history import History
from media.catalog.likes import Likes
from media.catalog.model import Recording, Video
from media.catalog.videos import Catalogue
from media.catalog.views import Views
from tests.media.catalog.conftest import Clock, finished_video, person, video_of

MARA = person()


@pytest.fixture
async def objects(objects_settings: ObjectSettings) -> AsyncIterator[Objects]:
    async with open_objects(objects_settings) as objects:
        yield objects


class Stage:
    """The job with all it removes, and who is told first."""

    def __init__(self, catalogue: Catalogue, mongo: Mongo, redis: Redis, objects: Objects, clock: Clock) -> None:
        self.catalogue = catalogue
        self.objects = objects
        self.likes = Likes(mongo, catalogue, clock)
        self.history = History(mongo, clock)
        self.stopped: list[str] = []
        self.purged: list[str] = []
        leaving = Leaving(self.likes, self.history, Views(redis, clock))
        self.job = Deleting(catalogue.repository, objects, leaving, [self.stop], clock, caches=self)

    async def stop(self, video_id: str) -> None:
        self.stopped.append(video_id)

    async def forget(self, paths: Sequence[str]) -> None:
        self.purged += paths

    async def put(self, key: str) -> None:
        await self.objects.call("put_object", Key=key, Body=b"x")

    async def files(self, video: Video) -> list[str]:
        found: list[str] = []
        for prefix in prefixes_of(video):
            page = await self.objects.call("list_objects_v2", Prefix=prefix)
            found += [one["Key"] for one in page.get("Contents", [])]
        return found

    async def fill(self, video: Video, count: int = 3) -> None:
        """Some files in each place, and an upload that was never closed."""
        for prefix in prefixes_of(video):
            for number in range(count):
                await self.put(f"{prefix}part/{number}")
        await self.objects.call("create_multipart_upload", Key=f"uploads/{video.id}/abc/source")

    async def open_uploads(self, video: Video) -> int:
        page = await self.objects.call("list_multipart_uploads", Prefix=f"uploads/{video.id}/")
        return len(page.get("Uploads", []))


@pytest.fixture
def stage(catalogue: Catalogue, mongo: Mongo, redis: Redis, objects: Objects, clock: Clock) -> Stage:
    return Stage(catalogue, mongo, redis, objects, clock)


async def recorded_video(stage: Stage, clock: Clock) -> Video:
    video = replace(video_of(MARA, clock()), recording=Recording(new_id()))
    return await stage.catalogue.create(video)


async def deleting(stage: Stage, video: Video) -> Video:
    await stage.catalogue.delete(MARA, video.id)
    found = await stage.catalogue.repository.get(video.id)
    assert found is not None
    return found


async def test_files_go_at_once_and_the_document_when_all_is_quiet(stage: Stage, clock: Clock) -> None:
    video = await recorded_video(stage, clock)
    other = await finished_video(stage.catalogue, MARA, clock)
    await stage.fill(video)
    await stage.fill(other)
    await stage.likes.like("u1", video)
    await stage.history.save("u1", video.id, 5, 100)
    await stage.job.clean(await deleting(stage, video))
    assert await stage.files(video) == []
    assert await stage.open_uploads(video) == 0
    assert stage.stopped == [video.id]
    assert stage.purged == [f"/vod/{video.id}/*", f"/posters/{video.id}/*"]
    assert await stage.job.sweep() == 0
    await stage.put(f"vod/{video.id}/late/segment.m4s")  # by a worker that had not heard of it
    clock.pass_seconds(SETTLE.total_seconds() + 1)
    assert await stage.job.sweep() == 1
    assert await stage.files(video) == []
    assert await stage.catalogue.repository.get(video.id) is None
    assert await stage.history.of("u1", [video.id]) == {}
    assert await stage.likes.of("u1", [video.id]) == set()
    assert len(await stage.files(other)) == 9
    assert (await stage.catalogue.get(other.id)).status == "ready"
    assert await stage.open_uploads(other) == 1


async def test_more_files_than_one_page_go(stage: Stage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.catalog.deleting.PAGE", 4)
    video = await finished_video(stage.catalogue, MARA, clock)
    await stage.fill(video, 9)
    await stage.job.clean(await deleting(stage, video))
    assert await stage.files(video) == []


class Failing(Objects):
    """The storage, which goes away after so many calls."""

    def __init__(self, objects: Objects, calls: int) -> None:
        self._objects = objects
        self._left = calls

    async def call(self, operation: str, **arguments: object) -> object:
        self._left -= 1
        if self._left < 0:
            raise ObjectsUnavailable
        return await self._objects.call(operation, **arguments)


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 5, 8])
async def test_wherever_it_stops_it_goes_on(
    stage: Stage, catalogue: Catalogue, mongo: Mongo, redis: Redis, objects: Objects, clock: Clock, calls: int
) -> None:
    video = await recorded_video(stage, clock)
    await stage.fill(video, 1)
    gone = await deleting(stage, video)
    failing = Stage(catalogue, mongo, redis, Failing(objects, calls), clock)
    with pytest.raises(ObjectsUnavailable):
        await failing.job.clean(gone)
    clock.pass_seconds(SETTLE.total_seconds() + 1)
    assert await failing.job.sweep() == 0  # and it raises nothing: others must not wait
    assert await stage.job.sweep() == 1
    assert await stage.files(video) == []
    with pytest.raises(VideoNotFound):
        await catalogue.get(video.id)
