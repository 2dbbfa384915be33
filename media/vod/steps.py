"""What each task does, with everything it needs already at hand: read the source, make something, publish it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.settings import VodSettings
from media.vod.encode import encode_audio, encode_chunk
from media.vod.errors import LeaseLost
from media.vod.flow import Flow
from media.vod.hold import Hold
from media.vod.ladder import plan as plan_of
from media.vod.leases import Leases, Prepared
from media.vod.pictures import make_poster, make_storyboard
from media.vod.plan import Plan, Probed, Segment
from media.vod.probe import probe
from media.vod.publish import Publisher
from media.vod.scratch import Scratch
from media.vod.source import Fetched, Sources
from media.vod.task_repository import Lease
from media.vod.tasks import renditions_of

Planner = Callable[[Probed], Plan]


@dataclass(frozen=True, slots=True)
class Bench:
    """A task's place of work: the source, and an empty folder."""

    fetched: Fetched
    folder: Path


class Steps:
    """`run` does a task to its end, or raises. Cancelled, it leaves no child and no file."""

    def __init__(
        self,
        sources: Sources,
        scratch: Scratch,
        publisher: Publisher,
        leases: Leases,
        settings: VodSettings,
        *,
        ffmpeg: str,
        planner: Planner = plan_of,
    ) -> None:
        self._sources = sources
        self._scratch = scratch
        self._publisher = publisher
        self._leases = leases
        self._settings = settings
        self._ffmpeg = ffmpeg
        self._planner = planner

    async def run(self, hold: Hold) -> Prepared | None:
        """What `prepare` found out; None from all others."""
        match hold.lease.kind:
            case "prepare":
                return await self._prepare(hold)
            case "finish":
                await self._publisher_of(hold).finish(hold.lease)
            case "poster" | "pictures":
                await self._picture(hold)
            case "audio" | "low" | "high":
                await self._encode(hold)
        return None

    def _publisher_of(self, hold: Hold) -> Publisher:
        return self._publisher.heard_by(hold.alive)

    @asynccontextmanager
    async def _bench(self, hold: Hold) -> AsyncIterator[Bench]:
        async with AsyncExitStack() as stack:
            fetched = await stack.enter_async_context(self._sources.hold(hold.lease.source, hold.alive))
            hold.alive()
            yield Bench(fetched, stack.enter_context(self._scratch.folder(f"task-{hold.lease.claim}")))

    async def _prepare(self, hold: Hold) -> Prepared:
        await self._publisher_of(hold).begin(hold.lease)
        async with self._bench(hold) as bench:
            probed = await probe(bench.fetched.file, bench.folder, settings=self._settings)
            return Prepared(probed, self._planner(probed), bench.fetched.sha256)

    async def _picture(self, hold: Hold) -> None:
        probed, _ = known_of(hold)
        async with self._bench(hold) as bench:
            if hold.lease.kind == "poster":
                file = await make_poster(bench.fetched.file, probed, bench.folder, ffmpeg=self._ffmpeg)
                await self._publisher_of(hold).poster(hold.lease, file)
            else:
                files = await make_storyboard(bench.fetched.file, probed, bench.folder, ffmpeg=self._ffmpeg)
                await self._publisher_of(hold).storyboard(hold.lease, files)

    async def _encode(self, hold: Hold) -> None:
        probed, plan = known_of(hold)
        async with self._bench(hold) as bench:
            known = await self._leases.known_numbers(hold.lease)
            flow = Flow(self._publisher_of(hold), hold.lease, bench.folder, known)

            def made(segment: Segment) -> None:
                hold.alive()
                flow.made(segment)

            length = length_of(plan, hold.lease)
            common = _Common(self._ffmpeg, made, lambda seconds: hold.at(seconds / length))
            encode = partial(_encoded, bench, probed, plan, hold.lease, common)
            await flow.while_running(encode)


def length_of(plan: Plan, lease: Lease) -> float:
    """Seconds of the video that an encoding task makes."""
    if lease.kind == "audio":
        return plan.duration_seconds
    chunk = plan.chunks[lease.chunk]
    return (plan.cuts[chunk.end] if chunk.end < len(plan.cuts) else plan.duration_seconds) - plan.cuts[chunk.first]


@dataclass(frozen=True, slots=True)
class _Common:
    """What all encoders take."""

    ffmpeg: str
    on_segment: Callable[[Segment], None]
    on_progress: Callable[[float], None]


async def _encoded(bench: Bench, probed: Probed, plan: Plan, lease: Lease, common: _Common) -> Sequence[Segment]:
    source, out = bench.fetched.file, bench.folder
    if lease.kind == "audio":
        return await encode_audio(
            source, probed, plan, out,
            ffmpeg=common.ffmpeg, on_segment=common.on_segment, on_progress=common.on_progress,
        )  # fmt: skip
    return await encode_chunk(
        source, probed, plan, plan.chunks[lease.chunk], renditions_of(plan, lease.kind), out,
        ffmpeg=common.ffmpeg, on_segment=common.on_segment, on_progress=common.on_progress,
    )  # fmt: skip


def known_of(hold: Hold) -> tuple[Probed, Plan]:
    """Every task but `prepare` and those of another time has them."""
    if hold.lease.probed is None or hold.lease.plan is None:
        raise LeaseLost
    return hold.lease.probed, hold.lease.plan
