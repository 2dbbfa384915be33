"""What creators, the ingest and the stores make of a stream together, on real servers."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from infra.clock import new_id
from infra.errors import FootlightError
from infra.stores.redis import RedisUnavailable
from media.errors import (
    CreatorsOnly,
    KeyRefused,
    NothingToPlayYet,
    NotYourStream,
    StreamAlreadyOpen,
    StreamIsOver,
    StreamNotFound,
    TextRefused,
)
from media.live.keys import new_key
from tests.media.live.world import SETTINGS, World, enrol, healthy, person

NOBODYS = "01a20632-bd85-7be7-8aef-e9720e501eb9"
NOBODYS_KEY = "live_vgF69Zhs198CCUU7vzEM6t2fmCi00Mpr"


async def test_a_whole_life_is_told_in_order(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.started(creator)).stream.id
    assert await world.streams.connected(stream_id) == 1
    world.time.pass_(seconds=5)
    await world.streams.dropped(stream_id, "closed", 1)
    assert await world.streams.connected(stream_id) == 2
    stopped = await world.streams.stop(stream_id, creator)
    assert (stopped.status, stopped.end_reason, stopped.connections) == ("ended", "stopped_by_creator", 2)
    assert await world.streams.get(stream_id) == stopped
    assert await world.told() == [
        "stream.created", "stream.went_live", "stream.interrupted", "stream.resumed", "stream.ended",
    ]  # fmt: skip
    assert world.outbox.waiting.is_set()


async def test_of_twenty_starts_at_once_one_wins_and_the_others_name_it(world: World) -> None:
    creator = await enrol(world.db)
    processes = [world.another_process() for _ in range(20)]
    answers = await asyncio.gather(
        *(process.start(creator, "Race", None, "low") for process in processes), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, StreamAlreadyOpen)]
    [winner] = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(refused) == 19
    assert {answer.details["stream_id"] for answer in refused} == {winner.stream.id}
    assert await world.told() == ["stream.created"]


async def test_a_creator_may_start_again_after_the_end(world: World) -> None:
    creator = await enrol(world.db)
    first = await world.started(creator)
    await world.streams.stop(first.stream.id, creator)
    second = await world.started(creator)
    assert second.stream.id != first.stream.id
    assert second.stream.playback_id != first.stream.playback_id
    assert second.ingest.key != first.ingest.key


async def test_only_creators_start_streams(world: World) -> None:
    for role in ("free", "premium"):
        with pytest.raises(CreatorsOnly):
            await world.streams.start(person(role), "Hello", None, "low")
    with pytest.raises(CreatorsOnly):
        await world.streams.mine(person("free"))
    assert (await world.started(await enrol(world.db, "admin"))).stream.status == "created"


async def test_a_refused_title_starts_nothing(world: World) -> None:
    with pytest.raises(TextRefused):
        await world.started(title="bell \a")
    assert await world.told() == []


async def test_the_key_is_stored_as_a_hash_only(world: World) -> None:
    started = await world.started()
    async with world.db.connection() as connection:
        row = str([dict(r) for r in await connection.fetch("SELECT * FROM streams")])
        events = str([bytes(r["body"]) for r in await connection.fetch("SELECT body FROM outbox")])
    assert started.ingest.key not in row + events
    assert started.ingest.url == SETTINGS.rtmp_public_url


async def test_twenty_stops_at_once_end_the_stream_once(world: World) -> None:
    creator = await enrol(world.db)
    started = await world.on_air(creator)
    answers = await asyncio.gather(*(world.another_process().stop(started.stream.id, creator) for _ in range(20)))
    assert len(set(answers)) == 1
    assert Counter(await world.told())["stream.ended"] == 1


async def test_connecting_dropping_and_stopping_at_once_leaves_one_story(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.started(creator)).stream.id
    moves = [
        move
        for number in range(1, 9)
        for move in (world.streams.connected(stream_id), world.streams.dropped(stream_id, "x", number))
    ]
    answers = await asyncio.gather(*moves, world.streams.stop(stream_id, creator), return_exceptions=True)
    assert all(not isinstance(a, BaseException) or isinstance(a, StreamIsOver) for a in answers)
    told = await world.told()
    assert told[0] == "stream.created"
    assert told[-1] == "stream.ended"
    follows = {
        "stream.created": {"stream.went_live", "stream.ended"},
        "stream.went_live": {"stream.interrupted", "stream.ended"},
        "stream.interrupted": {"stream.resumed", "stream.ended"},
        "stream.resumed": {"stream.interrupted", "stream.ended"},
    }
    assert all(later in follows[earlier] for earlier, later in pairwise(told))


async def test_a_stranger_may_not_touch_a_stream_but_an_admin_may_stop_it(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    stranger, admin = person(), person("admin")
    for attempt in (world.streams.stop(stream_id, stranger), world.streams.reset_key(stream_id, stranger)):
        with pytest.raises(NotYourStream):
            await attempt
    with pytest.raises(NotYourStream):
        await world.streams.reset_key(stream_id, admin)
    assert (await world.streams.stop(stream_id, admin)).end_reason == "stopped_by_admin"


@pytest.mark.parametrize("stream_id", [NOBODYS, "1", "", "{" + NOBODYS + "}", "\x00", "x" * 10_000])
async def test_what_is_no_stream_is_not_found(world: World, stream_id: str) -> None:
    who = person("admin")
    for attempt in (
        world.streams.get(stream_id),
        world.streams.stop(stream_id, who),
        world.streams.reset_key(stream_id, who),
        world.streams.describe(stream_id, who, title="Hello"),
    ):
        with pytest.raises(StreamNotFound):
            await attempt


# --- title and category


async def test_title_and_category_change_while_live_and_rooms_are_told(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.on_air(creator)).stream.id
    world.time.pass_(seconds=5)
    described = await world.streams.describe(stream_id, creator, title="  An evening by the sea ", category="Nature")
    assert (described.title, described.category, described.status) == ("An evening by the sea", "Nature", "live")
    assert described.changed_at == world.time()
    assert await world.streams.get(stream_id) == described
    assert await world.told() == ["stream.created", "stream.went_live", "stream.described"]
    event = await world.last_described()
    assert (event.title, event.category, event.at) == ("An evening by the sea", "Nature", world.time())
    assert (event.previous_title, event.previous_category, event.status) == ("A morning by the sea", None, "live")


async def test_what_is_left_out_of_a_description_stays(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.started(creator)).stream.id
    assert (await world.streams.describe(stream_id, creator, category="Nature")).title == "A morning by the sea"
    assert (await world.streams.describe(stream_id, creator, title="Noon")).category == "Nature"
    told = await world.told()
    assert (await world.streams.describe(stream_id, creator, title="Noon ", category="Nature")).title == "Noon"
    assert await world.told() == told, "nothing changed, so nobody is told"
    assert (await world.streams.describe(stream_id, creator, category=None)).category is None


async def test_an_admin_may_describe_a_stream_and_a_stranger_may_not(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    with pytest.raises(NotYourStream):
        await world.streams.describe(stream_id, person(), title="Mine now")
    assert (await world.streams.describe(stream_id, person("admin"), title="Seemly")).title == "Seemly"


async def test_a_refused_or_late_description_changes_nothing(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.on_air(creator)).stream.id
    with pytest.raises(TextRefused):
        await world.streams.describe(stream_id, creator, title="bell \a")
    await world.streams.stop(stream_id, creator)
    with pytest.raises(StreamIsOver):
        await world.streams.describe(stream_id, creator, title="Too late")
    assert (await world.streams.get(stream_id)).title == "A morning by the sea"
    assert (await world.told())[-1] == "stream.ended"


async def test_descriptions_and_interruptions_at_once_lose_nothing(world: World) -> None:
    creator = await enrol(world.db)
    stream_id = (await world.on_air(creator)).stream.id
    titles = [f"Title {number}" for number in range(8)]
    await asyncio.gather(
        *(world.another_process().describe(stream_id, creator, title=title) for title in titles),
        world.another_process().dropped(stream_id, "closed", 1),
        world.another_process().describe(stream_id, creator, category="Nature"),
    )
    stream = await world.streams.get(stream_id)
    assert (stream.status, stream.category, stream.title in titles) == ("interrupted", "Nature", True)
    assert Counter(await world.told())["stream.described"] == 9


# --- the key at the door


async def test_a_key_admits_to_its_stream_and_changes_nothing(world: World) -> None:
    started = await world.started()
    admission = await world.streams.admit(started.ingest.key)
    assert (admission.stream_id, admission.playback_id) == (started.stream.id, started.stream.playback_id)
    assert (admission.latency, admission.connection) == ("low", 1)
    assert await world.streams.get(started.stream.id) == started.stream
    assert await world.streams.connected(started.stream.id) == admission.connection


@pytest.mark.parametrize("key", [NOBODYS_KEY, "", "live_", "nonsense", "live_" + "'" * 32, "\x00" * 37])
async def test_a_key_that_is_not_ours_is_refused(world: World, key: str) -> None:
    with pytest.raises(KeyRefused):
        await world.streams.admit(key)


async def test_the_key_of_an_ended_stream_is_refused_by_name(world: World) -> None:
    creator = await enrol(world.db)
    started = await world.on_air(creator)
    await world.streams.stop(started.stream.id, creator)
    for attempt in (world.streams.admit(started.ingest.key), world.streams.connected(started.stream.id)):
        with pytest.raises(StreamIsOver):
            await attempt
    with pytest.raises(StreamIsOver):
        await world.streams.reset_key(started.stream.id, creator)
    await world.streams.dropped(started.stream.id, "late news", 1)
    assert (await world.told())[-1] == "stream.ended"


async def test_a_new_key_kills_the_old_one(world: World) -> None:
    creator = await enrol(world.db)
    started = await world.on_air(creator)
    fresh = await world.streams.reset_key(started.stream.id, creator)
    with pytest.raises(KeyRefused):
        await world.streams.admit(started.ingest.key)
    assert (await world.streams.admit(fresh.key)).connection == 2
    assert (await world.told())[-1] == "stream.key_reset"


async def test_publishers_of_ended_streams_and_old_keys_are_unwanted(world: World) -> None:
    creators = [await enrol(world.db) for _ in range(3)]
    kept, reset, ended = [await world.on_air(creator) for creator in creators]
    publishers = {started.stream.id: started.ingest.key for started in (kept, reset, ended)} | {new_id(): new_key()}
    await world.streams.reset_key(reset.stream.id, creators[1])
    await world.streams.stop(ended.stream.id, creators[2])
    assert await world.streams.unwanted(publishers) == set(publishers) - {kept.stream.id}
    assert await world.streams.unwanted({}) == set()


# --- playing and health


async def test_late_news_of_an_encoder_that_was_replaced_changes_nothing(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    assert await world.streams.connected(stream_id) == 2
    await world.streams.dropped(stream_id, "connection_lost", 1)
    assert (await world.streams.get(stream_id)).status == "live"
    await world.streams.dropped(stream_id, "connection_lost", 2)
    assert (await world.streams.get(stream_id)).status == "interrupted"


async def manifest_url(world: World, stream_id: str) -> str:
    return await world.streams.manifest_url(await world.streams.get(stream_id))


async def test_there_is_something_to_play_once_the_packager_says_so(world: World) -> None:
    creator = await enrol(world.db)
    started = await world.started(creator)
    stream_id = started.stream.id
    with pytest.raises(NothingToPlayYet):
        await manifest_url(world, stream_id)
    await world.streams.connected(stream_id)
    await world.streams.report(stream_id, healthy(playable=False))
    with pytest.raises(NothingToPlayYet):
        await manifest_url(world, stream_id)
    await world.streams.report(stream_id, healthy())
    url = await manifest_url(world, stream_id)
    assert url == f"https://edge.example/live/{started.stream.playback_id}/index.m3u8"
    await world.streams.dropped(stream_id, "closed", 1)
    assert await manifest_url(world, stream_id) == url, "the last pictures stay up while the encoder may return"
    await world.streams.stop(stream_id, creator)
    with pytest.raises(StreamIsOver):
        await manifest_url(world, stream_id)


async def test_the_creator_sees_how_the_encoder_does_until_it_drops(world: World) -> None:
    creator = await enrol(world.db)
    assert await world.streams.mine(creator) == (None, None)
    stream_id = (await world.on_air(creator)).stream.id
    await world.streams.report(stream_id, healthy())
    stream, health = await world.streams.mine(creator)
    assert stream
    assert (stream.id, health) == (stream_id, healthy())
    await world.streams.dropped(stream_id, "closed", 1)
    stream, health = await world.streams.mine(creator)
    assert stream
    assert (stream.status, health) == ("interrupted", None)


async def test_only_streams_on_air_are_listed(world: World) -> None:
    await world.started()
    live, interrupted = await world.on_air(), await world.on_air()
    await world.streams.dropped(interrupted.stream.id, "closed", 1)
    ended = await world.on_air(creator := await enrol(world.db))
    await world.streams.stop(ended.stream.id, creator)
    assert {stream.id for stream in await world.streams.list_live()} == {live.stream.id, interrupted.stream.id}


async def test_a_stream_can_be_stopped_while_redis_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth is in PostgreSQL; what Redis keeps about a stream expires by itself."""
    creator = await enrol(world.db)
    started = await world.on_air(creator)

    async def away(*_: str) -> None:
        raise RedisUnavailable

    monkeypatch.setattr(world.health, "forget", away)
    assert (await world.streams.stop(started.stream.id, creator)).status == "ended"


def test_every_refusal_is_one_of_ours() -> None:
    refusals = (CreatorsOnly, KeyRefused, NothingToPlayYet, NotYourStream, StreamAlreadyOpen, StreamIsOver)
    assert all(issubclass(refusal, FootlightError) and refusal.code.startswith("stream.") for refusal in refusals)
