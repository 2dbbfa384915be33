"""What a client may do to the wire, and what it may not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import socketio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.stores.redis import Redis
from realtime.client import open_client
from realtime.wire.engine import Engine
from realtime.wire.socket import EngineSocket
from tests.realtime.nodes import ORIGIN, TestNode, token_of, until

PATH = "/socket.io/?EIO=4&transport=websocket"


@asynccontextmanager
async def raw(node: TestNode, *, join: bool = True) -> AsyncIterator[ClientConnection]:
    async with connect(node.url + PATH, compression=None, max_size=None) as client:
        await client.recv()
        if join:
            await client.send("40")
            await client.recv()
        yield client


async def ended(client: ClientConnection) -> list[str]:
    """Everything the client is told until the connection ends."""
    heard = []
    try:
        async with asyncio.timeout(20):
            while True:
                heard.append(str(await client.recv()))
    except ConnectionClosed:
        return heard


@pytest.mark.parametrize(
    "frame",
    [
        '42["connect",{"HTTP_COOKIE":"__Host-access=forged"},{"token":"x"}]',
        '42["disconnect","ping timeout"]',
        '42["connect_error"]',
        '42["__disconnect_final"]',
        "",
        "x",
        "4",
        "49",
        "42",
        "42{}",
        "42[]",
        "42[5]",
        '42["a",1,2]',
        '42["a"',
        "42" + "[" * 60_000,
        '42["room:join",' + "[" * 30_000 + "]" * 30_000 + "]",
        '429999999999999["a"]',
        '42²["a"]',
        '45999999999-["x",{"_placeholder":true,"num":0}]',
        '4511-["x"]',
        "45-[]",
        "461-[]",
        "43[]",
        "44{}",
        "40",
        "42/" + "x" * 200 + ',["a"]',
        b"binary",
        b"",
        "2probe",
        "5",
        "6",
    ],
    ids=lambda frame: str(frame)[:20],
)
async def test_frames_no_client_sends_end_the_socket(shared_node: TestNode, frame: str | bytes) -> None:
    async with raw(shared_node) as client:
        await client.send(frame)
        heard = await ended(client)
    assert [json.loads(frame[2:])[1]["code"] for frame in heard if "session:closing" in frame] == ["socket.misbehaved"]


async def test_a_forged_disconnect_runs_nothing_and_real_ones_run_once(shared_node: TestNode) -> None:
    before = shared_node.realtime.connections
    async with raw(shared_node) as client:
        assert shared_node.realtime.connections == before + 1
        await client.send('42["disconnect","x"]')
        await ended(client)
    await until(lambda: shared_node.realtime.connections == before)


async def test_a_frame_above_64_kib_ends_the_socket(shared_node: TestNode) -> None:
    async with raw(shared_node) as client:
        await client.send('42["chat:send","' + "x" * 70_000 + '"]')
        await ended(client)
    assert client.close_code == 1009


async def test_who_never_connects_is_closed(shared_node: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "connect_seconds", 0.2)
    async with raw(shared_node, join=False) as client:
        assert await ended(client) == []


async def test_a_client_that_answers_no_ping_is_closed(shared_node: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_node.engine, "ping_interval", 0.1)
    monkeypatch.setattr(shared_node.engine, "ping_timeout", 0.2)
    async with raw(shared_node) as client:
        assert await ended(client) == ["2"]


async def test_events_of_one_client_keep_their_order(shared_node: TestNode, stream_id: str) -> None:
    async with open_client([shared_node.url], token=token_of("ada")) as ada:
        view = await ada.join(stream_id)
        await asyncio.gather(*(ada.send(stream_id, str(number)) for number in range(10)))
        await ada.until(lambda: view.offset == 10)
    assert [entry["text"] for entry in view.entries] == [str(number) for number in range(10)]


async def test_a_binary_event_that_nobody_takes_is_refused_and_nothing_ends(shared_node: TestNode) -> None:
    async with raw(shared_node) as client:
        await client.send('451-7["chat:send",{"_placeholder":true,"num":0}]')
        await client.send(b"x")
        answer = str(await client.recv())
    assert answer.startswith("437")
    assert json.loads(answer[3:])[0]["error"]["code"] == "request.invalid"


async def test_an_attachment_that_does_not_come_ends_the_socket(shared_node: TestNode) -> None:
    async with raw(shared_node) as client:
        await client.send('451-7["chat:send",{"_placeholder":true,"num":0}]')
        await client.send('42["chat:send"]')
        assert "socket.misbehaved" in (await ended(client))[0]


async def test_another_namespace_is_refused_as_the_official_server_does(shared_node: TestNode) -> None:
    async with raw(shared_node) as client:
        await client.send("40/admin,")
        assert str(await client.recv()).startswith("44/admin,")
        for _ in range(21):  # one may cross our own DISCONNECT; many cannot
            await client.send('42/admin,["a"]')
        assert "socket.misbehaved" in (await ended(client))[0]


@pytest.mark.parametrize("query", ["EIO=3&transport=polling", "EIO=4&transport=polling&j=0", "EIO=4", ""])
async def test_what_is_not_engine_io_4_is_refused_in_words(shared_node: TestNode, query: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{shared_node.http}/socket.io/?{query}", headers={"Origin": ORIGIN}) as answer,
    ):
        body = await answer.json()
    assert (answer.status, body["error"]["code"]) == (400, "realtime.transport")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({"Origin": ORIGIN, "Cookie": "__Host-access=x"}, True),
        ({"Cookie": "other=x"}, True),
        ({}, True),
        ({"Cookie": "__Host-access=x"}, False),
        ({"Origin": "https://evil.test", "Cookie": "__Host-access=x"}, False),
        ({"Origin": "null"}, False),
    ],
)
async def test_only_our_own_pages_may_connect(shared_node: TestNode, headers: dict[str, str], welcome: bool) -> None:
    if welcome:
        async with connect(shared_node.url + PATH, additional_headers=headers) as client:
            assert str(await client.recv()).startswith("0")
        return
    with pytest.raises(InvalidStatus) as refused:
        async with connect(shared_node.url + PATH, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "auth.origin"


async def test_the_cookie_says_who_it_is_and_a_bad_one_is_ignored(shared_node: TestNode, stream_id: str) -> None:
    for cookie, user in ((token_of("ada"), "ada"), ("expired", None)):
        headers = {"Origin": ORIGIN, "Cookie": f"__Host-access={cookie}"}
        async with open_client([shared_node.url], headers=headers) as client:
            view = await client.join(stream_id)
        assert (view.answer["me"]["user"] or {}).get("id") == user


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ('{"token":"not a token"}', "auth.session_over"),
        ('{"device":"short"}', "request.invalid"),
        ('{"device":5}', "request.invalid"),
        ("[1]", "request.invalid"),
        ("{", "request.invalid"),
    ],
)
async def test_a_wrong_connect_is_told_why(shared_node: TestNode, auth: str, code: str) -> None:
    async with raw(shared_node, join=False) as client:
        await client.send("40" + auth)
        answer = str(await client.recv())
    assert answer.startswith("44")
    assert json.loads(answer[2:])["data"]["code"] == code


async def test_a_fourth_wrong_connect_ends_the_socket(shared_node: TestNode) -> None:
    async with raw(shared_node, join=False) as client:
        for _ in range(4):
            await client.send('40{"token":"x"}')
        heard = await ended(client)
    assert [frame[:2] for frame in heard[:3]] == ["44"] * 3


async def test_a_client_that_pings_us_now_and_then_may_do_so_for_ever(shared_node: TestNode) -> None:
    async with raw(shared_node) as client:
        (socket,) = (one for one in shared_node.engine.sockets.values() if one.joined and not one.finishing)
        for _ in range(3):
            for _ in range(10):
                await (await client.ping())
            assert socket.beat()
            assert await client.recv() == "2"
            await client.send("3")
            await (await client.ping())
            assert socket.beat()  # answered: it rests until the next


async def test_large_messages_wait_in_the_network_while_one_is_handled(
    shared_node: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, sizes = asyncio.Event(), []

    async def wait(_: EngineSocket, message: str | bytes) -> None:
        await gate.wait()
        sizes.append(len(message))

    async with raw(shared_node) as client:
        (socket,) = (one for one in shared_node.engine.sockets.values() if one.joined and not one.finishing)
        monkeypatch.setattr(shared_node.engine, "take_message", wait)
        sending = asyncio.gather(*(client.send("4" + "x" * 60_000) for _ in range(50)))
        await until(lambda: socket.connection is not None and socket.connection._held)
        assert socket._unhandled_size < 1_000_000
        gate.set()
        await sending
        await until(lambda: len(sizes) == 50)


async def test_floods_of_events_and_pongs_end_the_socket(shared_node: TestNode) -> None:
    for frame in ('42["room:leave",{"stream_id":"stream-1"}]', "3"):
        async with raw(shared_node) as client:
            for _ in range(200):
                await client.send(frame)
            heard = await ended(client)
        assert "socket.misbehaved" in str(heard)


async def test_a_reader_that_stops_is_cut_and_others_are_undisturbed(
    shared_node: TestNode, stream_id: str, redis: Redis
) -> None:
    await until(lambda: shared_node.realtime.connections == 0)
    slow = await asyncio.to_thread(_stalled_reader, shared_node, stream_id)
    try:
        async with open_client([shared_node.url], token=token_of("ada")) as ada:
            view = await ada.join(stream_id)
            await until(lambda: shared_node.realtime.connections == 2)
            # Far more than any kernel buffer and the bounded queue hold, told to the room as another node would.
            noise = b's {"stream_id":"%b","status":"live","at":1,"title":"%b","category":null}'
            while shared_node.realtime.connections > 1:
                payload = noise % (stream_id.encode(), b"x" * 30_000)
                await redis.execute_command("SPUBLISH", f"room:{{{stream_id}}}:channel", payload)
            await ada.send(stream_id, "still here")
            await ada.until(lambda: view.offset == 1)
    finally:
        slow.close()


def _stalled_reader(node: TestNode, stream_id: str) -> socket.socket:
    """A client that joins and then reads nothing more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", int(node.url.rsplit(":", 1)[1])))
    client.sendall(
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    client.recv(4096)  # the handshake's answer: what is sent before it may be dropped
    for text in ("40", f'42["room:join",{{"stream_id":"{stream_id}"}}]'):
        data = text.encode()
        client.sendall(bytes([0x81, 0x80 | len(data)]) + b"\0\0\0\0" + data)
    return client


def wire_tasks() -> list[str]:
    """The tasks of single connections."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]  # a coroutine
    return [name for name in names if name.startswith(("EngineSocket.", "Connection._ask"))]


async def test_a_connected_socket_has_no_task_and_leaves_none_behind(shared_node: TestNode, stream_id: str) -> None:
    async with open_client([shared_node.url]) as guest:
        await guest.join(stream_id)
        await until(lambda: not wire_tasks())
        assert shared_node.realtime.connections
    await until(lambda: shared_node.realtime.connections == 0)
    await until(lambda: not wire_tasks())
    assert not shared_node.engine.sockets


async def test_what_a_broken_poll_did_not_get_the_next_one_does(shared_node: TestNode) -> None:
    address = f"{shared_node.http}/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http:

        async def poll(query: str = "") -> str:
            async with http.get(address + query) as answer:
                assert answer.status == 200
                return await answer.text()

        async def post(body: str) -> None:
            async with http.post(address + mine, data=body) as answer:
                assert answer.status == 200

        mine = f"&sid={json.loads((await poll())[1:])['sid']}"
        await post("40")
        assert (await poll(mine)).startswith("40")
        broken = asyncio.create_task(poll(mine))
        await asyncio.sleep(0.1)
        broken.cancel()  # closes its connection, as a phone that changes networks
        await asyncio.gather(broken, return_exceptions=True)
        await asyncio.sleep(0.1)
        await post('427["room:leave",{"stream_id":"s"}]')
        assert await poll(mine) == '437[{"ok":true}]'
        # A request that nobody knows to be dead is given up for the next one.
        forgotten = asyncio.create_task(poll(mine))
        await asyncio.sleep(0.1)
        following = asyncio.create_task(poll(mine))
        assert await forgotten == "6"
        await post('428["room:leave",{"stream_id":"s"}]')
        assert await following == '438[{"ok":true}]'


async def test_the_official_python_client_gets_along(shared_node: TestNode, stream_id: str) -> None:
    client = socketio.AsyncClient(reconnection=False)
    heard: asyncio.Queue[object] = asyncio.Queue()
    client.on("chat", heard.put)
    await client.connect(shared_node.http, auth={"token": token_of("ada")}, transports=["websocket"])
    try:
        joined = await client.call("room:join", {"stream_id": stream_id})
        sent = await client.call("chat:send", {"stream_id": stream_id, "id": "message-1", "text": "héllo ✓"})
        entries = await asyncio.wait_for(heard.get(), 10)
    finally:
        await client.disconnect()
    assert joined["ok"]
    assert sent == {"ok": True, "offset": 1, "held": False}
    assert [entry["text"] for entry in entries] == ["héllo ✓"]  # type: ignore[attr-defined]  # untyped library
