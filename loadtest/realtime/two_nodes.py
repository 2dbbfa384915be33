"""Two nodes with one room over both: delays, what they cost, control messages, and readers that stop reading."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.stores.redis import open_redis
from loadtest.realtime.crowd import Crowd, Told, crowd
from loadtest.realtime.measure import Meter, Row
from loadtest.realtime.nodes import Node
from loadtest.realtime.scale import TEXT_BYTES, Setting
from realtime.ports import StreamSnapshot
from realtime.room.log_redis import room_functions
from realtime.room.streams import Streams

RATES = (20, 50)
PROBE_EVERY_SECONDS = 0.5
QUIET_CLIENTS = 100
STALLED_SHARE = 0.05
PAGE_KB = 4


@dataclass(frozen=True, slots=True)
class House:
    """Nodes with a room and its crowd, nobody in it yet."""

    nodes: list[Node]
    room: str
    people: Crowd

    @property
    def pids(self) -> list[int]:
        return [node.pid for node in self.nodes]


@asynccontextmanager
async def house(setting: Setting, nodes: int, generators: int = 1) -> AsyncIterator[House]:
    """Fresh nodes, a fresh room, and generators that know both."""
    bench = setting.bench
    async with bench.nodes(nodes) as up, bench.room() as room:
        ports = [node.port for node in up]
        async with crowd(
            setting.program, ports, room=room, tokens=bench.tokens, text_bytes=TEXT_BYTES, count=generators
        ) as people:
            yield House(up, room, people)


async def measured(people: Crowd, seconds: float, rate: float, meter: Meter) -> tuple[Told, float]:
    """Talk, wait until everybody has everything; what was counted, and the cores the servers took meanwhile."""
    await people.reset()
    meter.again()
    await people.talk(seconds, rate)
    cores = meter.cores
    return await people.settle(), cores


async def two_nodes(setting: Setting) -> list[Row]:
    """20 and 50 messages a second, in turn."""
    runs: dict[int, list[tuple[float, float]]] = {rate: [] for rate in RATES}
    wrong, generator = 0, 0.0
    async with house(setting, 2) as at:
        await at.people.connect(setting.scale.clients)
        meter = Meter(at.pids)
        for _ in range(setting.scale.rounds):
            for rate in RATES:
                before = (await at.people.report()).reports[0].cpu
                told, cores = await measured(at.people, setting.scale.seconds, rate, meter)
                generator = (told.reports[0].cpu - before) / setting.scale.seconds
                runs[rate].append((told.worst("delay").p99, cores))
                wrong += told.wrong
    rows = []
    for rate, pairs in runs.items():
        p99, cores = statistics.median(p for p, _ in pairs), statistics.median(c for _, c in pairs)
        rows.append(
            Row(
                f"two nodes, {rate} messages a second: p99 over all",
                "<= 300 ms, <= 0.65 of a core for both",
                f"{p99:.0f} ms, {cores:.2f} of a core; {wrong} wrong",
                p99 <= 300 and cores <= 0.65 and wrong == 0,
                f"{setting.scale.clients} sockets; send to receive; the generator took {generator:.2f} of a core",
                [p for p, _ in pairs],
            )
        )
    return rows


async def quiet_room(setting: Setting) -> list[Row]:
    """A hundred people in a room, and nothing else."""
    runs, wrong = [], 0
    async with house(setting, 1) as at:
        await at.people.connect(QUIET_CLIENTS)
        for _ in range(setting.scale.rounds):
            told, _ = await measured(at.people, setting.scale.seconds, 5, Meter(at.pids))
            runs.append(told.worst("delay").p99)
            wrong += told.wrong
    p99 = statistics.median(runs)
    figure = f"{p99:.1f} ms; {wrong} wrong"
    method = "one node, 5 messages a second; 1 ms of it may be the generator, which reads in batches"
    return [Row("room of 100 on a quiet node: p99", "<= 15 ms", figure, p99 <= 15 and wrong == 0, method, runs)]


async def control_message(setting: Setting) -> list[Row]:
    """`room:status` while 50 messages a second go out."""
    async with house(setting, 2) as at:
        await at.people.connect(setting.scale.clients)
        await at.people.reset()
        talking = asyncio.create_task(at.people.talk(setting.scale.seconds, 50))
        sent = await _probe(setting, at.room, setting.scale.seconds - 1)
        await talking
        told = await at.people.settle()
    spread, wanted = told.worst("control"), sent * setting.scale.clients
    figure = f"{spread.p99:.0f} ms (p50 {spread.p50:.0f}); {wanted - spread.count} of {wanted} did not arrive"
    method = f"room:status by the room's function in Redis, {sent} times under 50 messages a second"
    met = spread.p99 <= 500 and spread.count == wanted
    return [Row("control message to all, under load: p99", "<= 500 ms", figure, met, method, [spread.p99])]


class NobodyAsked:
    """No room here is cold."""

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        return None


async def _probe(setting: Setting, room: str, seconds: float) -> int:
    """Tell the room a new title, stamped, again and again; returns how often."""
    sent, end = 0, time.monotonic() + seconds
    async with open_redis(setting.bench.settings.redis) as redis:
        streams = Streams(redis, room_functions(redis), NobodyAsked())
        while time.monotonic() < end:
            await asyncio.sleep(PROBE_EVERY_SECONDS)
            now, stamp = datetime.now(UTC), time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            await streams.put(
                StreamSnapshot(
                    id=room,
                    title=f"t{stamp}",
                    category=None,
                    status="live",
                    creator_id="bench",
                    creator_name="B",
                    at=now,
                )
            )
            sent += 1
    return sent


async def stalled_readers(setting: Setting) -> list[Row]:
    """5 % stop reading, half of them still answer pings; the others should not notice."""
    count, seconds = setting.scale.clients, setting.scale.seconds
    quarter = int(count * STALLED_SHARE / 2)
    async with house(setting, 2) as at:
        await at.people.connect(count - 2 * quarter)
        await at.people.connect(quarter, kind="s")
        await at.people.connect(quarter, kind="p")
        meter = Meter(at.pids)
        before = [(await measured(at.people, seconds, 50, meter))[0] for _ in range(setting.scale.rounds)]
        memory, kernel = meter.memory_mb, tcp_memory_mb()
        await at.people.stall()
        after = [(await measured(at.people, seconds * 2, 50, meter))[0] for _ in range(setting.scale.rounds)]
        grown, pinned = meter.memory_mb - memory, tcp_memory_mb() - kernel
    old, new = [told.worst("delay").p99 for told in before], [told.worst("delay").p99 for told in after]
    wrong = sum(told.wrong for told in [*before, *after])
    figure = (
        f"p99 {statistics.median(old):.0f} -> {statistics.median(new):.0f} ms; memory {grown:+.1f} MB, kernel "
        f"{pinned:+.1f} MB; {after[-1].sum('cut') + after[-1].sum('drops')} of {2 * quarter} cut; {wrong} wrong"
    )
    met = statistics.median(new) <= 1.25 * max(old) and grown <= 0.02 * memory and wrong == 0
    method = f"{count} sockets, 50 messages a second; half of the stalled still send pongs"
    return [Row("5 % stop reading", "others' p99 within noise, memory flat", figure, met, method, [*old, *new])]


def tcp_memory_mb() -> float:
    """What all TCP sockets of the machine hold in the kernel."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return int(line.split(" mem ")[1]) * PAGE_KB / 1024
    return 0.0
