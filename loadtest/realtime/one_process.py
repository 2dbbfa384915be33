"""One process with everybody in it: ours, Node's socket.io and stock python-socketio in turn, on the same machine."""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from loadtest.realtime.crowd import Crowd, crowd
from loadtest.realtime.measure import Meter, Row
from loadtest.realtime.peers import NoNode, Peer, install_node_peer, node_peer, stock_peer, valkey
from loadtest.realtime.scale import TEXT_BYTES, Setting

PEER_ENVELOPE_BYTES = 38  # of the frame a peer delivers, beside its text
REST_SECONDS = 2.0  # after connecting, before memory is read
BUSY_RATE = 50


@dataclass(frozen=True, slots=True)
class Trial:
    """One server, once."""

    connect_ms: float
    kilobytes: float
    frame_us: float
    frame_bytes: float
    each_second: float  # messages delivered in a second of processor time at BUSY_RATE; 0 where not asked
    each_frame: float = 1.0


@dataclass(frozen=True, slots=True)
class Entrant:
    """A server that is up: its crowd still has to come."""

    pid: int
    people: Crowd


Start = Callable[[int], AbstractAsyncContextManager[Entrant]]


async def one_process(setting: Setting) -> list[Row]:
    """CPU for a delivery, deliveries a second and core, memory and CPU for a connection."""
    async with valkey(setting.bench.folder) as redis:
        starts = await _starts(setting, redis)
        trials: dict[str, list[Trial]] = {name: [] for name in starts}
        peer_text = 200
        for _ in range(setting.scale.rounds):
            for name, start in starts.items():
                async with start(peer_text) as entrant:
                    trials[name].append(await trial(entrant, setting, busy=name == "ours"))
                if name == "ours":
                    peer_text = round(trials[name][-1].frame_bytes) - PEER_ENVELOPE_BYTES
    return rows_of(trials, setting)


async def trial(entrant: Entrant, setting: Setting, *, busy: bool) -> Trial:
    """Connect everybody, then one message after the other as fast as they arrive; `busy` ends with BUSY_RATE."""
    people, count = entrant.people, setting.scale.clients
    meter = Meter([entrant.pid])
    await people.connect(count)
    connect_ms = meter.cpu_seconds / count * 1000
    await asyncio.sleep(REST_SECONDS)
    kilobytes = meter.grown_mb * 1024 / count
    await people.reset()
    meter.again()
    await people.talk_at_capacity(setting.scale.seconds, 1)
    told = await people.settle()
    frame_us = meter.cpu_seconds * 1e6 / max(1, told.sum("frames"))
    frame_bytes = told.sum("bytes") / max(1, told.sum("frames"))
    if not busy:
        return Trial(connect_ms, kilobytes, frame_us, frame_bytes, 0.0)
    await people.reset()
    meter.again()
    await people.talk(setting.scale.seconds, BUSY_RATE)
    told = await people.settle()
    each_frame = told.sum("messages") / max(1, told.sum("frames"))
    return Trial(connect_ms, kilobytes, frame_us, frame_bytes, told.sum("messages") / meter.cpu_seconds, each_frame)


async def _starts(setting: Setting, redis: str) -> dict[str, Start]:
    starts: dict[str, Start] = {"ours": lambda _: _ours(setting)}
    try:
        await install_node_peer()
        starts["node"] = lambda text: _peer(setting, node_peer(setting.bench.folder, redis), text)
    except NoNode as reason:
        print(f"Node is left out: {reason}", file=sys.stderr)
    starts["stock"] = lambda text: _peer(setting, stock_peer(setting.bench.folder, redis), text)
    return starts


@asynccontextmanager
async def _ours(setting: Setting) -> AsyncIterator[Entrant]:
    bench = setting.bench
    async with bench.nodes(1) as [node], bench.room() as room:
        options = {"room": room, "tokens": bench.tokens, "text_bytes": TEXT_BYTES}
        async with crowd(setting.program, [node.port], **options) as people:  # type: ignore[arg-type]  # one dict of three types
            yield Entrant(node.pid, people)


@asynccontextmanager
async def _peer(setting: Setting, peer: AbstractAsyncContextManager[Peer], text: int) -> AsyncIterator[Entrant]:
    async with peer as up, crowd(setting.program, [up.port], text_bytes=text) as people:
        yield Entrant(up.pid, people)


def rows_of(trials: dict[str, list[Trial]], setting: Setting) -> list[Row]:
    ours = trials["ours"]
    sizes = ", ".join(f"{name} {runs[0].frame_bytes:.0f}" for name, runs in trials.items())
    way = f"{setting.scale.clients} sockets, one process, interleaved; bytes a frame: {sizes}"

    def middle(name: str, value: Callable[[Trial], float]) -> float | None:
        return statistics.median(map(value, trials[name])) if trials.get(name) else None

    def ratios(value: Callable[[Trial], float]) -> tuple[float, float | None, float | None, str]:
        own, node, stock = middle("ours", value) or 0.0, middle("node", value), middle("stock", value)
        to_node, to_stock = own / node if node else None, own / stock if stock else None
        words = [
            f"{ratio:.2f} x {name} ({peer:.3g})"
            for name, ratio, peer in (("Node", to_node, node), ("stock", to_stock, stock))
            if ratio is not None
        ]
        return own, to_node, to_stock, ", ".join(words)

    frame, to_node, to_stock, said = ratios(lambda one: one.frame_us)
    memory, memory_to_node, _, memory_said = ratios(lambda one: one.kilobytes)
    connect, _, _, connect_said = ratios(lambda one: one.connect_ms)
    busy = statistics.median(one.each_second for one in ours)
    return [
        Row("CPU for a delivered frame, one process at capacity", "<= 8 µs, <= 0.6 x Node, <= 0.1 x stock",
            f"{frame:.2f} µs = {said}", frame <= 8 and (to_node or 0) <= 0.6 and (to_stock or 0) <= 0.1,
            f"{way}; the next message leaves when all have the last", _values(ours, "frame_us")),
        Row("deliveries a second and core, not coalesced", ">= 120,000", f"{1e6 / frame:,.0f}", 1e6 / frame >= 120_000,
            "the inverse of the row above", [1e6 / one.frame_us for one in ours]),
        Row("messages a second and core, coalesced", ">= 900,000", f"{busy:,.0f}", busy >= 900_000,
            f"{BUSY_RATE} messages a second; {ours[-1].each_frame:.1f} in a frame", _values(ours, "each_second")),
        Row("resident memory for an idle connection", "<= 10 KB, <= 0.7 x Node", f"{memory:.1f} KB = {memory_said}",
            memory <= 10 and (memory_to_node or 0) <= 0.7, "growth of PSS over all connections",
            _values(ours, "kilobytes")),
        Row("CPU to connect and join", "<= 0.5 ms", f"{connect:.2f} ms = {connect_said}", connect <= 0.5,
            "ours: handshake, CONNECT, room:join with answer; the peers: handshake, CONNECT, enter_room",
            _values(ours, "connect_ms")),
    ]  # fmt: skip


def _values(trials: Sequence[Trial], name: str) -> list[float]:
    return [float(getattr(one, name)) for one in trials]
