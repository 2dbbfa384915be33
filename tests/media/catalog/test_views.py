"""Views: each viewer once in 24 h, who watched enough; added to the document once, whatever dies in between."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from infra.clock import new_id
from infra.stores.mongo import MongoUnavailable
from infra.stores.redis import Redis
from media.catalog.model import Metadata, Video
from media.catalog.videos import Catalogue
from media.catalog.views import MARKED_FOR, MOST_FROM_ADDRESS, SOURCE, Viewer, Views, needed_ms
from tests.media.catalog.conftest import Clock, finished_video, person

LONGEST_MS = 15_000
DAY = 86_400


@pytest.fixture
def views(redis: Redis, clock: Clock) -> Views:
    return Views(redis, clock)


def member(name: str = "u1") -> Viewer:
    return Viewer(user_id=name, device="d", address="192.0.2.1")


def stranger(device: str, address: str = "192.0.2.1") -> Viewer:
    return Viewer(user_id=None, device=device, address=address)


async def beat(views: Views, video: Video, viewer: Viewer, *, playing: bool = True) -> bool:
    return (await views.beat(video, viewer, playing=playing, longest_ms=LONGEST_MS, save_ms=0)).counted


async def watch(views: Views, video: Video, viewer: Viewer, clock: Clock, beats: int = 4) -> bool:
    """Beats 10 s apart: 10 s less than so many are watched."""
    counted = False
    for _ in range(beats):
        clock.pass_seconds(10)
        counted = await beat(views, video, viewer)
    return counted


async def count_of(catalogue: Catalogue, video: Video) -> int:
    return (await catalogue.get(video.id)).view_count


@pytest.mark.parametrize(("duration", "needed"), [(0, 30_000), (10, 5_000), (60, 30_000), (3600, 30_000)])
def test_a_view_is_half_of_what_is_short(duration: float, needed: int) -> None:
    assert needed_ms(duration) == needed


async def test_a_view_counts_after_thirty_seconds_and_once(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    assert not await watch(views, video, member(), clock, beats=3)
    assert await watch(views, video, member(), clock, beats=1)
    assert await watch(views, video, member(), clock, beats=9)
    assert await views.flush(catalogue) == 1
    assert await views.flush(catalogue) == 0
    assert await count_of(catalogue, video) == 1


async def test_the_same_viewer_is_another_view_a_day_later(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    await watch(views, video, member(), clock)
    clock.pass_seconds(DAY - 60)
    await watch(views, video, member(), clock, beats=5)
    assert await views.flush(catalogue) == 1
    clock.pass_seconds(60)
    await watch(views, video, member(), clock)
    assert await views.flush(catalogue) == 1
    assert await count_of(catalogue, video) == 2


async def test_nobody_claims_more_time_than_has_passed(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    for _ in range(50):
        assert not await beat(views, video, member())
    clock.pass_seconds(3600)  # a gap is worth one late beat
    assert not await beat(views, video, member())
    clock.pass_seconds(14)
    assert not await beat(views, video, member())
    clock.pass_seconds(1)
    assert await beat(views, video, member())


async def test_a_paused_player_watches_nothing(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    for _ in range(10):
        clock.pass_seconds(10)
        assert not await beat(views, video, member(), playing=False)


async def test_a_clock_that_goes_back_gives_no_time(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    for _ in range(20):
        clock.pass_seconds(8)
        await beat(views, video, member())
        clock.pass_seconds(-8)
        assert not await beat(views, video, member())


async def test_one_address_is_so_many_strangers_at_most(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    video = await finished_video(catalogue, person(), clock)
    short = replace(video, metadata=Metadata(duration=2))
    many = [stranger(f"device {number}") for number in range(MOST_FROM_ADDRESS + 5)]
    for _ in range(2):
        clock.pass_seconds(1)
        counted = [await beat(views, short, viewer) for viewer in many]
    assert sum(counted) == MOST_FROM_ADDRESS
    clock.pass_seconds(1)
    for viewer in (stranger("elsewhere", "198.51.100.1"), member("u1"), member("u2")):
        await beat(views, short, viewer)
        clock.pass_seconds(1)
        assert await beat(views, short, viewer)
    assert await views.flush(catalogue) == MOST_FROM_ADDRESS + 3


async def test_a_view_does_not_change_when_a_video_was_changed_but_is_told(
    catalogue: Catalogue, views: Views, clock: Clock
) -> None:
    video = await finished_video(catalogue, person(), clock)
    await watch(views, video, member(), clock)
    await views.flush(catalogue)
    found = await catalogue.get(video.id)
    assert (found.updated_at, found.revision, found.announced) == (video.updated_at, video.revision + 1, False)
    assert await catalogue.announcer.sweep() == 1


async def test_what_nobody_watches_any_more_is_forgotten_but_not_its_views(
    catalogue: Catalogue, redis: Redis, clock: Clock
) -> None:
    video = await finished_video(catalogue, person(), clock)
    node = Views(redis, clock)
    await watch(node, video, member(), clock)
    clock.pass_seconds(MARKED_FOR.total_seconds() + 1)
    worker = Views(redis, clock)
    assert await worker.flush(catalogue) == 1
    await watch(Views(redis, clock), video, member("u2"), clock)
    assert await worker.flush(catalogue) == 1


async def test_views_of_a_deleted_video_go(catalogue: Catalogue, views: Views, clock: Clock) -> None:
    mara = person()
    video = await finished_video(catalogue, mara, clock)
    await watch(views, video, member(), clock)
    await catalogue.delete(mara, video.id)
    await views.flush(catalogue)
    kept = await catalogue.repository.get(video.id)
    assert kept is not None
    assert kept.view_count == 0


async def test_batches_go_on_after_redis_lost_everything(
    catalogue: Catalogue, views: Views, redis: Redis, clock: Clock
) -> None:
    video = await finished_video(catalogue, person(), clock)
    await watch(views, video, member(), clock)
    await views.flush(catalogue)
    await redis.flushall(target_nodes=Redis.PRIMARIES)
    await watch(Views(redis, clock), video, member(), clock)
    await views.flush(catalogue)
    assert await count_of(catalogue, video) == 2


def test_the_script_is_part_of_the_package() -> None:
    assert Path(SOURCE).is_file()


class Dying(Catalogue):
    """Dies while a batch is added: before it is in MongoDB, or after."""

    def __init__(self, catalogue: Catalogue, when: str) -> None:
        self._catalogue = catalogue
        self._when = when

    async def viewed(self, video_id: str, batch: int, views: int) -> None:
        if self._when == "before":
            raise MongoUnavailable
        await self._catalogue.viewed(video_id, batch, views)
        raise MongoUnavailable


@dataclass
class Expected:
    """What the rules say of one viewer, in seconds, written down as plainly as they are."""

    before: tuple[float, bool] | None = None
    watched: float = 0.0
    counted_at: float | None = None
    views: int = 0

    def beat(self, now: float, playing: bool) -> None:
        if self.counted_at is not None and now - self.counted_at >= DAY:
            self.before, self.watched, self.counted_at = None, 0.0, None
        if self.before and self.before[1]:
            self.watched += min(now - self.before[0], LONGEST_MS / 1000)
        if self.watched >= 30 and self.counted_at is None:
            self.counted_at = now
            self.views += 1
        self.before = (now, playing)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("beat"), st.integers(0, 2), st.sampled_from([True, True, True, False])),
        st.tuples(st.just("pass"), st.sampled_from([1, 5, 10, 14, 20, 3600, DAY - 30, DAY]), st.none()),
        st.tuples(st.just("flush"), st.sampled_from(["whole", "twice", "before", "after"]), st.none()),
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_happens_in_whatever_order_each_view_is_counted_once(
    catalogue: Catalogue, redis: Redis, clock: Clock, steps: list[tuple[str, int | str, bool | None]]
) -> None:
    video = await finished_video(catalogue, person(), clock)
    views = Views(redis, clock)
    viewers = [member(new_id()) for _ in range(3)]
    expected = [Expected() for _ in viewers]
    for kind, what, playing in steps:
        if kind == "beat":
            number = int(what)
            await beat(views, video, viewers[number], playing=bool(playing))
            expected[number].beat(clock.now.timestamp(), bool(playing))
        elif kind == "pass":
            clock.pass_seconds(int(what))
        else:
            await flush(views, catalogue, video, str(what))
    await views.flush_video(catalogue, video.id)
    await views.flush_video(catalogue, video.id)
    assert await count_of(catalogue, video) == sum(one.views for one in expected)


async def flush(views: Views, catalogue: Catalogue, video: Video, how: str) -> None:
    if how == "twice":
        await asyncio.gather(*(views.flush_video(catalogue, video.id) for _ in range(2)))
    elif how == "whole":
        await views.flush_video(catalogue, video.id)
    else:
        with contextlib.suppress(MongoUnavailable):  # that is what dying looks like from here
            await views.flush_video(Dying(catalogue, how), video.id)
