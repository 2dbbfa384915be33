"""Rooms are looked after whatever happens to one of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from infra.errors import Unavailable
from realtime.room.rounds import Rounds
from tests.realtime.nodes import until


@asynccontextmanager
async def looking(look: Callable[[str], Awaitable[float | None]], *rooms: str) -> AsyncIterator[Rounds]:
    rounds = Rounds("test", look, tick_seconds=0.01, retry_seconds=0.01)
    running = asyncio.create_task(rounds.run(lambda: rooms))
    try:
        yield rounds
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_every_open_room_is_looked_at_and_again_when_it_asks_for_it() -> None:
    seen: list[str] = []

    async def look(stream_id: str) -> float | None:
        seen.append(stream_id)
        return 0.01 if seen.count(stream_id) < 3 else None

    async with looking(look, "one", "two"):
        await until(lambda: len(seen) == 6)
    assert sorted(seen) == ["one"] * 3 + ["two"] * 3


async def test_a_look_that_failed_is_repeated_and_one_that_hangs_delays_no_other() -> None:
    failed: list[str] = []
    hangs = asyncio.Event()

    async def look(stream_id: str) -> float | None:
        if stream_id == "hangs":
            hangs.set()
            await asyncio.Event().wait()
        failed.append(stream_id)
        if len(failed) < 3:
            raise Unavailable
        return None

    async with looking(look, "hangs", "fails"):
        await hangs.wait()
        await until(lambda: len(failed) == 3)


async def test_a_fault_of_ours_ends_nothing() -> None:
    seen: list[str] = []

    async def look(stream_id: str) -> float | None:
        seen.append(stream_id)
        raise ZeroDivisionError

    async with looking(look) as rounds:
        for times in (1, 2):
            rounds.soon("one", 0.0)
            await until(lambda times=times: len(seen) == times)  # type: ignore[misc]  # the loop's own number
