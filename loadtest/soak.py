"""`make soak`: transcoders are killed at random moments, and every video must come out whole.

Two workers share the work; while a video is being made, one of them is killed (kill -9), and replaced. Afterwards each
video is looked at as a strict viewer would: all playlists end, every frame is there, and no file that nobody names;
nothing of a killed worker runs on.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.environment import find_ffmpeg
from infra.local.mongo import mongo_part
from infra.local.objects import PORTS as OBJECT_PORTS
from infra.local.objects import objects_part
from infra.local.parts import free_port
from infra.local.postgres import postgres_part
from infra.local.process import start
from infra.local.valkey import form_cluster, valkey_parts
from infra.logs import configure_logs
from infra.migrations.runner import migrate
from infra.settings import LiveSettings, MongoSettings, PostgresSettings, RedisSettings, Settings, VodSettings
from infra.stores.postgres import open_postgres
from loadtest.tables import percentile, table
from loadtest.vod.desk import Desk, Worker, draw, open_desk

LEASE_SECONDS = 2
VIDEO_SECONDS = 4.0
VIDEO_SIZE = "480x270"  # two qualities, one of them encoded
# Between the request and the kill: a video of this length is made in about so long.
LATEST_KILL_SECONDS = 3.0
PATIENCE_SECONDS = 90.0
WORKERS = 2
METHOD = (
    f"Two `footlight transcode`, leases of {LEASE_SECONDS} s, videos of {VIDEO_SECONDS:g} s. For each video one worker "
    f"is killed with SIGKILL up to {LATEST_KILL_SECONDS:g} s after the request, and replaced. Whole: ready, every "
    "playlist ends, every frame decodes, the store holds exactly the files that playlists and document name."
)


@dataclass
class Matrix:
    """What came of all kills so far."""

    kills: int = 0
    whole: int = 0
    stuck: int = 0
    failed: int = 0
    orphan_files: int = 0
    orphan_processes: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def is_perfect(self) -> bool:
        return self.whole == self.kills and not self.orphan_processes

    def table(self) -> str:
        columns = (
            "kills",
            "whole",
            "failed",
            "stuck",
            "orphan files",
            "orphan processes",
            "kill to ready p50 s",
            "max s",
        )
        slow = (percentile(self.seconds, 0.5), max(self.seconds)) if self.seconds else (0.0, 0.0)
        row = (
            self.kills, self.whole, self.failed, self.stuck, self.orphan_files, self.orphan_processes, *slow,
        )  # fmt: skip
        return table("Transcoders killed at random moments", METHOD, columns, [row])


class Soak:
    """One matrix on one desk."""

    def __init__(self, desk: Desk, folder: Path, dice: random.Random) -> None:
        self._desk = desk
        self._folder = folder
        self._dice = dice
        self._workers: list[Worker] = []
        self.matrix = Matrix()

    async def run(self, source: Path, frames: int, kills: int) -> Matrix:
        """One video for each kill."""
        self._workers = [await self._new_worker() for _ in range(WORKERS)]
        try:
            for number in range(kills):
                await self._one(source, frames)
                print(f"{number + 1}/{kills} whole {self.matrix.whole}", file=sys.stderr, flush=True)
        finally:
            for worker in self._workers:
                worker.process.terminate()
                await worker.process.wait()
        return self.matrix

    async def _one(self, source: Path, frames: int) -> None:
        matrix = self.matrix
        video_id = await self._desk.upload(source)
        await asyncio.sleep(self._dice.uniform(0.05, LATEST_KILL_SECONDS))
        matrix.kills += 1
        victim = self._workers.pop(self._dice.randrange(WORKERS))
        killed = time.monotonic()
        left = await victim.kill()
        matrix.orphan_processes += len(left)
        matrix.faults += left
        replacing = asyncio.create_task(self._new_worker())
        try:
            video = await self._desk.until(video_id, seconds=PATIENCE_SECONDS)
        except TimeoutError:
            matrix.stuck += 1
            return
        finally:
            self._workers.append(await replacing)
        matrix.seconds.append(time.monotonic() - killed)
        matrix.failed += video.status == "failed"
        faults = await self._desk.faults(video_id, frames)
        matrix.orphan_files += sum(fault.startswith("nobody names") for fault in faults)
        matrix.faults += faults
        matrix.whole += not faults

    async def _new_worker(self) -> Worker:
        return await self._desk.start_worker(self._folder / "scratch")


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Settings]:
    """Servers of their own, on free ports."""
    postgres, url = postgres_part(folder / "postgres", free_port())
    bus_ports = [free_port() for _ in range(3)]
    valkey, nodes = valkey_parts(folder / "valkey", [free_port() for _ in range(3)], bus_ports)
    mongo, mongo_url = mongo_part(folder / "mongo", free_port())
    store, objects = objects_part(folder / "objects", [free_port() for _ in range(OBJECT_PORTS)])
    async with AsyncExitStack() as stack:
        for part in (postgres, *valkey, mongo, store):
            child = await start(part)
            stack.push_async_callback(child.stop)
            await child.wait_ready()
        await form_cluster(nodes, bus_ports)
        settings = Settings(
            postgres=PostgresSettings(url=url),
            redis=RedisSettings(nodes=tuple(nodes)),
            mongo=MongoSettings(url=mongo_url),
            objects=objects,
            live=LiveSettings(ffmpeg=find_ffmpeg()),
            vod=VodSettings(lease_seconds=LEASE_SECONDS),
        )
        async with open_postgres(settings.postgres) as db:
            await migrate(db)
        yield settings


async def soak(kills: int, seed: int) -> Matrix:
    """The whole matrix, on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="footlight-soak-") as temporary:
        folder = Path(temporary)
        async with servers(folder) as settings, open_desk(settings) as desk:
            frames = await draw(settings.live.ffmpeg, folder / "source.mp4", VIDEO_SECONDS, size=VIDEO_SIZE)
            return await Soak(desk, folder, random.Random(seed)).run(folder / "source.mp4", frames, kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every video came out whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    wanted = parser.parse_args(arguments)
    configure_logs("ERROR", "console", "soak")
    matrix = asyncio.run(soak(wanted.kills, wanted.seed))
    print(matrix.table())
    print(f"Seed {wanted.seed}.")
    for fault in matrix.faults:
        print(f"  {fault}")
    return 0 if matrix.is_perfect else 1


if __name__ == "__main__":
    sys.exit(main())
