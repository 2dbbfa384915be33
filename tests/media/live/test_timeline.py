"""What happened to a stream stands on its chart once, whoever tells it and how often."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from infra.clock import new_id
from infra.settings import MongoSettings
from infra.stores.mongo import Mongo, open_mongo
from infra.stores.redis import RedisUnavailable
from media.errors import NotYourStream
from media.events import STREAM_EVENTS, StreamDescribed, StreamEnded, StreamWentLive
from media.live.charts import Charts
from media.live.sampler import Sampler
from media.live.samples import Mark, Reading
from media.live.state import shown
from media.live.timeline import MARKS, READINGS, Timeline, mark_of
from tests.media.live.world import NOON, World, a_stream, enrol, healthy, person

LATER = NOON + timedelta(days=1)


@pytest.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with open_mongo(replace(mongo_settings, database=f"timeline-{new_id()}")) as mongo:
        yield mongo


@pytest.fixture
def timeline(mongo: Mongo) -> Timeline:
    return Timeline(mongo)


class Rooms:
    """Viewers, chat and channel as the test says."""

    def __init__(self) -> None:
        self.viewers = 0
        self.offset = 0
        self.acted = 0
        self.followed = 0
        self.is_down = False
        self.asked: list[tuple[datetime, datetime]] = []
        self.moderators: set[str] = set()
        self.sent: list[Mark] = []

    async def counts(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(stream_ids, self.viewers)

    async def peaks(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(stream_ids, 0)

    async def entries(self, stream_ids: Sequence[str]) -> Mapping[str, int]:
        if self.is_down:
            raise RedisUnavailable
        return dict.fromkeys(stream_ids, self.offset)

    async def actions(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        self.asked.append((since, until))
        return dict.fromkeys(channel_ids, self.acted)

    async def followers(self, channel_ids: Sequence[str], since: datetime, until: datetime) -> Mapping[str, int]:
        return {}

    async def raids(self, stream_id: str, since: datetime, until: datetime) -> Sequence[Mark]:
        return self.sent

    async def may_see(self, channel_id: str, who: object) -> bool:
        return channel_id == getattr(who, "user_id", None)


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def sampler(world: World, rooms: Rooms, timeline: Timeline) -> Sampler:
    return Sampler(world.streams, rooms, rooms, timeline, world.time)


async def test_a_stream_on_air_is_sampled_with_all_that_is_known(
    world: World, rooms: Rooms, timeline: Timeline, sampler: Sampler
) -> None:
    stream_id = (await world.on_air()).stream.id
    await world.started()  # no encoder yet: nothing to show
    await world.streams.report(stream_id, healthy())
    rooms.viewers, rooms.offset, rooms.acted = 7, 40, 2
    assert await sampler.sample() == 1
    world.time.pass_(seconds=12)
    rooms.viewers, rooms.offset = 5, 43
    assert await sampler.sample() == 1
    assert rooms.asked[-1] == (NOON, NOON + timedelta(seconds=10)), "counts are those of a slot that is over"
    told = await timeline.between(stream_id, NOON, LATER, 100, rooms)
    first, second = told.samples
    assert (first.at, first.viewers, first.peak, first.messages, first.actions) == (NOON, 7, 7, None, 2)
    assert (first.bitrate_kbps, first.fps, first.status) == (2500.0, 30.0, "live")
    assert (second.at, second.viewers, second.messages) == (NOON + timedelta(seconds=10), 5, 3)
    assert told.step_seconds == 10


async def test_of_many_workers_one_samples_a_slot(world: World, rooms: Rooms, mongo: Mongo, timeline: Timeline) -> None:
    streams = [(await world.on_air()).stream.id for _ in range(3)]
    workers = [Sampler(world.another_process(), rooms, rooms, Timeline(mongo), world.time) for _ in range(6)]
    kept = await asyncio.gather(*(worker.sample() for worker in workers))
    assert sum(kept) == 3
    for stream_id in streams:
        assert len((await timeline.between(stream_id, NOON, LATER, 100, rooms)).samples) == 1


async def test_an_interrupted_stream_is_sampled_without_health_and_an_ended_one_not_at_all(
    world: World, rooms: Rooms, timeline: Timeline, sampler: Sampler
) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.on_air(creator)).stream.id
    await world.streams.report(stream_id, healthy())
    await world.streams.dropped(stream_id, "closed", 1)
    await sampler.sample()
    await world.streams.stop(stream_id, creator)
    world.time.pass_(seconds=10)
    assert await sampler.sample() == 0
    [only] = (await timeline.between(stream_id, NOON, LATER, 100, rooms)).samples
    assert (only.status, only.bitrate_kbps, only.fps) == ("interrupted", None, None)


async def test_what_cannot_be_asked_is_unknown_and_not_zero(
    world: World, rooms: Rooms, timeline: Timeline, sampler: Sampler
) -> None:
    stream_id = (await world.on_air()).stream.id
    rooms.is_down = True
    await sampler.sample()
    world.time.pass_(seconds=10)
    rooms.is_down, rooms.offset = False, 1000
    await sampler.sample()
    told = await timeline.between(stream_id, NOON, LATER, 100, rooms)
    assert [sample.messages for sample in told.samples] == [None, None]


async def test_a_window_knows_what_was_said_before_it(
    world: World, rooms: Rooms, timeline: Timeline, sampler: Sampler
) -> None:
    stream_id = (await world.on_air()).stream.id
    for said in (3, 4, 5):
        rooms.offset += said
        await sampler.sample()
        world.time.pass_(seconds=10)
    window = await timeline.between(stream_id, NOON + timedelta(seconds=10), NOON + timedelta(seconds=20), 100, rooms)
    assert [sample.messages for sample in window.samples] == [4]


async def test_a_long_life_is_told_in_few_points(timeline: Timeline, rooms: Rooms) -> None:
    life = [
        Reading(
            stream_id="long", at=NOON + timedelta(seconds=10 * slot), status="live", viewers=slot, peak=slot,
            entries=slot * 2, actions=0, followers=0, bitrate_kbps=2500.0, fps=30.0,
        )
        for slot in range(1000)
    ]  # fmt: skip
    assert await timeline.keep(life) == 1000
    assert await timeline.keep(life[:10]) == 0
    told = await timeline.between("long", NOON, LATER, 100, rooms)
    assert len(told.samples) <= 100
    assert (told.step_seconds, told.samples[-1].viewers) == (120, 999)
    assert sum(sample.messages or 0 for sample in told.samples) == 2 * 999


async def test_a_mark_that_is_told_twice_stands_once(timeline: Timeline, rooms: Rooms) -> None:
    went_live = Mark(NOON, "went_live", "Went live")
    for _ in range(2):
        await timeline.mark("one", "s", went_live)
    await timeline.mark("two", "other", went_live)
    rooms.sent = [Mark(NOON + timedelta(minutes=1), "raid", "Raid to Bea")]
    told = await timeline.between("s", NOON, LATER, 100, rooms)
    assert [(mark.kind, mark.text) for mark in told.marks] == [("went_live", "Went live"), ("raid", "Raid to Bea")]
    assert told.samples == []


async def test_readings_and_marks_are_forgotten_after_400_days(timeline: Timeline, mongo: Mongo) -> None:
    await timeline.mark("one", "s", Mark(NOON, "ended", "Ended"))
    await timeline.keep([Reading(
        stream_id="s", at=NOON, status="live", viewers=1, peak=1, entries=0, actions=0, followers=0,
        bitrate_kbps=None, fps=None,
    )])  # fmt: skip
    for name in (READINGS, MARKS):
        async with mongo.collection(name) as collection:
            indexes = await collection.index_information()
        assert [index["expireAfterSeconds"] for index in indexes.values() if "expireAfterSeconds" in index] == [
            34_560_000
        ]


def test_every_event_of_a_stream_is_a_mark_in_words_except_what_comes_before_it() -> None:
    known = shown(a_stream(title="Noon", status="live"))
    described = {"previous_title": "Morning", "previous_category": None}
    texts = {}
    for kind in STREAM_EVENTS:
        more = described if kind is StreamDescribed else {"reason": "encoder_gone"} if kind is StreamEnded else {}
        mark = mark_of(kind(at=NOON, **known, **more))
        texts[kind.topic] = mark and (mark.kind, mark.text)
    assert texts == {
        "stream.created": None,
        "stream.went_live": ("went_live", "Went live"),
        "stream.interrupted": ("interrupted", "The encoder's connection dropped"),
        "stream.resumed": ("resumed", "The encoder came back"),
        "stream.described": ("described", "New title: Noon"),
        "stream.ended": ("ended", "Ended: the encoder did not come back"),
    }
    assert mark_of(StreamEnded(at=NOON, reason="never_started", **known)) is None
    assert mark_of(StreamWentLive(at=NOON, **known)) == Mark(NOON, "went_live", "Went live")


async def test_who_may_not_see_the_channel_sees_no_chart(world: World, rooms: Rooms, timeline: Timeline) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.on_air(creator)).stream.id
    charts = Charts(world.streams, timeline, rooms, world.time)
    assert (await charts.of(stream_id, creator, since=None, until=None, points=2)).samples == []
    with pytest.raises(NotYourStream):
        await charts.of(stream_id, person(), since=None, until=None, points=2)
