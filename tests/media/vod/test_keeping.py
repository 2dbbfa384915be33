"""A task in hand while the database comes and goes."""

import asyncio
from typing import Any, cast

import pytest

from infra.clock import system_clock
from infra.metrics import Metrics
from infra.stores.mongo import MongoUnavailable
from infra.stores.postgres import Postgres, PostgresUnavailable
from media.vod.figures import TaskFigures
from media.vod.hold import Hold
from media.vod.leases import Leases, Prepared
from media.vod.publish import Publisher
from media.vod.task_repository import Lease
from media.vod.transcoder import Pace, Tools, Transcoder
from tests.media.vod.work import Work, a_plan, a_probed


class Shaky(Leases):
    """Cannot be reached the first times a lease is to be renewed or a result handed in."""

    failures = 0

    async def renew(self, lease: Lease, progress: float) -> None:
        self._shake()
        await super().renew(lease, progress)

    async def hand_in(self, lease: Lease, prepared: Prepared | None = None) -> None:
        self._shake()
        await super().hand_in(lease, prepared)

    def _shake(self) -> None:
        if self.failures:
            self.failures -= 1
            raise PostgresUnavailable


class Steady:
    """Work of half a second."""

    def __init__(self) -> None:
        self.done = 0
        self.began = asyncio.Event()

    async def run(self, _: Hold) -> Prepared:
        self.began.set()
        await asyncio.sleep(0.5)
        self.done += 1
        return Prepared(a_probed(), a_plan(), b"\0" * 32)


class AwayFor:
    """A catalogue that cannot be reached for so long."""

    def __init__(self, seconds: float) -> None:
        self._until = asyncio.get_running_loop().time() + seconds

    async def processing(self, _: str) -> None:
        if asyncio.get_running_loop().time() < self._until:
            raise MongoUnavailable


class Publishing(Steady):
    """Work that tells the catalogue first."""

    def __init__(self, publisher: Publisher) -> None:
        super().__init__()
        self._publisher = publisher

    async def run(self, hold: Hold) -> Prepared:
        await self._publisher.heard_by(hold.alive).begin(hold.lease)
        return Prepared(a_probed(), a_plan(), b"\0" * 32)


class Silent:
    """Tells nobody, and always has room."""

    async def going_on(self, _: Lease) -> None: ...

    async def more_work(self, _: str) -> None: ...

    def check(self) -> None: ...


def transcoder_of(leases: Leases, steps: Steady, stall_seconds: float = 60.0) -> Transcoder:
    silent: Any = Silent()
    tools = Tools(leases, cast(Any, steps), silent, silent, silent, system_clock, TaskFigures(Metrics()))
    return Transcoder(tools, Pace(poll_seconds=0.1, stall_seconds=stall_seconds))


async def until_done(work: Work, query: str, transcoder: Transcoder) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(transcoder.run(stop))
    async with asyncio.timeout(20):
        while not await work.value(query):  # noqa: ASYNC110 - the database says so
            await asyncio.sleep(0.02)
    stop.set()
    await running


@pytest.fixture
async def work(db: Postgres) -> Work:
    return Work(db, lease_seconds=0.3)


async def test_a_database_that_is_away_for_a_moment_costs_no_work_and_no_attempt(work: Work) -> None:
    leases = Shaky(work.db, system_clock, lease_seconds=0.3, max_attempts=1)
    leases.failures = 4
    await work.requested()
    steps = Steady()
    await until_done(
        work, "SELECT state = 'done' FROM transcode_tasks WHERE kind = 'prepare'", transcoder_of(leases, steps)
    )
    assert leases.failures == 0
    assert await work.value("SELECT attempt FROM transcode_tasks WHERE kind = 'prepare'") == 1


async def test_waiting_for_a_store_is_not_taken_for_an_encoder_that_hangs(work: Work) -> None:
    leases = Leases(work.db, system_clock, lease_seconds=0.6, max_attempts=1)
    source = await work.requested()
    steps = Publishing(Publisher(cast(Any, None), cast(Any, AwayFor(3.0)), leases))
    transcoder = transcoder_of(leases, steps, stall_seconds=2.5)
    await until_done(
        work, "SELECT count(*) = 0 FROM transcode_tasks WHERE state <> 'done' AND kind = 'prepare'", transcoder
    )
    state = await work.value("SELECT state FROM transcodes WHERE video_id = $1", source.video_id)
    assert state == "running"


async def test_work_whose_lease_went_to_another_is_stopped_and_its_result_lost(work: Work) -> None:
    leases = Leases(work.db, system_clock, lease_seconds=0.3, max_attempts=9)
    source = await work.requested()
    steps = Steady()
    stop = asyncio.Event()
    running = asyncio.create_task(transcoder_of(leases, steps).run(stop))
    await steps.began.wait()
    await work.cancel(source.video_id)
    await asyncio.sleep(0.6)
    assert steps.done == 0
    stop.set()
    await running
