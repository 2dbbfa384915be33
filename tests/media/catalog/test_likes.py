"""Likes: one for each person, and a number that is true whatever crashes."""

import asyncio
import contextlib

import pytest

from infra.stores.mongo import Mongo, MongoUnavailable
from media.catalog.likes import Likes
from media.catalog.model import Video
from media.catalog.videos import Catalogue
from tests.media.catalog.conftest import Clock, finished_video, person


@pytest.fixture
def likes(mongo: Mongo, catalogue: Catalogue, clock: Clock) -> Likes:
    return Likes(mongo, catalogue, clock)


@pytest.fixture
async def video(catalogue: Catalogue, clock: Clock) -> Video:
    return await finished_video(catalogue, person(), clock)


async def number(catalogue: Catalogue, video: Video) -> int:
    return (await catalogue.get(video.id)).like_count


async def test_a_like_counts_once_and_goes_again(likes: Likes, catalogue: Catalogue, video: Video) -> None:
    assert [await likes.like("u1", video), await likes.like("u1", video), await likes.like("u2", video)] == [1, 1, 2]
    assert await likes.of("u1", [video.id, "another"]) == {video.id}
    assert [await likes.unlike("u1", video), await likes.unlike("u1", video)] == [1, 1]
    assert await likes.of("u1", [video.id]) == set()
    assert await likes.like("u1", video) == 2
    assert await number(catalogue, video) == 2
    assert await likes.sweep() == 0


async def test_likes_at_once_are_all_counted(likes: Likes, catalogue: Catalogue, video: Video) -> None:
    await asyncio.gather(*(likes.like(f"u{n}", video) for n in range(12)))
    await asyncio.gather(
        *(likes.unlike(f"u{n}", video) for n in range(4)), *(likes.like(f"v{n}", video) for n in range(4))
    )
    assert await number(catalogue, video) == 12


class Dying(Catalogue):
    """Dies before the number is written, or just after."""

    def __init__(self, catalogue: Catalogue, *, after: bool) -> None:
        self._catalogue = catalogue
        self._after = after

    async def liked(self, video_id: str, like_count: int) -> None:
        if self._after:
            await self._catalogue.liked(video_id, like_count)
        raise MongoUnavailable


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_what_a_crash_left_uncounted_is_counted_by_the_sweeper(
    mongo: Mongo, likes: Likes, catalogue: Catalogue, clock: Clock, video: Video, *, after: bool
) -> None:
    await likes.like("u1", video)
    dying = Likes(mongo, Dying(catalogue, after=after), clock)
    with contextlib.suppress(MongoUnavailable):
        await dying.like("u2", video)
    with contextlib.suppress(MongoUnavailable):
        await dying.unlike("u1", video)
    with contextlib.suppress(MongoUnavailable):
        await dying.like("u3", video)
    clock.pass_seconds(3)
    assert await likes.sweep() == 1
    assert await number(catalogue, video) == 2
    assert await likes.sweep() == 0


async def test_a_video_of_very_many_likes_is_counted_by_the_sweeper(
    likes: Likes, catalogue: Catalogue, clock: Clock, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.catalog.likes.MANY", 2)
    for user in ("u1", "u2"):
        await likes.like(user, video)
    assert await likes.like("u3", await catalogue.get(video.id)) == 3
    assert await number(catalogue, video) == 2
    clock.pass_seconds(3)
    assert await likes.sweep() == 1
    assert await number(catalogue, video) == 3


async def test_likes_of_a_video_that_went_go_with_it(
    likes: Likes, catalogue: Catalogue, mongo: Mongo, clock: Clock, video: Video
) -> None:
    dying = Likes(mongo, Dying(catalogue, after=False), clock)
    with contextlib.suppress(MongoUnavailable):
        await dying.like("u1", video)
    owner = person(user_id=video.creator_id)
    await catalogue.delete(owner, video.id)
    clock.pass_seconds(3)
    await likes.sweep()
    async with mongo.collection("video_likes") as collection:
        assert await collection.count_documents({}) == 0
