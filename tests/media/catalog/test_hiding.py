"""The poster of a video that becomes private is no longer where others saw it."""

from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from infra.settings import ObjectSettings
from infra.stores.objects import NoSuchObject, Objects, ObjectsUnavailable, open_objects
from media.catalog.details import VideoChange
from media.catalog.hiding import Hiding
from media.catalog.model import Metadata, Video, Visibility
from media.catalog.videos import Catalogue
from tests.media.catalog.conftest import LOW, Clock, finished_video, person

MARA = person()
PICTURE = b"a picture"


@pytest.fixture
async def objects(objects_settings: ObjectSettings) -> AsyncIterator[Objects]:
    async with open_objects(objects_settings) as objects:
        yield objects


class Edge:
    """Remembers what it was to forget; while `is_away`, it cannot be asked."""

    def __init__(self) -> None:
        self.purged: list[str] = []
        self.is_away = False

    async def forget(self, paths: Sequence[str]) -> None:
        if self.is_away:
            raise ObjectsUnavailable
        self.purged += paths


class Stage:
    def __init__(self, catalogue: Catalogue, objects: Objects, clock: Clock) -> None:
        self.catalogue = catalogue
        self.objects = objects
        self.clock = clock
        self.edge = Edge()
        self.hiding = Hiding(catalogue.repository, objects, self.edge)

    async def video(self, visibility: Visibility = "public") -> Video:
        """With a poster that was made of it."""
        video = await finished_video(self.catalogue, MARA, self.clock, visibility=visibility)
        path = f"/posters/{video.id}/0123456789abcdef.jpg"
        await self.objects.call("put_object", Key=path[1:], Body=PICTURE, ContentType="image/jpeg")
        metadata = replace(video.metadata, thumbnails=[path])
        await self.catalogue._change(video.id, {}, {"status": "processing"})
        return await self.catalogue.finished(video.id, video.build or "", [LOW], metadata)

    async def turn(self, video: Video, visibility: Visibility) -> Video:
        return await self.catalogue.change(MARA, video.id, VideoChange(visibility=visibility))

    async def poster_of(self, video: Video) -> str:
        return (await self.catalogue.get(video.id)).metadata.thumbnails[0]

    async def files(self, video: Video) -> list[str]:
        found = await self.objects.call("list_objects_v2", Prefix=f"posters/{video.id}/")
        return ["/" + one["Key"] for one in found.get("Contents", [])]


@pytest.fixture
def stage(catalogue: Catalogue, objects: Objects, clock: Clock) -> Stage:
    return Stage(catalogue, objects, clock)


@pytest.mark.parametrize("before", ["public", "unlisted", "premium"])
async def test_the_address_of_a_poster_dies_when_its_video_becomes_private(stage: Stage, before: Visibility) -> None:
    video = await stage.video(before)
    old = await stage.poster_of(video)
    await stage.turn(video, "private")
    assert await stage.hiding.hide(video.id)
    new = await stage.poster_of(video)
    assert new != old
    assert await stage.files(video) == [new]
    assert await stage.objects.read(new[1:]) == PICTURE
    head = await stage.objects.call("head_object", Key=new[1:])
    assert head["ContentType"] == "image/jpeg"
    assert stage.edge.purged == [f"/posters/{video.id}/*"]
    assert not await stage.hiding.hide(video.id), "told again, nothing is left to do"


async def test_a_poster_that_was_shown_once_more_is_hidden_once_more(stage: Stage) -> None:
    video = await stage.video()
    await stage.turn(video, "private")
    await stage.hiding.hide(video.id)
    first = await stage.poster_of(video)
    await stage.turn(video, "public")
    assert not await stage.hiding.hide(video.id)
    await stage.turn(video, "private")
    assert await stage.hiding.hide(video.id)
    assert await stage.poster_of(video) != first
    assert await stage.files(video) == [await stage.poster_of(video)]


async def test_what_was_always_private_keeps_its_name(stage: Stage) -> None:
    video = await stage.video("private")
    assert not await stage.hiding.hide(video.id)
    assert await stage.poster_of(video) == video.metadata.thumbnails[0]


async def test_what_is_visible_keeps_its_poster(stage: Stage) -> None:
    video = await stage.video()
    await stage.turn(video, "unlisted")
    assert not await stage.hiding.hide(video.id)
    assert await stage.files(video) == video.metadata.thumbnails


async def test_what_is_made_later_does_not_bring_the_old_name_back(stage: Stage) -> None:
    video = await stage.video()
    await stage.turn(video, "private")
    await stage.hiding.hide(video.id)
    new = await stage.poster_of(video)
    await stage.catalogue._change(video.id, {}, {"status": "processing"})
    await stage.catalogue.finished(video.id, video.build or "", [LOW], Metadata(thumbnails=video.metadata.thumbnails))
    assert await stage.poster_of(video) == new


async def test_an_edge_that_is_away_is_asked_again(stage: Stage) -> None:
    video = await stage.video()
    await stage.turn(video, "private")
    stage.edge.is_away = True
    with pytest.raises(ObjectsUnavailable):
        await stage.hiding.hide(video.id)
    stage.edge.is_away = False
    assert await stage.hiding.hide(video.id)
    assert stage.edge.purged == [f"/posters/{video.id}/*"]
    assert await stage.files(video) == [await stage.poster_of(video)]


async def test_a_creator_who_changes_their_mind_in_the_middle_keeps_the_poster(stage: Stage) -> None:
    video = await stage.video()
    await stage.turn(video, "private")
    rename = stage.catalogue.repository.rename_poster

    async def too_late(video_id: str, old: str, new: str) -> bool:
        await stage.turn(video, "public")
        return await rename(video_id, old, new)

    stage.catalogue.repository.rename_poster = too_late  # type: ignore[method-assign]  # what happens in between
    assert not await stage.hiding.hide(video.id)
    assert await stage.files(video) == video.metadata.thumbnails
    assert stage.edge.purged == []


async def test_a_poster_that_is_not_there_is_no_obstacle(stage: Stage) -> None:
    video = await stage.video()
    await stage.objects.call("delete_object", Key=video.metadata.thumbnails[0][1:])
    await stage.turn(video, "private")
    assert await stage.hiding.hide(video.id)
    with pytest.raises(NoSuchObject):
        await stage.objects.read(video.metadata.thumbnails[0][1:])
