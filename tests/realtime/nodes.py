"""Real nodes for tests: uvicorn servers in this process, or child processes that may be killed."""

import asyncio
import base64
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from accounts.model import Identity
from gateway.addresses import TrustedProxies
from gateway.middleware import Boundary
from gateway.private import open_private_door
from gateway.protocol import BoundedHttp
from infra.bus.port import Bus
from infra.clock import system_clock
from infra.errors import Unauthenticated
from infra.local.parts import LOOPBACK, Part, listens
from infra.metrics import Metrics
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.redis import Redis
from realtime.disconnects import Disconnect
from realtime.moderating import Moderating
from realtime.ports import StreamSnapshot
from realtime.rechecking import Recheck
from realtime.room.presence import Timing
from realtime.server import Realtime, open_realtime
from realtime.wire.engine import Engine
from realtime.wire.fanout import Audience, Frame

ORIGIN = "https://footlight.test"
QUICK = Timing(tick_seconds=0.1, report_seconds=0.3, hold_seconds=1.0, linger_seconds=0.5)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def token_of(
    user_id: str, *, role: str = "free", tier: str = "free", session: str = "s1", seconds: float = 1800
) -> str:
    """A token in the tests' own language: what `identify` below reads."""
    ends = system_clock() + timedelta(seconds=seconds)
    identity = msgspec.json.encode(
        Identity(
            user_id=user_id,
            display_name=user_id.title(),
            role=role,  # type: ignore[arg-type]  # tests pass one of the four
            subscription_tier=tier,  # type: ignore[arg-type]  # as above
            session_id=session,
            expires_at=ends,
        )
    )
    return base64.urlsafe_b64encode(identity).decode().rstrip("=")


class WrongToken(Unauthenticated):
    code = "auth.session_over"


async def identify(token: str) -> Identity:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Identity)
    except (msgspec.DecodeError, ValueError):
        raise WrongToken from None


def snapshot(stream_id: str, **changes: object) -> StreamSnapshot:
    stream = StreamSnapshot(
        id=stream_id,
        title="Evening",
        category="music",
        status="live",
        creator_id="creator-1",
        creator_name="Cleo",
        at=BEGAN,
    )
    return msgspec.structs.replace(stream, **changes)


class KnownStreams:
    """Every stream whose id begins with `stream-` exists; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def snapshot(self, stream_id: str) -> StreamSnapshot | None:
        self.asked += 1
        await asyncio.sleep(0.01)
        return snapshot(stream_id) if stream_id.startswith("stream-") else None


@dataclass
class TestNode:
    """A node that serves."""

    __test__ = False
    realtime: Realtime
    streams: KnownStreams
    url: str
    http: str

    @property
    def engine(self) -> Engine:
        """The Engine.IO server inside."""
        engine = self.realtime.engine
        assert isinstance(engine, Engine)
        return engine


@asynccontextmanager
async def serving(  # noqa: PLR0913  # each says another thing, by keyword
    redis: Redis,
    settings: RedisSettings,
    bus: Bus,
    *,
    timing: Timing = QUICK,
    listener: socket.socket | None = None,
    limits: RealtimeSettings | None = None,
    moderating: Moderating | None = None,
    streams: KnownStreams | None = None,
    recheck: Recheck | None = None,
) -> AsyncIterator[TestNode]:
    """A node on a port of its own, with the settings of production. Given `limits`, it believes X-Forwarded-For."""
    listener = listener or socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    streams = streams or KnownStreams()
    async with open_realtime(
        redis=redis,
        redis_settings=settings,
        bus=bus,
        identify=identify,
        streams=streams,
        origins=[ORIGIN],
        node=f"test-{port}",
        metrics=Metrics(),
        timing=timing,
        limits=limits or RealtimeSettings(),
        moderating=moderating,
        recheck=recheck,
    ) as realtime:
        trusting = Boundary(realtime.app, TrustedProxies([f"{LOOPBACK}/32"]), Metrics())
        async with open_private_door(realtime, LOOPBACK), _public_door(trusting if limits else realtime.app, listener):
            try:
                yield TestNode(realtime, streams, f"ws://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{port}")
            finally:
                await realtime.drain(0.0)


@asynccontextmanager
async def _public_door(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what tells nobody that it happened."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.01)


class Quiet(uvicorn.Server):
    """Leaves signals to the test run."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def node_part(folder: Path, port: int, settings: RedisSettings) -> Part:
    """A node in a process of its own (`tests/realtime/child.py`)."""
    environment: Mapping[str, str] = {"TEST_REDIS": ",".join(settings.nodes), "TEST_PORT": str(port)}
    root = Path(__file__).parents[2]
    return Part(
        name=f"node-{port}",
        command=(sys.executable, "-m", "tests.realtime.child"),
        folder=folder,
        address=f"{LOOPBACK}:{port}",
        ready=listens(port),
        environment={**environment, "PYTHONPATH": str(root)},
    )


class DeafSocket:
    """A socket that takes everything and does nothing."""

    descriptor = -1
    writable = False

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None: ...

    def offer_frame(self, frame: Frame) -> None: ...

    def write_rest(self, data: bytes) -> None: ...

    def entered(self, audience: Audience) -> None: ...

    def left(self, audience: Audience) -> None: ...

    def dismiss(self, why: Disconnect, delay_ms: int = 0) -> None: ...

    def finish(self, reason: str, *last_words: str) -> None: ...
