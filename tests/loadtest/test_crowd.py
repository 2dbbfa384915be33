"""The generator counts honestly: against a room that misbehaves on purpose, nothing wrong passes for right."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from infra.local.parts import LOOPBACK
from loadtest.realtime.crowd import Crowd, NoCompiler, compile_generator, crowd

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the generator needs a C compiler")
EPOCH = "0a1b2c3d"
Behaviour = Callable[[ServerConnection], Awaitable[None]]


def entry(offset: int) -> dict[str, Any]:
    stamp = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    return {"offset": offset, "stream_id": "room", "kind": "message", "text": f"t{stamp} hello"}


def chat(*offsets: int) -> str:
    return "42" + json.dumps(["chat", [entry(offset) for offset in offsets]], separators=(",", ":"))


def joined(offset: int, *entries: int, recovered: bool = False) -> str:
    answer = {"ok": True, "epoch": EPOCH, "offset": offset, "recovered": recovered, "entries": [*map(entry, entries)]}
    return "430" + json.dumps([answer], separators=(",", ":"))


@dataclass
class Room:
    """A server of Socket.IO's handshake that answers joins with what it is told to, one after the other."""

    answers: list[str]
    then: Sequence[str] = ()
    behave: Behaviour | None = None
    joins: list[dict[str, Any]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    port: int = 0

    async def take(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.addresses.append(socket.request.headers["X-Forwarded-For"])
        await socket.send('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
        await socket.recv()
        await socket.send('40{"sid":"s"}')
        try:
            async for frame in socket:
                await self._hear(socket, str(frame))
        except ConnectionClosed:
            return

    async def _hear(self, socket: ServerConnection, frame: str) -> None:
        if not frame.startswith('420["room:join"'):
            return
        self.joins.append(json.loads(frame[3:])[1])
        await socket.send(self.answers[min(len(self.joins), len(self.answers)) - 1])
        if len(self.joins) == 1:
            for frame_out in self.then:
                await socket.send(frame_out)
            if self.behave is not None:
                await self.behave(socket)


@pytest.fixture(scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await compile_generator(tmp_path_factory.mktemp("generator"))


@asynccontextmanager
async def audience(program: Path, *rooms: Room, clients: int = 1) -> AsyncIterator[Crowd]:
    """Clients of the rooms' servers, already in."""
    servers = [await serve(room.take, LOOPBACK, 0, compression=None) for room in rooms]
    for room, server in zip(rooms, servers, strict=True):
        room.port = next(iter(server.sockets)).getsockname()[1]
    try:
        async with crowd(program, [room.port for room in rooms], room="room", text_bytes=30) as people:
            await people.connect(clients, port=0)
            yield people
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


async def test_every_entry_of_a_merged_frame_counts_and_the_frame_once(program: Path) -> None:
    async with audience(program, Room([joined(4)], [chat(5, 6, 7), chat(8)])) as people:
        told = await people.listen(0.3)
    [report] = told.reports
    assert (report.frames, report.messages, told.wrong) == (2, 4, 0)
    assert report.delay.count == 4
    assert 0 < report.delay.p50 < 5000


async def test_a_gap_is_filled_by_joining_with_the_position(program: Path) -> None:
    room = Room([joined(4), joined(7, 6, 7, recovered=True)], [chat(5), chat(7)])
    async with audience(program, room) as people:
        told = await people.listen(0.3)
    assert room.joins[1] == {"stream_id": "room", "epoch": EPOCH, "offset": 5}
    assert (told.sum("gaps"), told.sum("recovered"), told.wrong) == (1, 2, 0)


async def test_what_a_recovery_leaves_out_is_lost(program: Path) -> None:
    async with audience(program, Room([joined(4), joined(7, recovered=True)], [chat(5), chat(7)])) as people:
        assert (await people.listen(0.3)).sum("lost") == 2


async def test_a_room_that_cannot_recover_has_lost_what_is_missing(program: Path) -> None:
    async with audience(program, Room([joined(4), joined(9)], [chat(5), chat(9)])) as people:
        told = await people.listen(0.3)
    assert (told.sum("resets"), told.sum("lost")) == (1, 4)


async def test_an_entry_that_comes_again_later_is_wrong(program: Path) -> None:
    async def repeat(socket: ServerConnection) -> None:
        await asyncio.sleep(2.2)  # around a join an entry may come twice
        await socket.send(chat(5))

    async with audience(program, Room([joined(4)], [chat(5), chat(5)], repeat)) as people:
        told = await people.listen(2.6)
    assert (told.sum("repeats"), told.sum("duplicates"), told.wrong) == (1, 1, 1)


async def test_who_misses_the_end_is_behind(program: Path) -> None:
    async with audience(program, Room([joined(4)], [chat(5)]), clients=2) as people:
        told = await people.settle_at(6, 0.3)
    assert told.sum("behind") == 3  # the first one lacks 6; the second one joined at 4 and got neither


async def test_a_lost_connection_comes_back_to_the_other_server_with_its_position(program: Path) -> None:
    async def drop(socket: ServerConnection) -> None:
        socket.transport.abort()

    first, second = Room([joined(4)], [chat(5)], drop), Room([joined(6, 6, recovered=True)])
    async with audience(program, first, second) as people:
        told = await people.settle_at(6, 10)
    assert second.joins == [{"stream_id": "room", "epoch": EPOCH, "offset": 5}]
    assert (told.sum("back"), told.sum("recovered"), told.wrong) == (1, 1, 0)
    assert told.worst("back_after").p50 >= 490


async def test_a_connection_that_ends_with_its_last_bytes_is_seen_to_end(program: Path) -> None:
    seated = asyncio.Event()

    async def speak_and_leave(socket: ServerConnection) -> None:
        await seated.wait()
        os.kill(people.processes[0], signal.SIGSTOP)  # so that the bytes and the end reach it at once
        await socket.send(chat(5))
        socket.transport.abort()
        asyncio.get_running_loop().call_later(0.2, os.kill, people.processes[0], signal.SIGCONT)

    first, second = Room([joined(4)], behave=speak_and_leave), Room([joined(6, 6, recovered=True)])
    async with audience(program, first, second) as people:
        seated.set()
        told = await people.settle_at(6, 10)
    assert (told.sum("drops"), told.sum("back"), told.wrong) == (1, 1, 0)


async def test_who_is_told_to_move_moves(program: Path) -> None:
    closing = {"code": "node.draining", "message": "", "reconnect": True, "delay_ms": 50}
    first = Room([joined(4)], ["42" + json.dumps(["session:closing", closing], separators=(",", ":"))])
    second = Room([joined(4, recovered=True)])
    async with audience(program, first, second) as people:
        told = await people.settle_at(4, 10)
        assert (told.sum("back"), told.sum("dismissed")) == (1, 0)
    assert told.worst("back_after").max < 10_000


async def test_a_client_that_is_sent_away_shows(program: Path) -> None:
    closing = {"code": "socket.misbehaved", "message": "", "reconnect": False, "delay_ms": 0}
    room = Room([joined(4)], ["42" + json.dumps(["session:closing", closing], separators=(",", ":"))])
    async with audience(program, room) as people:
        assert (await people.listen(0.2)).wrong == 1


async def test_who_stalls_reads_nothing_and_is_not_counted_as_behind(program: Path) -> None:
    async def later(socket: ServerConnection) -> None:
        await asyncio.sleep(1.0)
        await socket.send(chat(5))

    room = Room([joined(4)], behave=later)
    servers = await serve(room.take, LOOPBACK, 0, compression=None)
    port = next(iter(servers.sockets)).getsockname()[1]
    async with crowd(program, [port], room="room", text_bytes=30) as people:
        await people.connect(1, kind="s")
        await people.stall()
        told = await people.listen(1.4)
        assert (told.sum("messages"), (await people.settle(0.2)).wrong) == (0, 0)
    servers.close()
    await servers.wait_closed()


async def test_every_client_has_an_address_of_its_own(program: Path) -> None:
    room = Room([joined(4)])
    async with audience(program, room, clients=20):
        pass
    assert len(set(room.addresses)) == 20


async def test_without_a_compiler_the_bench_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler, match="C compiler"):
        await compile_generator(tmp_path)
