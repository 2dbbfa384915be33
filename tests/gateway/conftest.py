"""A small app behind the real server and layers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.app import create_app
from gateway.asgi import ASGIApp
from gateway.platform import open_platform
from gateway.serving import listen, serve
from infra.local.parts import LOOPBACK
from infra.local.playback_keys import kept_playback_keys
from infra.settings import (
    AuthSettings,
    MongoSettings,
    ObjectSettings,
    PlaybackSettings,
    PostgresSettings,
    RedisSettings,
    SearchSettings,
    Settings,
    WebSettings,
)
from infra.stores.postgres import Postgres
from infra.stores.redis import Redis

Serve = Callable[[ASGIApp], Awaitable[int]]


@pytest.fixture
async def served() -> AsyncIterator[Serve]:
    """Serves an app on a port of its own; returns the port."""
    stops: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    async def run(app: ASGIApp) -> int:
        listener, stop = listen(LOOPBACK, 0), asyncio.Event()

        async def nothing() -> None: ...

        task = asyncio.create_task(serve(app, [listener], stop, nothing))
        stops.append((stop, task))
        port: int = listener.getsockname()[1]
        await asyncio.sleep(0)
        return port

    yield run
    for stop, task in stops:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="session")
async def node_settings(
    migrated: PostgresSettings,
    redis_settings: RedisSettings,
    mongo_settings: MongoSettings,
    objects_settings: ObjectSettings,
    search_settings: SearchSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Settings of a node that stands on the run's own servers."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "dist").mkdir()
    (folder / "dist" / "index.html").write_text("<!doctype html><title>Footlight</title>")
    return Settings(
        web=WebSettings(public_url="http://localhost", web_root=folder / "dist"),
        auth=AuthSettings(keys=folder / "keys", secret="s" * 40),
        postgres=migrated,
        redis=redis_settings,
        mongo=mongo_settings,
        objects=objects_settings,
        search=search_settings,
        playback=PlaybackSettings(private_key=str(kept_playback_keys(folder / "playback", "tests")[0])),
    )


@asynccontextmanager
async def running_node(settings: Settings) -> AsyncIterator[str]:
    """A whole node behind the real server; gives its address."""
    async with open_platform(settings) as platform:
        app, _ = create_app(platform)
        listener, stop = listen(LOOPBACK, 0), asyncio.Event()

        async def nothing() -> None: ...

        task = asyncio.create_task(serve(app, [listener], stop, nothing))
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        stop.set()
        await task


@pytest.fixture
async def node(node_settings: Settings, db: Postgres, redis: Redis) -> AsyncIterator[str]:
    """A node on empty stores."""
    async with running_node(node_settings) as address:
        yield address
