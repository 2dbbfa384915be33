"""Whatever a client sends, on a WebSocket or polling, the node lives, is quiet, and keeps nothing of it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.realtime.fuzz.packets import MASTERPIECES, WRONG, mutated, random_packet
from tests.realtime.nodes import TestNode, token_of, until

SEEDS = range(6)
SOCKETS = 40  # for each seed
PATH = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(autouse=True)
async def unharmed(shared_node: TestNode, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """After each test: every session gone, nothing logged as an error, and an honest client served."""
    with capture_logs() as lines:
        yield
        await until(lambda: not shared_node.engine.sockets)
        await until(lambda: shared_node.realtime.connections == 0)
    assert not [line for line in lines if line["log_level"] in {"error", "critical"} or "exc_info" in line]
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"} or record.exc_info]
    offences = [line["sid"] for line in lines if line["event"] == "socket.garbage"]
    assert len(offences) == len(set(offences)), "an offence is told once"
    async with connect(shared_node.url + PATH, compression=None) as client:
        await client.recv()
        await client.send("40" + json.dumps({"token": token_of("ada")}))
        assert str(await client.recv()).startswith("40{")
    await until(lambda: not shared_node.engine.sockets)


async def drained(client: ClientConnection) -> list[str]:
    """All that is said until nothing comes for a moment or the connection ends."""
    heard = []
    try:
        while True:
            async with asyncio.timeout(0.05):
                heard.append(str(await client.recv()))
    except (ConnectionClosed, TimeoutError):
        return heard


async def throw(node: TestNode, packets: list[str | bytes], *, join: bool) -> list[str]:
    """Send packets on a WebSocket of their own."""
    async with connect(node.url + PATH, compression=None, max_size=None, close_timeout=1) as client:
        await client.recv()
        if join:
            await client.send("40")
            await client.recv()
        try:
            for packet in packets:
                await client.send(packet)
        except ConnectionClosed:
            pass
        return await drained(client)


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_packets_on_websockets(shared_node: TestNode, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # not a secret
    for _ in range(SOCKETS // 10):
        throws = [
            throw(shared_node, [random_packet(rng) for _ in range(rng.randint(1, 8))], join=rng.random() < 0.7)
            for _ in range(10)
        ]
        await asyncio.gather(*throws)


@pytest.mark.parametrize("packet", WRONG, ids=lambda packet: packet[:24].encode("unicode_escape").decode())
async def test_every_known_trick(shared_node: TestNode, packet: str) -> None:
    await throw(shared_node, [packet], join=True)
    await throw(shared_node, [packet], join=False)
    await throw(shared_node, [packet, b"attachment", packet], join=True)


@pytest.mark.parametrize(
    "packet",
    ['42["room:join",{}]', '421["chat:send",{}]', '451-["a",{}]', "431[]", "41", '42["connect",{}]'],
)
async def test_nothing_is_handled_before_connect(shared_node: TestNode, packet: str) -> None:
    before = shared_node.streams.asked
    heard = await throw(shared_node, [packet], join=False)
    assert not [frame for frame in heard if frame.startswith(("42[", "43")) and "session:closing" not in frame]
    assert shared_node.streams.asked == before


async def opened(session: aiohttp.ClientSession, node: TestNode, *, join: bool = True) -> str:
    """The address of a polling session."""
    async with session.get(f"{node.http}/socket.io/?EIO=4&transport=polling") as answer:
        sid = json.loads((await answer.text())[1:])["sid"]
    url = f"{node.http}/socket.io/?EIO=4&transport=polling&sid={sid}"
    if join:
        async with session.post(url, data="40") as answer:
            assert await answer.text() == "ok"
        async with session.get(url) as answer:
            assert (await answer.text()).startswith("40{")
    return url


async def left(session: aiohttp.ClientSession, url: str) -> None:
    """Say goodbye; the session may be over already."""
    async with session.post(url, data="1") as answer:
        await answer.read()


BODIES = (
    b"", b"\x1e", b"\x1e" * 5000, b"b", b"b!!!", b"bAAAA", b"b" + b"A" * 60_000, b"\xff\xfe", b"x" * 70_000, b"4\x1e4",
    b"\x1e".join([b"3"] * 17), b"2probe", b"5", b'd=42["x"]', b'42["room:join",{}]\x1ebAAAA',
    '42["✓"]'.encode("utf-16"),
    b'451-["x",{"_placeholder":true,"num":0}]\x1ebAAA=', b'4511-["x"]\x1ebAAAA', b"40\x1e40\x1e40\x1e40\x1e40",
)  # fmt: skip


@pytest.mark.parametrize("join", [True, False])
async def test_garbage_in_polling_requests(shared_node: TestNode, join: bool) -> None:
    async with aiohttp.ClientSession() as session:

        async def tried(body: bytes) -> None:
            url = await opened(session, shared_node, join=join)
            for kind in ("text/plain;charset=UTF-8", "application/octet-stream", "multipart/form-data; boundary=x"):
                async with session.post(url, data=body, headers={"Content-Type": kind}) as answer:
                    assert answer.status < 500, body[:40]
            await left(session, url)

        await asyncio.gather(*map(tried, BODIES))


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_payloads_while_polling(shared_node: TestNode, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # not a secret
    async with aiohttp.ClientSession() as session:
        for _ in range(10):
            url = await opened(session, shared_node, join=rng.random() < 0.7)
            parts = [mutated(rng, rng.choice(MASTERPIECES)) for _ in range(rng.randint(1, 6))]
            async with session.post(url, data="\x1e".join(parts).encode(errors="replace")) as answer:
                assert answer.status < 500
            await left(session, url)


@pytest.mark.parametrize(
    "query",
    [
        "EIO=4&transport=polling&j=0",
        "EIO=4&transport=polling&j=alert(1)",
        "EIO=4&transport=polling&sid=guess",
        "EIO=4&transport=polling&sid=" + "a" * 5000,
        "EIO=4&transport=polling&sid=%00%ff",
        "EIO=4&transport=polling&sid=a&sid=b",
        "EIO=3&transport=polling",
        "EIO=4&EIO=3&transport=polling",
        "EIO=4&transport=websocket",
        "EIO=4&transport=webtransport",
        "EIO=4",
        "",
        "%",
    ],
)
async def test_queries_that_make_no_sense_are_refused(shared_node: TestNode, query: str) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "POST", "PUT", "DELETE"):
            async with session.request(method, f"{shared_node.http}/socket.io/?{query}", data=b"x") as answer:
                assert 400 <= answer.status < 500
                assert b"___eio" not in await answer.read()


async def test_a_closed_session_is_unknown(shared_node: TestNode) -> None:
    async with aiohttp.ClientSession() as session:
        url = await opened(session, shared_node)
        await left(session, url)
        await until(lambda: not shared_node.engine.sockets)
        for request in (session.get(url), session.post(url, data="3")):
            async with request as answer:
                assert answer.status == 400


async def test_two_polls_at_once_do_not_share_what_comes(shared_node: TestNode) -> None:
    async with aiohttp.ClientSession() as session:
        url = await opened(session, shared_node)
        polls = [asyncio.create_task(_text(session, url)) for _ in range(2)]
        await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED, timeout=1)
        await left(session, url)
        answers = await asyncio.gather(*polls)
        assert all(status in {200, 400} for status, _ in answers)
        await until(lambda: not shared_node.engine.sockets)


async def test_an_upgrade_without_a_probe_or_with_two_is_no_upgrade(shared_node: TestNode) -> None:
    for packets in (["5"], ["2probe", "2probe"], ["4"], ["2probe", '42["room:join",{}]'], [b"2probe"], ["2"], [""]):
        async with aiohttp.ClientSession() as session:
            url = await opened(session, shared_node)
            async with connect(url.replace("http", "ws").replace("polling", "websocket"), close_timeout=1) as client:
                for packet in packets:
                    await client.send(packet)
                heard = await drained(client)
                assert set(heard) <= {"3probe"}
            await left(session, url)


async def test_a_session_on_a_websocket_cannot_be_upgraded_or_polled(shared_node: TestNode) -> None:
    async with connect(shared_node.url + PATH) as client, aiohttp.ClientSession() as session:
        sid = json.loads(str(await client.recv())[1:])["sid"]
        for transport in ("polling", "websocket"):
            answer = await _text(session, f"{shared_node.http}/socket.io/?EIO=4&transport={transport}&sid={sid}")
            # A poll that crossed its own upgrade is told to go away (NOOP), and gets nothing of the session.
            assert answer[0] == 400 or (transport, *answer) == ("polling", 200, "6")


async def test_two_probes_of_one_session_move_it_once(shared_node: TestNode) -> None:
    async with aiohttp.ClientSession() as session:
        url = await opened(session, shared_node)
        target = url.replace("http", "ws").replace("polling", "websocket")
        async with connect(target) as first, connect(target) as second:
            await first.send("2probe")
            assert await first.recv() == "3probe"
            await second.send("2probe")
            assert "3probe" not in await drained(second)
            await first.send("5")
            await first.send('421["room:leave",{"stream_id":"stream-1"}]')
            assert [frame for frame in await drained(first) if frame.startswith("431")]
        await until(lambda: not shared_node.engine.sockets)


async def _text(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as answer:
        return answer.status, await answer.text()
