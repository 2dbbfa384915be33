"""The API under 200 clients at once: how long do the main endpoints take?"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from random import Random

import aiohttp

from loadtest.people import Person, become_creator, checked, sign_up, start_stream, stop_stream
from loadtest.stack import Stack, cpu_seconds
from loadtest.tables import percentile, table

CLIENTS = 200
SIGN_UPS_AT_ONCE = 4
# A user may make 100 requests a minute: each client asks every 0.7 s, as fast as the limit lets anybody go on for long.
PACE_SECONDS = 0.7
BURST_REQUESTS = 60  # at once: as fast as answers come, until the limit is near
GOAL_MS = 100

Times = dict[str, list[float]]
Call = Callable[[aiohttp.ClientSession, Person, str], Awaitable[None]]


async def me(web: aiohttp.ClientSession, who: Person, _: str) -> None:
    async with web.get("/api/v1/auth/me", headers=who.headers) as answer:
        await checked(answer)


async def live_now(web: aiohttp.ClientSession, who: Person, _: str) -> None:
    async with web.get("/api/v1/streams", headers=who.headers) as answer:
        await checked(answer)


async def one_stream(web: aiohttp.ClientSession, who: Person, stream_id: str) -> None:
    async with web.get(f"/api/v1/streams/{stream_id}", headers=who.headers) as answer:
        await checked(answer)


async def rename(web: aiohttp.ClientSession, who: Person, _: str) -> None:
    async with web.patch(
        "/api/v1/auth/me", json={"display_name": f"Person {who.address}"}, headers=who.headers
    ) as answer:
        await checked(answer)


# How often each is asked, in tenths.
MIX: tuple[tuple[str, int, Call], ...] = (
    ("GET /auth/me", 3, me),
    ("GET /streams", 3, live_now),
    ("GET /streams/{id}", 3, one_stream),
    ("PATCH /auth/me", 1, rename),
)
METHOD = (
    f"{CLIENTS} signed-in clients, each a user with an address of its own (limits on), reads and writes mixed 9:1, two "
    "nodes of `footlight up` and the clients on the same two cores. *Paced*: every client asks every 0.7 s, the most "
    "the limit of 100 a minute allows for long. *At once*: every client asks again as soon as it is answered, so the "
    "figure is the whole machine's throughput."
)


async def measure(stack: Stack, seconds: float) -> str:
    """Paced, then at once; returns the table."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(stack.web, connector=connector) as web:
        gate = asyncio.Semaphore(SIGN_UPS_AT_ONCE)

        async def join(number: int) -> Person:
            async with gate:
                return await sign_up(web, 1000 + number)

        people = await asyncio.gather(*(join(number) for number in range(CLIENTS)))
        creator = await become_creator(web, await sign_up(web, 999, "Creator"))
        stream = await start_stream(web, creator)
        rows = []
        for name, run in (("paced", paced(seconds)), ("at once", burst)):
            before, started = cpu_seconds(stack.processes()), time.monotonic()
            times: Times = defaultdict(list)
            await asyncio.gather(*(run(web, who, stream["id"], times) for who in people))
            took = time.monotonic() - started
            rows += rows_of(name, times, took, (cpu_seconds(stack.processes()) - before) / took)
            if run is not burst:
                await asyncio.sleep(61)  # let the window of the limits pass
        await stop_stream(web, creator, stream["id"])
    columns = ("load", "endpoint", "requests/s", "p50 ms", "p95 ms", "p99 ms", "goal p95 ms", "platform CPU, cores")
    return table("API under 200 clients", METHOD, columns, rows)


def paced(seconds: float) -> Callable[[aiohttp.ClientSession, Person, str, Times], Awaitable[None]]:
    async def run(web: aiohttp.ClientSession, who: Person, stream_id: str, times: Times) -> None:
        dice = Random(who.id)
        end = time.monotonic() + seconds
        await asyncio.sleep(dice.random() * PACE_SECONDS)
        while (started := time.monotonic()) < end:
            await timed(web, who, stream_id, times, dice)
            await asyncio.sleep(max(0.0, started + PACE_SECONDS - time.monotonic()))

    return run


async def burst(web: aiohttp.ClientSession, who: Person, stream_id: str, times: Times) -> None:
    dice = Random(who.id)
    for _ in range(BURST_REQUESTS):
        await timed(web, who, stream_id, times, dice)


async def timed(web: aiohttp.ClientSession, who: Person, stream_id: str, times: Times, dice: Random) -> None:
    name, _, call = dice.choices(MIX, [weight for _, weight, _ in MIX])[0]
    started = time.perf_counter()
    await call(web, who, stream_id)
    times[name].append((time.perf_counter() - started) * 1000)


def rows_of(load: str, times: Times, took: float, cores: float) -> list[tuple[object, ...]]:
    everything = [value for values in times.values() for value in values]
    named = [(name, times[name]) for name, _, _ in MIX] + [("all", everything)]
    return [
        (
            load,
            name,
            len(values) / took,
            *(percentile(values, share) for share in (0.5, 0.95, 0.99)),
            f"< {GOAL_MS}",
            cores,
        )
        for name, values in named
    ]
