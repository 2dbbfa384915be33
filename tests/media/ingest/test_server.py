"""The RTMP port with real encoders and with those who only pretend to be one."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from infra.local.parts import LOOPBACK, free_port
from media.errors import AlreadyPublishing, KeyRefused, StreamIsOver
from media.ingest import server as ingest
from media.ingest.flv import Tag
from media.ingest.rtmp import Metadata
from media.ingest.server import IngestServer, Line, Taker
from tests.media.ingest.test_rtmp import CONNECT, GREETING, PUBLISH
from tests.media.publisher import publishing

REFUSALS = {
    "live_wrong": KeyRefused,
    "live_used": AlreadyPublishing,
    "live_ended": StreamIsOver,
}


@dataclass
class Kept:
    """Keeps what one publisher sent."""

    line: Line
    events: list[Tag | Metadata] = field(default_factory=list)
    reason: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, event: Tag | Metadata) -> None:
        self.events.append(event)
        self.grown.set()

    async def gone(self, reason: str) -> None:
        self.reason = reason
        self.ended.set()

    async def grows(self) -> None:
        self.grown.clear()
        await self.grown.wait()


class Port:
    """A listening ingest; `kept` is who was let in."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.port = free_port()
        self.server = IngestServer(self.admit)

    def url(self, key: str) -> str:
        return f"rtmp://{LOOPBACK}:{self.port}/live/{key}"

    async def admit(self, key: str, line: Line) -> Taker:
        if key in REFUSALS:
            raise REFUSALS[key]
        self.kept[key] = Kept(line)
        return self.kept[key]

    async def talk(self, said: bytes) -> bytes:
        """Say something, then listen until we are hung up on."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        writer.write(said)
        try:
            return await reader.read(-1)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110  # the server tells nobody about strangers
            await asyncio.sleep(0.01)

    async def is_empty(self) -> None:
        await self.until(lambda: not self.server.connections)

    async def let_in(self, key: str) -> "Kept":
        await self.until(lambda: key in self.kept)
        return self.kept[key]


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Port]:
    for name, seconds in (("HANDSHAKE_SECONDS", 0.4), ("PREPUBLISH_SECONDS", 0.8), ("IDLE_SECONDS", 1.0)):
        monkeypatch.setattr(ingest, name, seconds)  # the same rules in less time
    port = Port()
    await port.server.start(LOOPBACK, port.port)
    yield port
    await port.server.close()


async def test_a_publisher_is_heard_until_it_stops(port: Port) -> None:
    async with publishing(port.url("live_good"), seconds=0.5, real_time=False) as publisher:
        assert await publisher.ended() == 0
    kept = port.kept["live_good"]
    await kept.ended.wait()
    assert kept.reason == "unpublished"
    assert any(isinstance(event, Metadata) for event in kept.events)


@pytest.mark.parametrize("key", REFUSALS)
async def test_a_bad_key_is_refused_by_name(port: Port, key: str) -> None:
    async with publishing(port.url(key)) as publisher:
        assert await publisher.ended() != 0
    assert REFUSALS[key].message in publisher.said


@pytest.mark.parametrize(
    "said",
    [b"", b"\x03", b"GET / HTTP/1.1\r\n\r\n", bytes(5000), GREETING[:2000], GREETING, GREETING + CONNECT],
    ids=["silence", "one byte", "http", "zeros", "half a handshake", "no command", "no publish"],
)
async def test_who_does_not_publish_is_hung_up_on(port: Port, said: bytes) -> None:
    await port.talk(said)
    await port.is_empty()


async def test_a_handshake_byte_by_byte_is_hung_up_on(port: Port) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port.port)
    listening = asyncio.create_task(reader.read(-1))
    while not listening.done():
        writer.write(b"\x03")
        await asyncio.wait({listening}, timeout=0.05)
    await asyncio.gather(listening, return_exceptions=True)
    writer.close()


async def test_a_publisher_who_falls_silent_is_told_and_hung_up_on(port: Port) -> None:
    assert b"Nothing came for too long." in await port.talk(GREETING + CONNECT + PUBLISH)
    assert port.kept["live_key"].reason == "silent"


async def test_our_own_end_is_told_with_its_reason(port: Port) -> None:
    async with publishing(port.url("live_good")) as publisher:
        kept = await port.let_in("live_good")
        await kept.grows()
        kept.line.hang_up("stopped_by_creator", "This stream is over.")
        await kept.ended.wait()
        assert kept.reason == "stopped_by_creator"
        assert await publisher.ended() != 0


async def test_a_fault_of_ours_still_releases_the_stream(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(kept: Kept, event: Tag | Metadata) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Kept, "take", broken)
    async with publishing(port.url("live_good")) as publisher:
        assert await publisher.ended() != 0
    await port.kept["live_good"].ended.wait()
    assert port.kept["live_good"].reason == "internal"


async def test_strangers_from_one_address_are_few(port: Port) -> None:
    waiting = [asyncio.create_task(port.talk(b"\x03")) for _ in range(3 * ingest.MAX_STRANGERS_PER_ADDRESS)]
    most = 0
    while not all(task.done() for task in waiting):
        most = max(most, port.server.connections)
        await asyncio.sleep(0.01)
    assert 0 < most <= ingest.MAX_STRANGERS_PER_ADDRESS


async def test_a_publisher_is_undisturbed_by_mutated_sessions(port: Port, recorded: bytes) -> None:
    chance = random.Random(7)  # noqa: S311  # which bytes are broken need not be secret
    async with publishing(port.url("live_good")):
        good = await port.let_in("live_good")
        for _ in range(4):
            mutated = []
            for _ in range(10):
                session = bytearray(recorded)
                for _ in range(chance.randint(1, 6)):
                    session[chance.randrange(len(session))] = chance.randrange(256)
                mutated.append(port.talk(bytes(session[: chance.randrange(3000, len(session))])))
            await asyncio.gather(*mutated)
        await good.grows()
        assert not good.ended.is_set()
        good.line.hang_up("done", "Done.")
    await port.is_empty()
