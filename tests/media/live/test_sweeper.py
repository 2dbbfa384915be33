"""What nobody ends is ended; what lives is left alone."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from asyncpg import ReadOnlySQLTransactionError
from msgspec.structs import replace

from infra.stores.redis import Redis
from media.live.health import health_key
from media.live.state import Stream
from media.live.sweeper import SILENT_AFTER, judge
from tests.media.live.world import NOON, World, a_stream, healthy

MINUTE = timedelta(minutes=1)


def test_a_live_stream_is_silent_only_after_it_was_watched_for_a_while() -> None:
    stream = a_stream(status="live", started_at=NOON, connections=1)
    first = judge([stream], set(), {}, NOON, MINUTE)
    assert (first.silent, first.silent_since) == ([], {(stream.id, 1): NOON})
    later = judge([stream], set(), first.silent_since, NOON + SILENT_AFTER, MINUTE)
    assert later.silent == [(stream.id, 1)]


def test_a_report_or_a_new_encoder_ends_the_silence() -> None:
    stream = a_stream(status="live", started_at=NOON, connections=1)
    watched = {(stream.id, 1): NOON}
    assert judge([stream], {stream.id}, watched, NOON + MINUTE, MINUTE).silent_since == {}
    returned = a_stream(id=stream.id, status="live", started_at=NOON, connections=2)
    assert judge([returned], set(), watched, NOON + MINUTE, MINUTE).silent == []


def test_nobody_is_called_silent_while_reports_cannot_be_read() -> None:
    stream = a_stream(status="live", started_at=NOON, connections=1)
    verdict = judge([stream], None, {(stream.id, 1): NOON}, NOON + MINUTE, MINUTE)
    assert (verdict.silent, verdict.silent_since) == ([], {})


async def test_an_encoder_that_never_returns_ends_its_stream(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    await world.streams.dropped(stream_id, "closed", 1)
    world.time.pass_(seconds=59)
    await world.sweeper().sweep()
    assert (await world.streams.get(stream_id)).status == "interrupted"
    world.time.pass_(seconds=1)
    await world.sweeper().sweep()
    stream = await world.streams.get(stream_id)
    assert (stream.status, stream.end_reason) == ("ended", "encoder_gone")


async def test_an_encoder_that_never_came_ends_its_stream(world: World) -> None:
    stream_id = (await world.started()).stream.id
    world.time.pass_(hours=12)
    await world.sweeper().sweep()
    assert (await world.streams.get(stream_id)).end_reason == "never_started"


async def test_the_streams_of_a_killed_live_process_are_interrupted_then_ended(world: World, redis: Redis) -> None:
    dead, living = (await world.on_air()).stream.id, (await world.on_air()).stream.id
    for stream_id in (dead, living):
        await world.streams.report(stream_id, healthy())
    await redis.delete(health_key(dead))  # as it expires when its process reports no more
    sweeper = world.sweeper()
    await sweeper.sweep()
    world.time.pass_(seconds=SILENT_AFTER.total_seconds())
    await sweeper.sweep()
    assert (await world.streams.get(dead)).status == "interrupted"
    world.time.pass_(seconds=60)
    await sweeper.sweep()
    assert (await world.streams.get(dead)).end_reason == "encoder_gone"
    assert (await world.streams.get(living)).status == "live"


async def test_an_encoder_that_connects_while_the_sweeper_judges_stays_live(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    await world.streams.connected(stream_id)
    await world.streams.drop_if_still(stream_id, connection=1)
    assert (await world.streams.get(stream_id)).status == "live"


async def test_an_encoder_that_goes_on_reporting_pictures_heals_its_stream(world: World) -> None:
    started = await world.on_air()
    stream_id = started.stream.id
    await world.streams.drop_if_still(stream_id, connection=1)  # as when its reports were lost for a while
    world.time.pass_(seconds=61)
    await world.streams.report(stream_id, healthy())
    await world.sweeper().sweep()
    assert (await world.streams.get(stream_id)).status == "live"
    assert (await world.told())[-2:] == ["stream.interrupted", "stream.resumed"]


async def test_what_was_reported_before_the_interruption_or_has_no_picture_heals_nothing(world: World) -> None:
    just_now, blind = (await world.on_air()).stream.id, (await world.on_air()).stream.id
    for stream_id in (just_now, blind):
        await world.streams.drop_if_still(stream_id, connection=1)
    await world.streams.report(blind, replace(healthy(), video_codec="hevc"))
    world.time.pass_(seconds=11)
    await world.streams.report(just_now, healthy())
    await world.sweeper().sweep()
    assert (await world.streams.get(just_now)).status == "interrupted"
    world.time.pass_(seconds=50)
    await world.sweeper().sweep()
    assert (await world.streams.get(blind)).end_reason == "encoder_gone"


async def test_several_sweepers_at_once_end_a_stream_once(world: World) -> None:
    stream_id = (await world.on_air()).stream.id
    await world.streams.dropped(stream_id, "closed", 1)
    world.time.pass_(minutes=2)
    await asyncio.gather(*(world.sweeper().sweep() for _ in range(5)))
    assert Counter(await world.told())["stream.ended"] == 1


async def test_one_bad_round_is_not_the_last(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when PostgreSQL fails over under a statement: an error that no store translates."""
    stream_id = (await world.started()).stream.id
    world.time.pass_(hours=12)
    all_open, rounds = world.streams.all_open, 0

    async def first_fails() -> list[Stream]:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ReadOnlySQLTransactionError("cannot execute SELECT FOR UPDATE in a read-only transaction")
        return await all_open()

    monkeypatch.setattr(world.streams, "all_open", first_fails)
    monkeypatch.setattr("media.live.sweeper.SWEEP_SECONDS", 0.01)
    sweeping = asyncio.create_task(world.sweeper().run())
    try:
        while not sweeping.done() and not (await world.streams.get(stream_id)).is_over:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.01)
        assert not sweeping.done()
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    assert "ReadOnlySQLTransactionError" in "".join(capsys.readouterr())


async def test_reports_are_forgotten_when_none_come(world: World, redis: Redis) -> None:
    stream_id = (await world.on_air()).stream.id
    await world.streams.report(stream_id, healthy())
    assert 0 < await redis.ttl(health_key(stream_id)) <= 10
    assert await world.health.heard_from([stream_id, "other"]) == {stream_id}
