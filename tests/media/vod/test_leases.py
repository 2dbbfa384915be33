"""The queue of work on a real database: whose turn it is, who holds what, what a late result is worth."""

import asyncio
from collections import Counter

import pytest

from infra.clock import new_id
from infra.stores.mongo import MongoUnavailable
from infra.stores.postgres import Postgres
from media.catalog.model import Failure
from media.vod.errors import LeaseLost
from media.vod.leases import Prepared
from media.vod.plan import Segment
from media.vod.tasks import Again
from tests.media.vod.work import NOON, Work, a_plan, a_probed, a_source

WORDS = Failure("transcode.failed", "It went wrong.", retryable=True, at=NOON)


@pytest.fixture
async def work(db: Postgres) -> Work:
    return Work(db)


async def everything(work: Work) -> list[tuple[str, int]]:
    """Claim all there is, in order."""
    claimed: list[tuple[str, int]] = []
    while (lease := await work.leases.claim()) is not None:
        claimed.append((lease.kind, lease.chunk))
    return claimed


async def failures_told(work: Work) -> list[tuple[str, Failure]]:
    told = []

    async def tell(video_id: str, _: str, failure: Failure) -> None:
        told.append((video_id, failure))

    await work.leases.tell_failures(tell)
    return told


async def test_a_video_requested_twice_is_made_once_and_the_bus_hears_of_it(work: Work) -> None:
    source = await work.requested()
    await work.requested(source)
    assert await everything(work) == [("prepare", 0)]
    assert await work.value("SELECT count(*) FROM outbox WHERE topic = 'transcode.requested'") == 1


async def test_the_work_of_a_video_is_what_its_plan_says_and_then_the_end(work: Work) -> None:
    source = await work.prepared(a_plan(2))
    leases = []
    while (lease := await work.leases.claim()) is not None:
        assert lease.plan == a_plan(2)
        assert lease.source.key == source.key
        leases.append(lease)
    assert [lease.kind for lease in leases] == ["low", "audio", "poster", "low", "high", "high", "pictures"]
    for lease in leases:
        assert await work.leases.claim() is None
        await work.leases.hand_in(lease)
    await work.leases.hand_in(await work.claimed())
    assert await work.value("SELECT state FROM transcodes") == "done"
    assert await work.value("SELECT count(*) FROM transcode_tasks") == 0


async def test_no_task_is_given_to_two(work: Work) -> None:
    await work.prepared(a_plan(8))
    claims = await asyncio.gather(*(work.leases.claim() for _ in range(40)))
    taken = Counter((lease.kind, lease.chunk) for lease in claims if lease)
    assert set(taken.values()) == {1}
    assert len(taken) == 19
    assert len({lease.claim for lease in claims if lease}) == 19


async def test_the_last_two_results_at_once_lead_to_one_end(work: Work) -> None:
    await work.prepared(a_plan(8))
    claims = [lease for lease in await asyncio.gather(*(work.leases.claim() for _ in range(19))) if lease]
    await asyncio.gather(*(work.leases.hand_in(lease) for lease in claims))
    assert await everything(work) == [("finish", 0)]


async def test_creators_take_turns(work: Work) -> None:
    many, few = new_id(), new_id()
    for _ in range(6):
        await work.requested(a_source(many))
    await work.requested(a_source(few))
    await work.requested(a_source(few))
    turns = [(await work.claimed()).creator_id for _ in range(5)]
    assert turns.count(few) == 2
    assert few in turns[:2]


async def test_a_new_video_goes_before_the_later_chunks_of_a_long_one(work: Work) -> None:
    creator = new_id()
    await work.prepared(a_plan(20), a_source(creator))
    for _ in range(4):
        await work.claimed()  # the first pictures of the long one, and one chunk more
    await work.requested(a_source(creator))
    assert (await work.claimed()).kind == "prepare"


async def test_quick_places_take_nothing_long(work: Work) -> None:
    await work.prepared(a_plan(3))
    kinds = []
    while (lease := await work.leases.claim(quick_only=True)) is not None:
        kinds.append((lease.kind, lease.chunk))
    assert kinds == [("low", 0), ("audio", 0), ("poster", 0)]


async def test_a_lease_that_is_renewed_is_not_swept(work: Work) -> None:
    await work.requested()
    lease = await work.claimed()
    await work.lose_all()
    await work.leases.renew(lease, 0.5)
    assert await work.leases.sweep_lost() == 0


async def test_a_late_result_of_a_lost_lease_is_refused(work: Work) -> None:
    await work.prepared(a_plan())
    stale = await work.claimed()
    await work.lose_all()
    assert await work.leases.sweep_lost() == 1
    await work.all_due()
    fresh = await work.claimed()
    assert (fresh.kind, fresh.attempt) == (stale.kind, 2)
    segment = Segment(rendition="240p", number=0, duration_seconds=2.0, size_bytes=10)
    with pytest.raises(LeaseLost):
        await work.leases.add_segments(stale, [segment])
    with pytest.raises(LeaseLost):
        await work.leases.renew(stale, 1.0)
    with pytest.raises(LeaseLost):
        await work.leases.set_pictures(stale, poster=True)
    with pytest.raises(LeaseLost):
        await work.leases.hand_in(stale)
    assert not await work.leases.give_up(stale, WORDS)
    await work.leases.give_back(stale, Again(0.0, counts=False))
    await work.leases.put_down(stale)
    await work.leases.add_segments(fresh, [segment])
    await work.leases.hand_in(fresh)


async def test_a_result_from_before_a_start_from_scratch_is_refused(work: Work) -> None:
    source = await work.requested()
    stale = await work.claimed()
    other = await work.leases.claim()
    assert other is None
    assert await work.leases.give_up(stale, WORDS)
    assert await work.again(source.video_id)
    fresh = await work.claimed()
    assert (fresh.attempt, fresh.kind) == (stale.attempt, stale.kind)
    assert fresh.build != stale.build
    with pytest.raises(LeaseLost):
        await work.leases.hand_in(stale, Prepared(a_probed(), a_plan(), b"\0" * 32))
    with pytest.raises(LeaseLost):
        async with work.leases.alone(stale):
            pass


async def test_a_worker_that_dies_each_time_fails_the_video_with_a_reason(work: Work) -> None:
    source = await work.prepared(a_plan())
    for attempt in (1, 2, 3):
        assert (await work.claimed()).attempt == attempt
        await work.lose_all()
        assert await work.leases.sweep_lost() == 1
        await work.all_due()
    assert await work.leases.claim() is None
    (told,) = await failures_told(work)
    assert told[0] == source.video_id
    assert "3 times" in told[1].message
    assert told[1].retryable
    assert await failures_told(work) == []
    assert await work.value("SELECT state FROM transcodes") == "failed"


async def test_a_failure_that_could_not_be_told_is_told_later(work: Work) -> None:
    await work.requested()
    await work.leases.give_up(await work.claimed(), WORDS)

    async def away(_: str, __: str, ___: Failure) -> None:
        raise MongoUnavailable

    with pytest.raises(MongoUnavailable):
        await work.leases.tell_failures(away)
    assert [failure for _, failure in await failures_told(work)] == [WORDS]


async def test_a_second_try_that_begins_first_is_not_told_to_be_a_failure(work: Work) -> None:
    source = await work.requested()
    await work.leases.give_up(await work.claimed(), WORDS)
    assert await work.again(source.video_id)
    assert await failures_told(work) == []
    assert not await work.again(source.video_id)


async def test_a_task_put_down_is_taken_at_once_and_counts_nothing(work: Work) -> None:
    await work.requested()
    await work.leases.put_down(await work.claimed())
    assert (await work.claimed()).attempt == 1


async def test_an_excuse_counts_no_attempt_but_is_counted(work: Work) -> None:
    await work.requested()
    await work.leases.give_back(await work.claimed(), Again(0.0, counts=False))
    lease = await work.claimed()
    assert (lease.attempt, lease.excuses) == (1, 1)


async def test_a_video_that_is_deleted_is_forgotten_and_its_files_are_left_to_be_removed(work: Work) -> None:
    source = await work.prepared(a_plan())
    lease = await work.claimed()
    await work.cancel(source.video_id)
    with pytest.raises(LeaseLost):
        await work.leases.renew(lease, 0.1)
    assert await work.leases.claim() is None
    assert await work.value("SELECT array_agg(prefix ORDER BY prefix) FROM transcode_leftovers") == [
        f"posters/{source.video_id}/{lease.poster}.jpg",
        f"vod/{source.video_id}/{lease.build}/",
    ]


async def test_segments_count_up_to_the_first_that_is_missing(work: Work) -> None:
    await work.prepared(a_plan(2))
    lease = await work.claimed()
    made = [Segment(rendition="240p", number=n, duration_seconds=2.0, size_bytes=10) for n in (0, 1, 3)]
    await work.leases.add_segments(lease, made)
    await work.leases.add_segments(lease, made[:1])
    async with work.leases.alone(lease) as alone:
        found = await alone.segments(["240p", "480p"])
    assert [segment.number for segment in found["240p"]] == [0, 1]
    assert found["480p"] == []


async def test_progress_is_told_by_one_and_not_too_often(work: Work) -> None:
    source = await work.requested()
    await work.claimed()
    told = await asyncio.gather(*(work.leases.progress(source.video_id, 60) for _ in range(4)))
    assert len([one for one in told if one is not None]) == 1
