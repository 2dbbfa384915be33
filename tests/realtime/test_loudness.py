"""Big rooms slow themselves down while they are too loud."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bus.port import Bus
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from realtime.client import Refused, RoomClient, View
from realtime.room import loudness, rooms
from realtime.room.loudness import CALM_WATCHES, SLOW_SECONDS, WATCH_SECONDS, Loudness
from tests.realtime.moderated import Channel, moderated

LOUD = int(10 * WATCH_SECONDS) + 1  # said during one watch: more than 10 a second


def test_slow_mode_begins_above_the_rate_and_in_big_rooms_only() -> None:
    assert Loudness(10, 500).wanted(LOUD, 500, 0) == SLOW_SECONDS
    assert Loudness(10, 500).wanted(LOUD, 499, 0) is None
    assert Loudness(10, 500).wanted(LOUD - 1, 500, 0) is None
    assert Loudness(10, 500, said=LOUD).wanted(LOUD + 1, 500, 0) is None


def test_it_ends_after_a_while_of_calm() -> None:
    room = Loudness(10, 500)
    assert room.wanted(LOUD, 500, 0) == SLOW_SECONDS
    calm = [room.wanted(LOUD, 500, SLOW_SECONDS) for _ in range(CALM_WATCHES)]
    assert calm == [None] * (CALM_WATCHES - 1) + [0]


def test_one_loud_moment_begins_the_calm_anew() -> None:
    room = Loudness(10, 500)
    for _ in range(CALM_WATCHES - 1):
        assert room.wanted(0, 500, SLOW_SECONDS) is None
    assert room.wanted(LOUD, 500, SLOW_SECONDS) is None
    assert room.wanted(LOUD, 500, SLOW_SECONDS) is None


def test_turned_off_it_ends_what_was_begun() -> None:
    assert Loudness(0, 1).wanted(1_000_000, 1_000_000, 0) is None
    assert Loudness(0, 1).wanted(1_000_000, 1_000_000, SLOW_SECONDS) == 0


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 1000)), max_size=40))
def test_it_never_asks_for_what_is_so_already(watches: list[tuple[int, int]]) -> None:
    room, said, seconds = Loudness(10, 500), 0, 0
    for more, viewers in watches:
        said += more
        wanted = room.wanted(said, viewers, seconds)
        assert wanted != seconds
        assert wanted in (None, 0, SLOW_SECONDS)
        seconds = seconds if wanted is None else wanted


async def test_a_loud_room_is_slowed_down_announced_on_both_nodes_and_let_go_again(
    db: Postgres, redis: Redis, redis_settings: RedisSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (loudness, rooms):
        monkeypatch.setattr(module, "WATCH_SECONDS", 0.2)
    limits = RealtimeSettings(auto_slow_per_second=4, auto_slow_viewers=1)
    async with (
        moderated(db, redis, redis_settings, bus, limits=limits) as channel,
        channel.client(await channel.stage.person("Ada"), 0) as ada,
        channel.client(None, 1) as guest,
    ):
        hers, theirs = (one.views[channel.stream_id] for one in (ada, guest))
        await ada.until(lambda: hers.viewers)
        refused = await _speak_until_refused(channel, ada)
        assert refused.code == "chat.slow_mode"
        assert refused.details["retry_after_ms"] <= SLOW_SECONDS * 1000
        for client, view in ((ada, hers), (guest, theirs)):
            await client.until(lambda view=view: len(_announced(view)) >= 2)  # type: ignore[misc]  # bound on purpose
            assert [one["auto_slow_seconds"] for one in _announced(view)[:2]] == [SLOW_SECONDS, 0]
            assert {one["slow_seconds"] for one in _announced(view)} == {0}


def _announced(view: View) -> list[dict[str, Any]]:
    return [entry["settings"] for entry in view.entries if entry["kind"] == "settings"]


async def _speak_until_refused(channel: Channel, client: RoomClient) -> Refused:
    for number in range(20):
        try:
            await channel.say(client, f"line {number}")
        except Refused as refused:
            return refused
    raise AssertionError("nobody slowed the room down")
