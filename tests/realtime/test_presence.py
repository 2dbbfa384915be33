"""Who counts as a viewer, and for how long."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ResponseError

from infra.stores.redis import Functions, Redis
from realtime.client import open_client
from realtime.room.log_redis import SOURCE, room_functions
from realtime.room.presence import DEFAULT_TIMING, Presence, Timing
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
        await second.leave(stream_id)
        await nobody.leave(stream_id)
        await first.until(lambda: view.viewers == 2)
        assert await nodes[1].realtime.viewers.counts([stream_id, "stream-empty"]) == {
            stream_id: 2,
            "stream-empty": 0,
        }


async def test_a_dead_node_is_forgotten_with_its_viewers(redis: Redis) -> None:
    dead, alive = Presence(room_functions(redis), QUICK), Presence(room_functions(redis), QUICK)
    for number in range(700):  # more than one batch
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
    one, two = Presence(room_functions(redis), QUICK), Presence(room_functions(redis), QUICK)
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
    functions, names = room_functions(redis), [f"room-{number}" for number in range(300)]
    asked: list[str] = []
    call = functions.call

    async def counted(function: str, keys: Sequence[str], arguments: Any) -> Any:
        asked.append(function)
        return await call(function, keys, arguments)

    monkeypatch.setattr(functions, "call", counted)
    presence = Presence(functions, replace(DEFAULT_TIMING, count_seconds=60))
    lists = await asyncio.gather(*(presence.counts(names) for _ in range(20)))
    assert lists == [dict.fromkeys(names, 0)] * 20
    assert asked == ["room_count"] * len(names)


class Refusing(Functions):
    """Refuses the first call as a full Redis does."""

    calls = 0

    async def call(self, *question: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")
        return await super().call(*question)


async def test_reports_go_on_after_one_was_refused(redis: Redis) -> None:
    refusing = Refusing(redis, SOURCE.read_text())
    presence = Presence(refusing, QUICK)
    presence.enter("room", "user:1")
    running = asyncio.create_task(presence.run())
    await until(lambda: refusing.calls > 2)
    assert await presence.counts(["room"]) == {"room": 1}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
