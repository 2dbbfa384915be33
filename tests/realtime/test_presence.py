"""Who counts as a viewer, and for how long."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from redis.exceptions import ResponseError

from infra.stores.redis import Functions, Redis
from realtime.client import open_client
from realtime.room.presence import DEFAULT_TIMING, SOURCE, Presence, Timing, presence_functions
from tests.realtime.nodes import TestNode, token_of, until

QUICK = Timing(tick_seconds=0.05, report_seconds=0.1, hold_seconds=0.6, linger_seconds=0.3, count_seconds=0.0)


async def test_tabs_and_nodes_do_not_make_more_viewers(nodes: list[TestNode], stream_id: str) -> None:
    ada = token_of("ada")
    async with (
        open_client([nodes[0].url], token=ada) as first,
        open_client([nodes[1].url], token=ada) as second,
        open_client([nodes[0].url], device="one-browser") as third,
        open_client([nodes[1].url], device="one-browser") as fourth,
        open_client([nodes[1].url]) as nobody,
    ):
        view = await first.join(stream_id)
        for client in (second, third, fourth, nobody):
            await client.join(stream_id)
        await first.until(lambda: view.viewers == 3)
        assert (await nobody.ask("room:join", {"stream_id": stream_id}))["peak"] == 3
        await second.leave(stream_id)
        await nobody.leave(stream_id)
        await first.until(lambda: view.viewers == 2)
        assert await nodes[1].realtime.viewers.counts([stream_id, "stream-empty"]) == {
            stream_id: 2,
            "stream-empty": 0,
        }
        assert await nodes[1].realtime.viewers.peaks([stream_id]) == {stream_id: 3}


async def test_a_dead_node_is_forgotten_with_its_viewers(redis: Redis) -> None:
    dead, alive = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    for number in range(700):  # more than one batch, and more than one call takes away
        dead.enter("room", f"user:{number}")
    alive.enter("room", "user:1")
    await dead.tick()
    await alive.tick()
    assert await alive.counts(["room"]) == {"room": 700}
    while (await alive.counts(["room"]))["room"] > 1:
        await asyncio.sleep(0.1)
        await alive.tick()
    assert await alive.counts(["room"]) == {"room": 1}


async def test_a_viewer_on_another_node_does_not_vanish_with_a_tab(redis: Redis) -> None:
    one, two = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    for presence in (one, two):
        presence.enter("room", "user:1")
        await presence.tick()
    one.leave("room", "user:1")
    await one.tick()
    seen = set()
    for _ in range(10):
        await asyncio.sleep(0.06)
        await two.tick()
        seen.add((await two.counts(["room"]))["room"])
    assert seen == {1}


async def test_many_lists_of_many_streams_cost_one_question_for_each_stream(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions, names = presence_functions(redis), [f"room-{number}" for number in range(300)]
    asked: list[str] = []
    call = functions.call

    async def counted(function: str, keys: Sequence[str], arguments: Any) -> Any:
        asked.append(function)
        return await call(function, keys, arguments)

    monkeypatch.setattr(functions, "call", counted)
    presence = Presence(functions, replace(DEFAULT_TIMING, count_seconds=60))
    lists = await asyncio.gather(*(presence.counts(names) for _ in range(20)))
    assert lists == [dict.fromkeys(names, 0)] * 20
    assert asked == ["presence_count"] * len(names)


class Refusing(Functions):
    """Refuses the first call as a full Redis does."""

    calls = 0

    async def call(self, *question: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")
        return await super().call(*question)


async def test_a_room_of_dead_nodes_is_empty_at_once_when_their_leases_end(redis: Redis) -> None:
    dead, asking = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    dead.enter("room", "user:1")
    await dead.tick()
    assert await asking.watching("room") == (1, 1)
    while (await asking.watching("room")).viewers:  # noqa: ASYNC110  # Redis tells nobody
        await asyncio.sleep(0.05)
    assert await asking.watching("room") == (0, 1)  # the peak stays


async def test_a_reload_is_no_change_and_a_tab_more_tells_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions, reports = presence_functions(redis), 0
    call = functions.call

    async def counted(function: str, keys: Sequence[str], arguments: Any) -> Any:
        nonlocal reports
        reports += 1
        return await call(function, keys, arguments)

    monkeypatch.setattr(functions, "call", counted)
    presence = Presence(functions, DEFAULT_TIMING)
    presence.enter("room", "user:1")
    await presence.tick()
    for _ in range(3):
        presence.leave("room", "user:1")
        presence.enter("room", "user:1")
        presence.enter("room", "user:1")
        presence.leave("room", "user:1")
        await presence.tick()
    assert reports == 1


async def test_a_node_that_was_thought_dead_comes_back_whole(redis: Redis) -> None:
    slow, other = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    for number in range(300):
        slow.enter("room", f"user:{number}")
    other.enter("room", "user:0")
    await slow.tick()
    while (await other.counts(["room"]))["room"] != 1:  # it hangs, and is forgotten
        await other.tick()
        await asyncio.sleep(0.05)
    await slow.tick()
    assert await other.counts(["room"]) == {"room": 300}


async def test_a_shard_that_lost_everything_is_told_again(redis: Redis) -> None:
    one, two = Presence(presence_functions(redis), QUICK), Presence(presence_functions(redis), QUICK)
    for number in range(300):
        one.enter("room", f"user:{number}")
        two.enter("room", f"user:{number + 100}")
    await asyncio.gather(one.tick(), two.tick())
    names = await redis.keys("room:{room}:*", target_nodes=Redis.PRIMARIES)
    await redis.delete(*names)
    for _ in range(2):
        await asyncio.sleep(QUICK.report_seconds)
        await asyncio.gather(one.tick(), two.tick())
    assert await one.counts(["room"]) == {"room": 400}


async def test_ten_thousand_viewers_are_counted_within_two_percent_while_a_fifth_crashes(
    redis: Redis,
) -> None:
    timing = Timing(tick_seconds=0.1, report_seconds=0.5, hold_seconds=1.5, linger_seconds=0.3, count_seconds=0.0)
    nodes = [Presence(presence_functions(redis), timing) for _ in range(4)]
    everybody = [f"user:{number}" if number % 3 else f"device:{number}" for number in range(10_000)]
    tabs = [(viewer, number % 4) for number, viewer in enumerate(everybody)]
    tabs += [(viewer, number % 4) for number, viewer in enumerate(everybody) if number % 10 == 0]  # two tabs
    tabs += [(viewer, (number + 1) % 4) for number, viewer in enumerate(everybody) if number % 7 == 0]  # two nodes
    for viewer, node in tabs:
        nodes[node].enter("room", viewer, viewer.encode() if viewer.startswith("user") else b"")
    await asyncio.gather(*(node.tick() for node in nodes))
    assert await nodes[0].counts(["room"]) == {"room": 10_000}

    # Every fifth is gone without a word; the heartbeats of their nodes have noticed.
    crashed = set(everybody[::5])
    for viewer, node in tabs:
        if viewer in crashed:
            nodes[node].leave("room", viewer)
    await asyncio.sleep(timing.linger_seconds)
    await asyncio.gather(*(node.tick() for node in nodes))
    assert abs((await nodes[0].counts(["room"]))["room"] - 8_000) <= 0.02 * 8_000
    assert await nodes[0].counts(["room"]) == {"room": 8_000}  # it is exact, even

    # A node dies with the rest: who is on another node too is still a viewer.
    alive = {viewer for viewer, node in tabs if node != 3 and viewer not in crashed}
    running = [asyncio.create_task(node.run()) for node in nodes[:3]]
    async with asyncio.timeout(20):
        while (await nodes[0].counts(["room"]))["room"] != len(alive):  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.05)
    assert await nodes[0].watching("room") == (len(alive), 10_000)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_reports_go_on_after_one_was_refused(redis: Redis) -> None:
    refusing = Refusing(redis, SOURCE.read_text())
    presence = Presence(refusing, QUICK)
    presence.enter("room", "user:1")
    running = asyncio.create_task(presence.run())
    await until(lambda: refusing.calls > 2)
    assert await presence.counts(["room"]) == {"room": 1}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_rooms_of_a_shard_that_hangs_delay_no_other_room() -> None:
    reported = asyncio.Event()

    class OneShardHangs:
        async def call(self, function: str, keys: Sequence[str], arguments: Sequence[object]) -> list[int]:
            if "hung" in keys[0]:
                await asyncio.Event().wait()
            reported.set()
            return [1, 1, 1, -1]

    presence = Presence(cast("Functions", OneShardHangs()), Timing(tick_seconds=0.01, report_seconds=0.02))
    for number in range(50):
        presence.enter(f"hung-{number}", "user:ada")
    presence.enter("well", "user:ada")
    running = asyncio.create_task(presence.run())
    try:
        for _ in range(3):
            await asyncio.wait_for(reported.wait(), 20)
            reported.clear()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
