"""Watching: beats make views and the place to go on from, and never stop anybody."""

import pytest

from infra.clock import new_id
from infra.stores.mongo import Mongo
from infra.stores.redis import Redis, RedisUnavailable
from media.catalog.history import History, is_finished
from media.catalog.model import Video
from media.catalog.videos import Catalogue
from media.catalog.views import Viewer, Views
from media.catalog.watching import Watching
from tests.media.catalog.conftest import Clock, finished_video, person

USER = new_id()
MEMBER = Viewer(USER, "d", "192.0.2.1")


@pytest.fixture
def history(mongo: Mongo, clock: Clock) -> History:
    return History(mongo, clock)


@pytest.fixture
def watching(redis: Redis, history: History, clock: Clock) -> Watching:
    return Watching(Views(redis, clock), history)


@pytest.fixture
async def video(catalogue: Catalogue, clock: Clock) -> Video:
    return await finished_video(catalogue, person(), clock)


async def place(history: History, video: Video) -> float | None:
    found = (await history.of(USER, [video.id])).get(video.id)
    return found.position_seconds if found else None


async def test_a_place_is_saved_every_ten_seconds_and_when_somebody_stops(
    watching: Watching, history: History, clock: Clock, video: Video
) -> None:
    assert not await watching.beat(video, MEMBER, 1, playing=True)
    assert await place(history, video) == 1
    for seconds in (4, 5):
        clock.pass_seconds(4)
        await watching.beat(video, MEMBER, seconds, playing=True)
    assert await place(history, video) == 1
    clock.pass_seconds(2)
    await watching.beat(video, MEMBER, 11, playing=True)
    assert await place(history, video) == 11
    clock.pass_seconds(2)
    await watching.beat(video, MEMBER, 13, playing=False)
    assert await place(history, video) == 13
    clock.pass_seconds(0.5)
    await watching.beat(video, MEMBER, 50, playing=False)
    assert await place(history, video) == 13


async def test_beats_make_a_view(watching: Watching, clock: Clock, video: Video) -> None:
    counted = []
    for _ in range(5):
        counted.append(await watching.beat(video, MEMBER, 1, playing=True))
        clock.pass_seconds(10)
    assert counted == [False, False, False, True, True]


async def test_strangers_have_no_history(watching: Watching, mongo: Mongo, video: Video) -> None:
    await watching.beat(video, Viewer(None, "d", "192.0.2.1"), 10, playing=True)
    async with mongo.collection("watch_history") as collection:
        assert await collection.count_documents({}) == 0


async def test_nobody_is_stopped_because_nobody_can_count(history: History, clock: Clock, video: Video) -> None:
    class Away(Views):
        def __init__(self) -> None:
            pass

        async def beat(self, *_: object, **__: object) -> object:  # type: ignore[override]  # whatever is asked
            raise RedisUnavailable

    assert not await Watching(Away(), history).beat(video, MEMBER, 1, playing=True)


@pytest.mark.parametrize(
    ("position", "duration", "finished"),
    [(95, 100, True), (90, 100, True), (89, 100, False), (3590, 3600, True), (3420, 3600, True), (3419, 3600, False),
     (0, 8, False), (3, 8, False), (7.9, 8, True), (50, 0, False)],
)  # fmt: skip
def test_what_is_seen_to_the_end_is_finished(position: float, duration: float, *, finished: bool) -> None:
    assert is_finished(position, duration) == finished


async def test_pages_of_history_are_ranges_of_an_index(
    catalogue: Catalogue, mongo: Mongo, history: History, clock: Clock
) -> None:
    for number in range(30):
        clock.pass_seconds(number % 2)
        await history.save(f"user {number % 3}", f"video {number}", 10, 100)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = await history.latest("user 1", cursor, 3)
        seen += [one.video_id for one in page]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 10
    wanted = {"user_id": "user 1", "place": {"$lt": "9"}}
    async with mongo.collection("watch_history") as collection:
        find = {"find": "watch_history", "filter": wanted, "sort": {"place": -1}}
        plan = await collection.database.command({"explain": find, "verbosity": "executionStats"})
    assert plan["executionStats"]["totalDocsExamined"] == 10
    assert "'user_id': 1, 'place': -1" in str(plan["queryPlanner"]["winningPlan"])
