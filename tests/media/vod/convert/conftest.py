"""Videos made by a stand-in for MediaConvert, on the real stores."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.converting import open_conductor
from infra.clock import new_id, system_clock
from infra.convert_settings import ConvertSettings
from infra.local.parts import free_port
from infra.outbox import Outbox
from infra.settings import (
    LiveSettings,
    MongoSettings,
    ObjectSettings,
    PostgresSettings,
    RedisSettings,
    Settings,
    VodSettings,
)
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis
from loadtest.vod.desk import Desk, draw, open_desk
from media.vod.convert.conductor import Conductor
from media.vod.convert.jobs import MediaConvertTranscoding
from tests.media.publisher import ffmpeg
from tests.media.vod.convert.stand_in import StandIn, stand_in


@dataclass(frozen=True)
class Drawn:
    """A source and how many frames it has."""

    file: Path
    frames: int


@pytest.fixture(scope="session")
async def film(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    file = tmp_path_factory.mktemp("sources") / "film.mp4"
    return Drawn(file, await draw(ffmpeg(), file, 5, size="480x270"))


@pytest.fixture
def settings(
    migrated: PostgresSettings, redis_settings: RedisSettings, mongo_settings: MongoSettings,
    objects_settings: ObjectSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    role, queue = "arn:aws:iam::123456789012:role/convert", "arn:aws:mediaconvert:eu-west-1:123456789012:queues/vod"
    return Settings(
        postgres=replace(migrated, pool_size=5),
        redis=redis_settings,
        mongo=replace(mongo_settings, database=f"convert-{new_id()}"),
        objects=objects_settings,
        live=LiveSettings(ffmpeg=ffmpeg()),
        vod=VodSettings(scratch=str(tmp_path / "scratch")),
        convert=ConvertSettings(
            transcoder="mediaconvert", role=role, queue=queue, inbox="http://127.0.0.1:9/inbox",
            endpoint=f"http://127.0.0.1:{free_port()}",
        ),
    )  # fmt: skip


@pytest.fixture
async def desk(db: Postgres, redis: Redis, settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        # What `Desk` calls transcodes, made as this installation makes them.
        yield replace(desk, transcodes=MediaConvertTranscoding(Outbox(), system_clock, left_seconds=0))


@pytest.fixture
async def service(desk: Desk, settings: Settings) -> AsyncIterator[StandIn]:
    async with stand_in(desk.objects, int(settings.convert.endpoint.rpartition(":")[2])) as service:
        yield service


@pytest.fixture
async def conductor(desk: Desk, service: StandIn, settings: Settings) -> AsyncIterator[Conductor]:
    async with open_conductor(settings) as conductor:
        yield conductor
