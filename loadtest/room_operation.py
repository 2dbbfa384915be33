"""What `chat:send` costs the shard of its room: `room_append` with every check switched on, until the shard is full.

A Valkey of one shard, written to disk before it answers, as the embedded cluster. The calls are the product's own: one
is recorded for each room, and sent again and again with other users, ids and fingerprints.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import hiredis
import msgspec

from infra.local.parts import LOOPBACK, free_port
from infra.local.process import start
from infra.local.valkey import form_cluster, valkey_parts
from infra.settings import RedisSettings
from infra.stores.redis import Redis, open_redis
from loadtest.realtime.measure import process_seconds
from loadtest.tables import percentile, table
from realtime.entries import RoomSettings, SaidMessage, User
from realtime.room.log import Draft
from realtime.room.log_redis import RedisRoomLog, channel, room_functions
from realtime.room.rules import Rules, Sanction

USERS = 10_000
ROOMS = 30  # in one room slow mode lets 10,000 users say 3,333 messages a second, and the archive bound 20,000 in all
SLOW_SECONDS = 3
BANNED = 1000
CONNECTIONS, WINDOW = 64, 32
NODES = 2  # which hear every message
QUIET_CALLS = 3000
MOST_CALLS = ROOMS * 19_000 - QUIET_CALLS  # with a room's bound of 20,000 that nobody archived
TEXT = ":wave: :laugh: :clap: :heart:"
EVERYTHING = RoomSettings(
    slow_seconds=SLOW_SECONDS, followers_seconds=600, subscribers_only=True, emote_only=True, unique_chat=True
)
METHOD = (
    f"`room_append` on a Valkey of one shard (appendonly, appendfsync always), {ROOMS} rooms of {USERS} users: "
    f"{BANNED} banned, followers-only, subscribers-only, emote-only, unique chat, slow mode of {SLOW_SECONDS} s, rate, "
    f"archive bound; {NODES} nodes listen. One at a time: a call waits for the one before. Full: {CONNECTIONS} "
    f"connections with {WINDOW} calls under way each, from this process on the same cores. In the shard: what Valkey "
    "counts for the call (`INFO latencystats`); answered: with the way there, the queue and the write to disk."
)
COLUMNS = (
    "load", "calls", "refused", "in the shard p50 ms", "p99 ms", "answered p50 ms", "p99 ms", "a second",
    "shard's cores", "CPU µs a call",
)  # fmt: skip


async def measure(seconds: float) -> str:
    """Both loads, as a table."""
    async with shard() as (redis, pid, url):
        calls = _calls(await _rooms(redis))
        listeners = [await _listen(url, [channel(_room(room)) for room in range(ROOMS)]) for _ in range(NODES)]
        quiet = await _measured(redis, pid, url, calls, connections=1, window=1, most=QUIET_CALLS, seconds=seconds)
        full = await _measured(redis, pid, url, calls, connections=CONNECTIONS, window=WINDOW, seconds=seconds)
        for listener in listeners:
            listener.close()
    rows = [("one at a time", *quiet), ("full", *full)]
    return table("A room operation in Redis (goal: p99 2 ms in the shard, 20,000 a second)", METHOD, COLUMNS, rows)


@asynccontextmanager
async def shard() -> Any:
    """A client, the server's process id, its URL."""
    port, bus_port = free_port(), free_port()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="footlight-bench-"))
        parts, urls = valkey_parts(Path(folder) / "valkey", [port], [bus_port])
        running = await start(parts[0])
        stack.push_async_callback(running.stop)
        await running.wait_ready()
        await form_cluster(urls, [bus_port])
        redis = await stack.enter_async_context(open_redis(RedisSettings(nodes=tuple(urls))))
        yield redis, running.process.pid, urls[0]


class Recorder:
    """In a client's place: keeps the last command for a room, and answers that all is well."""

    command: tuple[Any, ...] = ()

    def get_node_from_key(self, key: str) -> "Recorder":
        return self

    def get_node(self, *, node_name: str) -> "Recorder":
        return self

    name = "recorder"

    async def execute_command(self, *command: Any, target_nodes: object) -> Any:
        if "room_append" in command[1]:
            self.command = command
            return [b"ok", b"epoch", 1]
        return 0


def _room(number: int) -> str:
    return f"00000000-0000-4000-9000-{number:012}"


def _user(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def _rooms(redis: Redis) -> list[bytes]:
    """Rooms that know their rules; for each the call of user 0, as it goes over the wire."""
    log, recorder = RedisRoomLog(room_functions(redis)), Recorder()
    banned = {_user(USERS + number): Sanction(until=None, reason="spam") for number in range(BANNED)}
    templates = []
    for room in map(_room, range(ROOMS)):
        await log.put_rules(room, Rules(revision=1, settings=EVERYTHING, sanctions=banned))
        await RedisRoomLog(room_functions(cast("Redis", recorder))).append(room, _draft(room))
        templates.append(_encoded(recorder.command))
    return templates


def _draft(room: str) -> Draft:
    user = User(id=_user(0), name="Writer", role="viewer")
    message = SaidMessage(stream_id=room, id=f"m{0:015}", at=time.time_ns() // 1_000_000, user=user, text=TEXT)
    return Draft(
        user.id,
        message.id,
        msgspec.json.encode(message),
        follow_known=True,
        followed_at=1,
        subscriber=True,
        emotes_only=True,
        fingerprint=b"f%015d" % 0,
    )


def _encoded(command: tuple[Any, ...]) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _calls(templates: list[bytes]) -> Iterator[bytes]:
    """User after user in room after room, no user twice in a room within the slow mode; each says something else."""
    number = 0
    user, said, fingerprint = _user(0).encode(), b"m%015d" % 0, b"f%015d" % 0
    while True:
        template = templates[number % ROOMS]
        number += 1
        call = template.replace(user, user[:-12] + b"%012d" % (number // ROOMS % USERS))
        yield call.replace(said, b"m%015d" % number).replace(fingerprint, b"f%015d" % number)


@dataclass
class Tally:
    """What the connections of one load share."""

    calls: Iterator[bytes]
    left: int
    end: float
    done: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    answered: int = 0
    refused: int = 0
    took_ms: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One connection with `window` calls under way."""

    def __init__(self, tally: Tally, window: int) -> None:
        self._tally, self._window = tally, window
        self._sent: list[float] = []
        self._reader = hiredis.Reader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        self._send(self._window)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        answers = []
        while (answer := self._reader.gets()) is not False:
            answers.append(answer)
        tally, now = self._tally, time.perf_counter()
        tally.answered += len(answers)
        tally.under_way -= len(answers)
        tally.refused += sum(isinstance(answer, Exception) or answer[0] != b"ok" for answer in answers)
        tally.took_ms += [(now - began) * 1000 for began in self._sent[: len(answers)]]
        del self._sent[: len(answers)]
        self._send(len(answers))
        if not tally.under_way:
            tally.done.set()

    def _send(self, count: int) -> None:
        now = time.perf_counter()
        count = min(count, self._tally.left) if now < self._tally.end else 0
        if count:
            self._tally.left -= count
            self._tally.under_way += count
            self._sent += [now] * count
            self._transport.write(b"".join([next(self._tally.calls) for _ in range(count)]))


async def _measured(
    redis: Redis, pid: int, url: str, calls: Iterator[bytes],
    *, connections: int, window: int, seconds: float, most: int = MOST_CALLS,
) -> tuple[object, ...]:  # fmt: skip
    await redis.config_resetstat(target_nodes=Redis.PRIMARIES)
    began, cpu = time.perf_counter(), process_seconds(pid)
    tally = Tally(calls, most, began + seconds)
    callers = [await _connect(url, Caller(tally, window)) for _ in range(connections)]
    for _, caller in callers:
        caller.begin()
    await tally.done.wait()
    took, spent = time.perf_counter() - began, process_seconds(pid) - cpu
    for transport, _ in callers:
        transport.close()
    stats = await redis.execute_command("INFO", "latencystats", target_nodes=redis.get_default_node())
    inside = stats["latency_percentiles_usec_fcall"]
    answered = (percentile(tally.took_ms, 0.5), percentile(tally.took_ms, 0.99))
    shown = (float(inside["p50"]) / 1000, float(inside["p99"]) / 1000)
    return (
        tally.answered,
        tally.refused,
        *shown,
        *answered,
        round(tally.answered / took),
        spent / took,
        spent / tally.answered * 1e6,
    )


async def _connect(url: str, protocol: Any) -> tuple[asyncio.Transport, Any]:
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, where.hostname or LOOPBACK, where.port or 6379)
    heard = asyncio.Event()
    transport.set_protocol(_Once(heard))
    transport.write(_encoded(("AUTH", where.password)))
    await heard.wait()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    return transport, protocol


class _Once(asyncio.Protocol):
    def __init__(self, heard: asyncio.Event) -> None:
        self._heard = heard

    def data_received(self, data: bytes) -> None:
        self._heard.set()


async def _listen(url: str, channels: list[str]) -> asyncio.Transport:
    """A node that hears every message and makes nothing of it."""
    transport, _ = await _connect(url, asyncio.Protocol())
    for name in channels:
        transport.write(_encoded(("SSUBSCRIBE", name)))
    return transport
