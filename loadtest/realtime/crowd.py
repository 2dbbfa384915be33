"""The crowd of clients: a generator in C, compiled on the spot, one process for at most 20,000 sockets."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from infra.children import ends_with_us

SOURCES = Path(__file__).with_name("generator")
COMPILER = "cc"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")
CONNECT_RATE = 3000  # a second; a crowd that is refused waits anyway, at most 200 handshakes are under way
PATIENCE_SECONDS = 900.0  # longer than any command takes
FIRST_NUMBER = 4000  # addresses below belong to the accounts


class NoCompiler(RuntimeError):
    """There is nothing to compile the generator with."""


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class Report(msgspec.Struct, frozen=True):
    """What one generator counted since its last `reset`; see `generator/`."""

    opened: int
    ready: int
    standing: int
    newest: int
    behind: int
    seconds: float
    cpu: float
    delay: Spread
    back_after: Spread
    control: Spread
    connecting: Spread
    answered: Spread
    frames: int
    messages: int
    recovered: int
    bytes: int
    pings: int
    gaps: int
    lagged: int
    resets: int
    lost: int
    duplicates: int
    repeats: int
    sent: int
    acked: int
    refused: int
    drops: int
    back: int
    dismissed: int
    failed: int
    cut: int


async def compile_generator(folder: Path) -> Path:
    """The program, fresh from its source; raises `NoCompiler` with a sentence for whoever runs the bench."""
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise NoCompiler("The real-time figures need a C compiler named `cc` (Debian: apt-get install gcc libc6-dev).")
    program = folder / "generator"
    sources = map(str, sorted(SOURCES.glob("*.c")))
    process = await asyncio.create_subprocess_exec(compiler, *FLAGS, "-o", str(program), *sources)
    if await process.wait() != 0:
        raise NoCompiler(f"`{compiler}` could not compile {SOURCES.name}; what it said stands above.")
    return program


class Generator:
    """One running generator. Every method waits for its answer."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, *words: object) -> Report:
        """Give one command."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the generator has no pipes")
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The generator ended with {await self._process.wait()} while told: {words}")
        return msgspec.json.decode(line, type=Report)

    @property
    def process(self) -> int:
        return self._process.pid

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()


@dataclass(frozen=True, slots=True)
class Told:
    """The answers of all generators to one command."""

    reports: Sequence[Report]

    def sum(self, name: str) -> int:
        return sum(int(getattr(report, name)) for report in self.reports)

    def worst(self, spread: str) -> Spread:
        """Percentiles of the slowest generator: never better than those of all clients together."""
        spreads = [getattr(report, spread) for report in self.reports]
        worst = max(spreads, key=lambda one: one.p99)
        p50, p95 = max(one.p50 for one in spreads), max(one.p95 for one in spreads)
        return Spread(sum(one.count for one in spreads), p50, p95, worst.p99, max(one.max for one in spreads))

    @property
    def newest(self) -> int:
        return max(report.newest for report in self.reports)

    @property
    def wrong(self) -> int:
        """Messages that a reader never got, got twice or got in the wrong order, and readers sent away for good."""
        return self.sum("lost") + self.sum("behind") + self.sum("duplicates") + self.sum("dismissed")

    @property
    def loss(self) -> str:
        """What was wrong and what had to be mended, for the table."""
        words = [f"{self.wrong} wrong"]
        words += [f"{self.sum('gaps')} gaps filled"] if self.sum("gaps") else []
        words += [f"{self.sum('lagged')} lagged"] if self.sum("lagged") else []
        words += [f"{self.sum('refused')} refused"] if self.sum("refused") else []
        return ", ".join(words)


class Crowd:
    """One or several generators with one room. The first one has the talkers."""

    def __init__(self, generators: Sequence[Generator]) -> None:
        self._all = generators

    @property
    def processes(self) -> list[int]:
        """Their process ids."""
        return [one.process for one in self._all]

    async def connect(self, count: int, *, port: int = -1, kind: str = "r", rate: float = CONNECT_RATE) -> Told:
        """`count` more clients in all, shared among the generators."""
        shares = [count // len(self._all) + (number < count % len(self._all)) for number in range(len(self._all))]
        rate /= len(self._all)
        told = Told(
            await asyncio.gather(
                *(one.say("connect", share, rate, port, kind) for one, share in zip(self._all, shares, strict=True))
            )
        )
        if missing := told.sum("opened") - told.sum("ready"):
            raise RuntimeError(f"{missing} of {told.sum('opened')} clients did not get in")
        return told

    async def listen(self, seconds: float) -> Told:
        """Nobody talks."""
        return await self._tell("run", seconds, 0)

    async def talk(self, seconds: float, rate: float) -> Told:
        """The first generator talks, the others listen."""
        rates = [rate, *[0.0] * (len(self._all) - 1)]
        return Told(
            await asyncio.gather(*(one.say("run", seconds, r) for one, r in zip(self._all, rates, strict=True)))
        )

    async def talk_at_capacity(self, seconds: float, window: int) -> Told:
        """Only for a crowd of one generator: the next message goes out when all have got the one before."""
        return Told([await self._all[0].say("closed", seconds, window)])

    async def settle(self, seconds: float = 20.0) -> Told:
        """Wait until everybody is back and has everything that was acknowledged."""
        return await self.settle_at((await self.report()).newest, seconds)

    async def settle_at(self, offset: int, seconds: float) -> Told:
        """The same for an offset one knows."""
        return await self._tell("settle", seconds, offset)

    async def reset(self) -> None:
        await self._tell("reset")

    async def stall(self) -> Told:
        return await self._tell("stall")

    async def report(self) -> Told:
        return await self._tell("report")

    async def _tell(self, *words: object) -> Told:
        return Told(await asyncio.gather(*(one.say(*words) for one in self._all)))


@asynccontextmanager
async def crowd(
    program: Path, ports: Sequence[int], *, room: str = "", tokens: Path | None = None, text_bytes: int, count: int = 1
) -> AsyncIterator[Crowd]:
    """`room` empty: the servers are peers, which have one room of their own. `count` generators."""
    generators: list[Generator] = []
    try:
        for number in range(count):
            words = [
                "--ports",
                ",".join(map(str, ports)),
                "--text",
                text_bytes,
                "--base",
                FIRST_NUMBER + number * 20000,
            ]
            words += ["--room", room] if room else []
            words += ["--tokens", tokens] if tokens and number == 0 else []
            command = ends_with_us((str(program), *map(str, words)))
            generators.append(
                Generator(
                    await asyncio.create_subprocess_exec(
                        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
                    )
                )
            )
        yield Crowd(generators)
    finally:
        for one in generators:
            await one.end()
