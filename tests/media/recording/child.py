"""A live process that tests may kill. Its storage does not answer."""

import asyncio
import sys
from pathlib import Path

from infra.clock import system_clock
from infra.local.parts import LOOPBACK, free_port
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.settings import LiveSettings, ObjectSettings, PostgresSettings, RedisSettings
from infra.stores.objects import open_objects
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis
from media.live.process import LiveProcess
from media.live.streams import Streams
from media.recording.open import open_recorder
from tests.media.publisher import ffmpeg


async def main(postgres: str, redis_nodes: str, port: str, spool: str) -> None:
    settings = LiveSettings(rtmp_port=int(port), ffmpeg=ffmpeg(), recording_spool=Path(spool))
    nowhere = ObjectSettings(endpoint=f"http://{LOOPBACK}:{free_port()}", access_key="a", secret_key="b")
    async with (
        open_postgres(PostgresSettings(url=postgres, pool_size=2)) as db,
        open_redis(RedisSettings(nodes=tuple(redis_nodes.split(",")))) as redis,
        open_objects(nowhere) as objects,
        open_recorder(settings, db, objects, system_clock) as recorder,
    ):
        process = LiveProcess(Streams.over(db, redis, Outbox(), settings), settings, system_clock, recorder)
        await process.start()
        get_logger(__name__).info("live.started")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
