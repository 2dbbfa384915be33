"""A node dies, nodes are replaced: who comes back how fast, and is anything lost?"""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from loadtest.realtime.crowd import Told
from loadtest.realtime.measure import Row
from loadtest.realtime.scale import Setting
from loadtest.realtime.two_nodes import House, house

T = TypeVar("T")

RATE = 20
QUIET_SECONDS = 10.0
STORM_SECONDS = 22.0
BEFORE_SECONDS = 2.0
# The database also answers what always runs (outbox, sweeper, our own question); a query a client would be thousands.
STRAY_QUERIES = 20


async def killed_node(setting: Setting) -> list[Row]:
    """All but a tenth hang on one node, and it dies."""
    count = setting.scale.clients
    async with house(setting, 2) as at:
        await at.people.connect(count // 10, port=1)  # the talkers are the first of these
        await at.people.connect(count, port=0)
        usual, usual_seconds, _ = await _queries_of(setting, asyncio.sleep(QUIET_SECONDS))
        queries, seconds, told = await _queries_of(setting, _storm(at))
    background = usual / usual_seconds * seconds
    extra = queries - background
    back = told.worst("back_after")
    lost = told.wrong + told.sum("resets")
    figure = (
        f"{back.count} back, p50 {back.p50 / 1000:.1f}, p99 {back.p99 / 1000:.1f}, last {back.max / 1000:.1f} s; "
        f"{lost} wrong of {told.sum('acked')} messages ({told.sum('recovered'):,} recovered); "
        f"PostgreSQL {queries} queries, usual {background:.0f}"
    )
    met = back.count == count and back.max <= 15_000 and lost == 0 and extra <= STRAY_QUERIES
    method = f"kill -9, {RATE} messages a second from the other node; clients wait 0.5 to 1.5 s before they try"
    goal = "all back <= 15 s, 0 lost, doubled or reordered, 0 queries"
    return [Row(f"{count:,} clients reconnect after kill -9", goal, figure, met, method, [back.max / 1000])]


async def _storm(at: House) -> Told:
    await at.people.reset()
    talking = asyncio.create_task(at.people.talk(STORM_SECONDS, RATE))
    await asyncio.sleep(BEFORE_SECONDS)
    await at.nodes[0].kill()
    await talking
    return await at.people.settle(30.0)


async def _queries_of(setting: Setting, work: Awaitable[T]) -> tuple[int, float, T]:
    """Queries while `work` lasts, its seconds, and what it returned."""
    before, began = await setting.bench.queries(), time.monotonic()
    done = await work
    took = time.monotonic() - began
    return await setting.bench.queries() - before, took, done


async def rolling_restart(setting: Setting) -> list[Row]:
    """SIGTERM one, wait until its successor is ready, then the other."""
    count = setting.scale.clients
    async with house(setting, 2) as at:
        await at.people.connect(count)
        await at.people.reset()
        rolling = asyncio.create_task(_roll(at))
        while not rolling.done():
            await at.people.talk(setting.scale.seconds / 2, RATE)
        ends = await rolling
        told = await at.people.settle(30.0)
    back = told.worst("back_after")
    lost = told.wrong + told.sum("resets")
    figure = (
        f"{back.count:,} moves, p50 {back.p50:.0f}, p99 {back.p99:.0f} ms, last {back.max:.0f}; {lost} wrong of "
        f"{told.sum('acked')} messages ({told.sum('recovered'):,} recovered); nodes ended in "
        + " and ".join(f"{seconds:.1f} s" for seconds in ends)
    )
    met = back.p99 <= 5000 and lost == 0 and told.sum("standing") == count
    method = f"{count} clients, {RATE} messages a second all the while"
    return [Row("rolling restart of both nodes", "0 lost, reconnect p99 <= 5 s", figure, met, method, [back.p99])]


async def _roll(at: House) -> list[float]:
    ends = []
    for node in at.nodes:
        await asyncio.sleep(BEFORE_SECONDS)
        ends.append(await node.restart())
    await asyncio.sleep(BEFORE_SECONDS)
    return ends
