"""`make load SCENARIO=smoke`: people in one room of a fresh platform, who watch, talk, drop out and come back.

Every viewer is checked at the end: the same messages in the same order, none missing, none twice. The run fails when
one is not; figures are printed, not judged.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import Random

import aiohttp

from loadtest.people import Person, become_creator, sign_up, start_stream, stop_stream
from loadtest.stack import Stack, cpu_seconds, memory_mb, platform
from loadtest.tables import percentile, table
from realtime.client import RoomClient, View, open_client

SETTLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who is in the room. Each talker stays under the limit of 20 messages in 30 s."""

    viewers: int
    talkers: int
    seconds: float
    messages_per_second: float
    drops: int  # viewers that lose their connection once, at a random moment


SCENARIOS = {
    "smoke": Scenario(viewers=50, talkers=10, seconds=15, messages_per_second=5, drops=10),
    "room": Scenario(viewers=500, talkers=30, seconds=30, messages_per_second=15, drops=50),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a load scenario on a platform of its own.")
    parser.add_argument("scenario", choices=SCENARIOS)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(run(arguments.scenario, SCENARIOS[arguments.scenario])))


async def run(name: str, scenario: Scenario) -> int:
    async with platform() as stack, aiohttp.ClientSession(stack.web) as web:
        creator = await become_creator(web, await sign_up(web, 1, "Creator"))
        stream_id = (await start_stream(web, creator))["id"]
        talkers = [await sign_up(web, 100 + number) for number in range(scenario.talkers)]
        crowd = Crowd(stack, scenario, stream_id)
        report, whole = await crowd.gather(name, talkers)
        await stop_stream(web, creator, stream_id)
    print(report)
    return 0 if whole else 1


class Crowd:
    """Everybody in the room."""

    def __init__(self, stack: Stack, scenario: Scenario, stream_id: str) -> None:
        ports = json.loads((stack.folder / "ports.json").read_text())
        self._nodes = [f"ws://127.0.0.1:{ports[name]}" for name in ("node-1", "node-2")]
        self._stack = stack
        self._scenario = scenario
        self._stream_id = stream_id
        self._dice = Random(7)
        self._said: list[str] = []
        self._delays_ms: list[float] = []
        self._talking = True

    async def gather(self, name: str, talkers: list[Person]) -> tuple[str, bool]:
        """Run the scenario; returns the report and whether every viewer saw everything."""
        ready = asyncio.Barrier(self._scenario.viewers + 1)
        watching = [asyncio.create_task(self._watch(number, ready)) for number in range(self._scenario.viewers)]
        await ready.wait()
        before, started = cpu_seconds(self._stack.processes()), time.monotonic()
        await self._talk(talkers)
        took = time.monotonic() - started
        cores = (cpu_seconds(self._stack.processes()) - before) / took
        self._talking = False
        views = await asyncio.gather(*watching)
        whole = [[entry["text"] for entry in view.entries] == self._said for view in views]
        row = (
            name, self._scenario.viewers, len(self._said), len(self._delays_ms), percentile(self._delays_ms, 0.5),
            percentile(self._delays_ms, 0.95), percentile(self._delays_ms, 0.99), sum(view.rejoins for view in views),
            len(whole) - sum(whole), cores, memory_mb(self._stack.processes()),
        )  # fmt: skip
        return table("Load", METHOD, COLUMNS, [row]), all(whole)

    async def _watch(self, number: int, ready: asyncio.Barrier) -> View:
        order = self._nodes if number % 2 else self._nodes[::-1]
        async with open_client(order, device=f"viewer-{number:06}") as client:
            view = await client.join(self._stream_id)
            await ready.wait()
            drop = asyncio.create_task(self._drop(client)) if number < self._scenario.drops else None
            while self._talking or view.offset < len(self._said):
                known = len(view.entries)
                try:
                    await client.until(partial(_has_more_than, view, known), SETTLE_SECONDS)
                except TimeoutError:
                    break
                now = time.time() * 1000
                self._delays_ms += [now - entry["at"] for entry in view.entries[known:]]
            if drop:
                await drop
        return view

    async def _drop(self, client: RoomClient) -> None:
        await asyncio.sleep(self._dice.random() * self._scenario.seconds)
        await client.drop()

    async def _talk(self, talkers: list[Person]) -> None:
        pause = 1 / self._scenario.messages_per_second
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(open_client(self._nodes, token=who.token)) for who in talkers]
            for client in opened:
                await client.join(self._stream_id)
            end, number = time.monotonic() + self._scenario.seconds, 0
            while time.monotonic() < end:
                text = f"message {number}"
                await opened[number % len(opened)].send(self._stream_id, text)
                self._said.append(text)
                number += 1
                await asyncio.sleep(pause)


def _has_more_than(view: View, known: int) -> bool:
    return len(view.entries) > known


METHOD = (
    "A platform of its own (two nodes), viewers and talkers in one Python process on the same cores. Delay: from the "
    "moment the room's shard stamped a message to the moment a viewer had decoded it. Some viewers lose their "
    "connection once and recover. A viewer who missed, doubled or reordered one message is *not whole*."
)
COLUMNS = (
    "scenario", "viewers", "messages", "deliveries", "p50 ms", "p95 ms", "p99 ms", "recoveries", "not whole",
    "platform CPU, cores", "memory MB",
)  # fmt: skip


if __name__ == "__main__":
    main()
