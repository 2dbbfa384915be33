"""The index follows the catalogue: in any order of writes, through outages, and while it is built anew."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.bus.redis_streams import RedisStreamsBus
from infra.local.parts import free_port
from infra.local.process import Running, start
from infra.local.search import search_part
from infra.metrics import Metrics
from infra.settings import SearchSettings
from infra.stores.mongo import Mongo
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from infra.stores.search import SearchUnavailable
from media.catalog.announcing import event_of
from media.catalog.indexer import GROUP, AlreadyBuilding, BuildLost, follow_videos, postgres_lock
from media.catalog.search_index import ALIAS, NEXT, IndexMissing, IndexRefused, judged
from media.catalog.search_query import Asked
from media.catalog.videos import Catalogue
from tests.media.catalog.conftest import Clock
from tests.media.catalog.search_stage import Stage, open_stage
from tests.realtime.archives import eventually


@pytest.fixture
async def stage(
    search_settings: SearchSettings, catalogue: Catalogue, mongo: Mongo, db: Postgres, clock: Clock
) -> AsyncIterator[Stage]:
    async with open_stage(search_settings, catalogue, mongo, db, clock) as stage:
        yield stage


async def until_found(stage: Stage, q: str, titles: list[str]) -> None:
    async def so() -> bool:
        found = await stage.find(q)
        return (found.total, sorted(hit.video.title for hit in found.hits)) == (len(titles), sorted(titles))

    await eventually(so)


async def test_a_late_write_never_replaces_a_newer_one(stage: Stage) -> None:
    await stage.indexer.rebuild(grace_seconds=0)
    old = await stage.publish("First name")
    await stage.change(old, title="Second name")
    new = await stage.catalogue.get(old.id)
    await stage.index.write([ALIAS], {new.id: new})
    await stage.index.write([ALIAS], {old.id: old})
    assert await stage.titles("second") == ["Second name"]
    await stage.index.write([ALIAS], {new.id: None})
    await stage.index.write([ALIAS], {new.id: replace(new, revision=99)})
    assert (await stage.find("name")).total == 0


async def test_a_write_of_the_same_revision_is_repeated_without_harm(stage: Stage) -> None:
    await stage.indexer.rebuild(grace_seconds=0)
    video = await stage.publish("Once and again")
    await stage.indexer.take(video.id)
    assert (await stage.find("again")).total == 1


async def test_what_cannot_be_played_any_more_is_not_found_until_it_can(stage: Stage) -> None:
    await stage.indexer.rebuild(grace_seconds=0)
    video = await stage.publish("Comes and goes")
    gone = replace(video, build=None, status="processing", revision=video.revision + 1)
    await stage.index.write([ALIAS], {video.id: gone})
    assert (await stage.find("comes")).total == 0
    await stage.index.write([ALIAS], {video.id: replace(video, revision=video.revision + 2)})
    assert (await stage.find("comes")).total == 1


async def test_a_rebuild_reads_everything_and_leaves_one_index(stage: Stage) -> None:
    for number in range(3):
        await stage.publish(f"Before {number}")  # there is no index yet
    assert await stage.indexer.rebuild(grace_seconds=0) == 3
    first = await stage.indices()
    assert len(await stage.titles("before")) == 3
    await stage.indexer.rebuild(grace_seconds=0)
    second = await stage.indices()
    assert len(first) == len(second) == 1
    assert first != second
    assert len(await stage.titles("before")) == 3


async def test_what_a_crash_left_of_a_build_is_cleared_by_the_next(stage: Stage) -> None:
    await stage.indexer.rebuild(grace_seconds=0)
    await stage.index.begin("videos-20200101000000-left")
    assert len(await stage.indices()) == 2
    await stage.publish("Written to both")
    await stage.indexer.rebuild(grace_seconds=0)
    assert len(await stage.indices()) == 1
    assert await stage.titles("written") == ["Written to both"]


async def test_of_builds_at_once_one_goes_on_and_the_others_are_told(stage: Stage, db: Postgres) -> None:
    await stage.publish("Only once")
    async with postgres_lock(db)() as mine:
        assert mine
        with pytest.raises(AlreadyBuilding):
            await stage.indexer.rebuild(grace_seconds=0)
        assert await stage.indices() == set()
    results = await asyncio.gather(*(stage.indexer.rebuild(grace_seconds=0) for _ in range(3)), return_exceptions=True)
    assert {type(result) for result in results} <= {int, AlreadyBuilding}
    assert 1 in results
    assert len(await stage.indices()) == 1
    assert await stage.titles("once") == ["Only once"]


async def test_a_builder_who_lost_the_lock_harms_nothing(stage: Stage) -> None:
    await stage.publish("Still here")
    await stage.indexer.rebuild(grace_seconds=0)
    taken_over = stage.index.begin

    async def begin_twice(name: str) -> None:
        await taken_over(name)
        await taken_over("videos-20200101000000-other")

    stage.index.begin = begin_twice  # type: ignore[method-assign]  # another builder comes in between
    with pytest.raises(BuildLost):
        await stage.indexer.rebuild(grace_seconds=0)
    assert await stage.titles("still") == ["Still here"]


async def test_searches_and_writes_during_a_switch_miss_nothing(stage: Stage) -> None:
    """Two rebuilds; meanwhile videos come, change and go, and somebody searches all the time."""
    await stage.indexer.rebuild(grace_seconds=0)
    staying = {(await stage.publish(f"Staying {number}")).title for number in range(10)}
    leaving = [await stage.publish(f"Leaving {number}") for number in range(10)]
    await stage.index.refresh()
    done = asyncio.Event()
    counts: list[int] = []

    async def searching() -> None:
        while not done.is_set():
            found = await stage.videos.find(Asked(q="staying"), None, None, 50)
            counts.append(len({hit.video.title for hit in found.hits} & staying))

    async def writing() -> None:
        for number, video in enumerate(leaving):
            await stage.publish(f"Coming {number}")
            await stage.catalogue.delete(stage.mara, video.id)
            await stage.indexer.take(video.id)

    search = asyncio.create_task(searching())
    writes = asyncio.create_task(writing())
    for _ in range(2):
        await stage.indexer.rebuild(grace_seconds=0.2)
    await writes
    done.set()
    await search
    assert set(counts) == {10}
    assert sorted(await stage.titles("coming", limit=50)) == sorted(f"Coming {number}" for number in range(10))
    assert (await stage.find("leaving")).total == 0
    assert await stage.pending() == set()


async def test_the_bus_brings_changes_and_deletions(stage: Stage, redis: Redis) -> None:
    await stage.indexer.rebuild(grace_seconds=0)
    bus = RedisStreamsBus(redis, Metrics())
    following = await follow_videos(bus, stage.indexer)
    try:
        video = await stage.publish("Told by the bus")
        await stage.change(video, title="Told again")
        await bus.publish(event_of(await stage.catalogue.get(video.id)).to_message())
        await until_found(stage, "again", ["Told again"])
        await stage.catalogue.delete(stage.mara, video.id)
        await bus.publish(event_of(replace(video, status="deleting")).to_message())
        await until_found(stage, "again", [])
    finally:
        await following.close()
        await bus.close()


@asynccontextmanager
async def server(folder: Path, port: int) -> AsyncIterator[Running]:
    child = await start(search_part(folder, port)[0])
    try:
        await child.wait_ready()
        yield child
    finally:
        await child.stop()


@asynccontextmanager
async def stage_of_its_own(
    port: int, catalogue: Catalogue, mongo: Mongo, db: Postgres, clock: Clock
) -> AsyncIterator[Stage]:
    settings = SearchSettings(url=f"http://127.0.0.1:{port}", plain_mime=True, timeout_seconds=1.0)
    async with open_stage(settings, catalogue, mongo, db, clock) as stage:
        yield stage


async def test_what_changed_while_search_hung_is_there_once_it_answers(
    tmp_path: Path, catalogue: Catalogue, mongo: Mongo, db: Postgres, redis: Redis, clock: Clock
) -> None:
    port = free_port()
    async with server(tmp_path, port) as child, stage_of_its_own(port, catalogue, mongo, db, clock) as stage:
        await stage.indexer.tend()
        kept = await stage.publish("Kept video")
        bus = RedisStreamsBus(redis, Metrics())
        following = await follow_videos(bus, stage.indexer)
        child.send(signal.SIGSTOP)
        try:
            with pytest.raises(SearchUnavailable):
                await stage.videos.find(Asked(q="kept"), None)
            new = await stage.publish("New video")
            await stage.change(kept, title="Kept but renamed video")
            await bus.publish(event_of(await catalogue.get(kept.id)).to_message())

            async def noted() -> bool:
                return await stage.pending() == {new.id, kept.id}

            await eventually(noted)
            await stage.indexer.tend()  # away: no error, nothing lost
        finally:
            child.send(signal.SIGCONT)
        await stage.indexer.tend()
        assert await stage.pending() == set()
        assert sorted(await stage.titles("video")) == ["Kept but renamed video", "New video"]
        assert await bus.dead(GROUP) == []
        await following.close()
        await bus.close()


async def test_a_server_that_lost_everything_is_filled_again(
    tmp_path: Path, catalogue: Catalogue, mongo: Mongo, db: Postgres, clock: Clock
) -> None:
    port = free_port()
    async with server(tmp_path, port), stage_of_its_own(port, catalogue, mongo, db, clock) as stage:
        await stage.indexer.tend()
        await stage.publish("Before the loss")
    async with stage_of_its_own(port, catalogue, mongo, db, clock) as stage:
        during = await stage.publish("During the outage")
        assert await stage.pending() == {during.id}
        async with server(tmp_path, port):
            with pytest.raises(IndexMissing):
                await stage.index.targets()
            after = await stage.publish("Before the index is back")
            assert after.id in await stage.pending()
            await stage.indexer.tend()
            assert len(await stage.titles()) == 3
            assert await stage.pending() == set()
            await stage.indexer.tend()
            assert len(await stage.indices()) == 1


def test_an_answer_of_the_server_is_judged_by_what_it_means() -> None:
    error = {"error": {"type": "x"}}
    assert judged(NEXT, [{"status": 200}, {"status": 201}, {"status": 409, **error}])
    assert not judged(NEXT, [{"status": 404, "error": {"type": "index_not_found_exception"}}])
    with pytest.raises(SearchUnavailable):
        judged(NEXT, [{"status": 429, **error}])
    with pytest.raises(IndexRefused):
        judged(NEXT, [{"status": 400, "_id": "v", **error}])
