"""Sessions whose requests land on a node that did not open them."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.local.parts import LOOPBACK, free_port
from infra.local.process import start
from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime.wire.engine import NAME_CHARACTERS
from realtime.wire.relay import SESSION_ID
from tests.realtime.interop.clients import NodeClient
from tests.realtime.interop.conftest import bridge
from tests.realtime.nodes import TestNode, node_part, token_of, until

__all__ = ["bridge"]  # the fixture

POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Polling:
    """A client that polls by hand; it opens its session at `home`."""

    def __init__(self, http: aiohttp.ClientSession, home: str) -> None:
        self._http = http
        self._home = home
        self.sid = ""

    async def open(self) -> "Polling":
        async with self._http.get(self._home + POLLING) as answer:
            self.sid = json.loads((await answer.text())[1:])["sid"]
        return self

    async def join(self, by: str) -> str:
        assert await self.post(by, "40") == (200, "ok")
        return (await self.poll(by))[1]

    async def poll(self, by: str) -> tuple[int, str]:
        async with self._http.get(f"{by}{POLLING}&sid={self.sid}") as answer:
            return answer.status, await answer.text()

    async def post(self, by: str, body: str) -> tuple[int, str]:
        async with self._http.post(f"{by}{POLLING}&sid={self.sid}", data=body) as answer:
            return answer.status, await answer.text()


def code_of(answer: tuple[int, str]) -> tuple[int, str]:
    status, body = answer
    return status, json.loads(body)["error"]["code"]


@asynccontextmanager
async def worst_balancer(nodes: Sequence[TestNode]) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """Gives every request of a session to a node that did not open it. Yields its URL and what it passed so far."""
    passed: list[tuple[str, str]] = []
    pipes: set[asyncio.Task[Any]] = set()

    def choose(head: bytes) -> TestNode:
        found = re.search(rb"[?&]sid=([^& ]+)", head.split(b"\r\n")[0])
        if found is None:
            return nodes[0]
        sid = found[1].decode()
        transport = "websocket" if b"transport=websocket" in head else "polling"
        passed.append((head.split()[0].decode(), transport))
        return next(node for node in nodes if not sid.startswith(node.engine.name))

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        port = int(choose(head).http.rpartition(":")[2])
        other_reader, other_writer = await asyncio.open_connection(LOOPBACK, port)
        other_writer.write(head)
        both = [asyncio.create_task(pipe(reader, other_writer)), asyncio.create_task(pipe(other_reader, writer))]
        pipes.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for end in (writer, other_writer):
            end.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}", passed
    finally:
        server.close()


@pytest.mark.parametrize("transport", ["polling", "upgrade"])
async def test_the_official_client_gets_along_with_a_balancer_that_always_errs(
    nodes: list[TestNode], bridge: Any, transport: str, stream_id: str
) -> None:
    async with worst_balancer(nodes) as (url, passed):
        client = NodeClient(bridge, ["polling"] if transport == "polling" else None)
        await client.connect(url, {"token": token_of("ada")})
        if transport == "upgrade":
            while await client.transport() != "websocket":  # noqa: ASYNC110  # the client tells nobody
                await asyncio.sleep(0.01)
        assert (await client.call("room:join", {"stream_id": stream_id}))[0]["ok"]
        said = ["first", "second", "third"]
        for number, text in enumerate(said):
            message = {"stream_id": stream_id, "id": f"message-{number}", "text": text}
            assert (await client.call("chat:send", message))[0]["ok"]
        heard: list[str] = []
        while len(heard) < len(said):
            heard += [entry["text"] for entry in (await client.heard("chat"))[0]]
        assert heard == said
        assert await client.transport() == ("polling" if transport == "polling" else "websocket")
        assert nodes[0].realtime.connections == 1
        await client.close()
        await until(lambda: nodes[0].realtime.connections == 0)
        await until(lambda: nodes[0].engine.places.taken == nodes[1].engine.places.taken == 0)
    assert ("POST", "polling") in passed
    assert (("GET", "websocket") in passed) == (transport == "upgrade")


async def test_either_node_answers_for_a_session(nodes: list[TestNode], http: aiohttp.ClientSession) -> None:
    client = await Polling(http, nodes[0].http).open()
    assert (await client.join(nodes[1].http)).startswith("40")
    for node in (*nodes, *nodes):
        assert await client.post(node.http, '4210["no:such"]') == (200, "ok")
        assert "request.unknown_event" in (await client.poll(node.http))[1]


async def test_what_a_broken_poll_did_not_get_the_next_one_does(
    nodes: list[TestNode], http: aiohttp.ClientSession
) -> None:
    client = await Polling(http, nodes[0].http).open()
    await client.join(nodes[1].http)
    broken = asyncio.create_task(client.poll(nodes[1].http))
    await asyncio.sleep(0.2)
    broken.cancel()  # closes its connection, as a phone that changes networks
    await asyncio.gather(broken, return_exceptions=True)
    await asyncio.sleep(0.2)
    await client.post(nodes[1].http, '4210["no:such"]')
    assert "request.unknown_event" in (await client.poll(nodes[1].http))[1]


async def test_sessions_of_a_killed_node_are_unknown(
    node: TestNode, redis_settings: RedisSettings, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    part = node_part(tmp_path, free_port(), redis_settings)
    process = await start(part)
    try:
        await process.wait_ready()
        client = await Polling(http, f"http://{part.address}").open()
        assert (await client.join(node.http)).startswith("40")
        waiting = asyncio.create_task(client.poll(node.http))
        await asyncio.sleep(0.2)  # it is on its way; nothing tells us
        process.send(signal.SIGKILL)
        assert code_of(await waiting) == (400, "realtime.session_unknown")
        assert code_of(await client.poll(node.http)) == (400, "realtime.session_unknown")
        assert code_of(await client.post(node.http, "40")) == (400, "realtime.session_unknown")
    finally:
        await process.stop()


@pytest.mark.parametrize("named", ["the other node", "nobody"])
async def test_made_up_sessions_are_unknown(nodes: list[TestNode], http: aiohttp.ClientSession, named: str) -> None:
    client = Polling(http, nodes[0].http)
    client.sid = (nodes[1].engine.name if named == "the other node" else "0" * NAME_CHARACTERS) + "x" * 22
    assert code_of(await client.poll(nodes[0].http)) == (400, "realtime.session_unknown")
    assert code_of(await client.post(nodes[0].http, "40")) == (400, "realtime.session_unknown")
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{nodes[0].url}{WEBSOCKET}&sid={client.sid}", compression=None)
    assert refused.value.response.status_code == 400
    assert b"realtime.session_unknown" in (refused.value.response.body or b"")
    assert nodes[0].engine.places.taken == 0


async def test_a_body_that_is_too_large_is_not_passed_on(nodes: list[TestNode], http: aiohttp.ClientSession) -> None:
    client = await Polling(http, nodes[0].http).open()
    await client.join(nodes[1].http)
    assert code_of(await client.post(nodes[1].http, "4" + "x" * 100_000)) == (400, "realtime.transport")
    assert await client.post(nodes[1].http, '4210["no:such"]') == (200, "ok")


async def test_the_private_door_opens_nothing_and_passes_nothing_on(
    nodes: list[TestNode], redis: Redis, http: aiohttp.ClientSession
) -> None:
    told: Any = await redis.get(f"realtime:node:{nodes[0].engine.name}")
    host, port = told.decode().split()
    door = f"http://{host}:{port}"
    stranger = await Polling(http, nodes[1].http).open()
    newcomer = Polling(http, door)
    assert code_of(await newcomer.poll(door)) == (400, "realtime.session_unknown")
    async with http.get(door + POLLING) as answer:
        assert code_of((answer.status, await answer.text())) == (400, "realtime.session_unknown")
    assert code_of(await stranger.poll(door)) == (400, "realtime.session_unknown")
    with pytest.raises(InvalidStatus):
        await connect(f"ws://{host}:{port}{WEBSOCKET}", compression=None)


async def test_both_ends_of_a_tunnel_end_together(nodes: list[TestNode], http: aiohttp.ClientSession) -> None:
    for ending in ("server", "client"):
        client = await Polling(http, nodes[0].http).open()
        await client.join(nodes[0].http)
        socket = await connect(f"{nodes[1].url}{WEBSOCKET}&sid={client.sid}", compression=None)
        await socket.send("2probe")
        assert await socket.recv() == "3probe"
        await socket.send("5")
        session = nodes[0].engine.sockets[client.sid]
        await until(partial(getattr, session, "upgraded"))
        assert nodes[1].engine.places.taken == 1
        if ending == "server":
            session.finish("enough")
            with pytest.raises(ConnectionClosed):
                while True:
                    await asyncio.wait_for(socket.recv(), 10)
        else:
            socket.transport.abort()
        await until(lambda: not nodes[0].engine.sockets)
        await until(lambda: nodes[1].engine.places.taken == 0)
        await socket.close()


async def test_a_node_that_stops_tells_those_who_poll_through_another(
    nodes: list[TestNode], http: aiohttp.ClientSession
) -> None:
    client = await Polling(http, nodes[0].http).open()
    await client.join(nodes[1].http)
    waiting = asyncio.create_task(client.poll(nodes[1].http))
    await asyncio.sleep(0.1)  # it is on its way; nothing tells us
    await nodes[0].realtime.drain(1.0)
    assert "node.draining" in (await waiting)[1]


async def test_a_tunnel_holds_little_for_a_client_that_does_not_read(
    nodes: list[TestNode], http: aiohttp.ClientSession
) -> None:
    client = await Polling(http, nodes[0].http).open()
    await client.join(nodes[0].http)
    async with connect(f"{nodes[1].url}{WEBSOCKET}&sid={client.sid}", compression=None) as socket:
        await socket.send("2probe")
        await socket.recv()
        await socket.send("5")
        session = nodes[0].engine.sockets[client.sid]
        await until(partial(getattr, session, "upgraded"))
        socket.transport.pause_reading()
        sent = 0
        owners = session.connection
        assert owners is not None
        while not owners.paused:
            session.offer(f"4{sent:07d}" + "x" * 50_000)
            sent += 1
            assert sent < 1000  # 50 MB; the kernel's buffers on this path hold some 10
            await asyncio.sleep(0.001)
        socket.transport.resume_reading()
        for number in range(sent):
            message = str(await asyncio.wait_for(socket.recv(), 10))
            assert (message[:8], len(message)) == (f"4{number:07d}", 50_008)


async def test_ids_name_their_node_and_cannot_be_guessed(nodes: list[TestNode]) -> None:
    ids = {node.engine.generate_id() for node in nodes for _ in range(1000)}
    assert len({sid[NAME_CHARACTERS:] for sid in ids}) == 2000
    assert {sid[:NAME_CHARACTERS] for sid in ids} == {node.engine.name for node in nodes}
    assert all(SESSION_ID.fullmatch(sid) for sid in ids)  # 22 characters of base64 are 128 bits
