"""What stock python-socketio does for the official clients, ours does too."""

import asyncio
from typing import Any

import pytest
import socketio

from tests.realtime.interop.application import PASSWORD
from tests.realtime.interop.clients import Client, PythonClient, Refused
from tests.realtime.interop.conftest import SERVED, Connect, World

ARGUMENTS = [1, -0.5, "héllo ✓ 🎉 \u2028\0", None, True, [], {"nested": [{"deep": "ß"}]}, "", 2**53 - 1]
pytestmark = [
    # python-engineio's client neither reads nor releases the answers to its POSTs (4.15, `async_client.py`).
    pytest.mark.filterwarnings("ignore:Exception ignored in. <function Connection.__del__"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <function ClientResponse.__del__"),
    pytest.mark.filterwarnings("ignore:Unclosed (connection|response):ResourceWarning"),
]
LOST = {"transport close", "transport error"}


async def settled(client: Client, transport: str) -> None:
    """Wait until the client has upgraded, if it does."""
    async with asyncio.timeout(10):
        while await client.transport() != SERVED[transport]:  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(0.005)


WITH_A_CONNECTION = ["websocket", "upgrade"]  # that could break


class TestEvents:
    async def test_acknowledgements_carry_any_number_of_arguments_of_any_kind(self, connect: Connect) -> None:
        client = await connect()
        assert await client.call("echo", *ARGUMENTS) == ARGUMENTS
        assert await client.call("echo") == []
        assert await client.call("single", ARGUMENTS) == [ARGUMENTS]
        assert await client.call("nothing") == []

    async def test_bytes_travel_both_ways_in_several_attachments(self, connect: Connect) -> None:
        client = await connect()
        arguments = [b"\0\1\xff", {"picture": b"png", "more": [b"", b"x" * 1000, {"in": b"in"}]}, "text", b"last"]
        assert await client.call("echo", *arguments) == arguments
        await client.emit("back", *arguments)
        assert await client.heard("back") == arguments

    async def test_the_server_asks_and_the_client_answers(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        assert await world.sio.call("ask", ("a", 2, {"b": "✓"}), to=sid) == ({"b": "✓"}, 2, "a")
        assert await world.sio.call("ask", (b"one", {"two": b"two"}), to=sid) == ({"two": b"two"}, b"one")
        assert await world.sio.call("ask", to=sid) is None
        answers: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        for number in range(3):
            await world.sio.emit("ask", number, to=sid, callback=lambda *answer: answers.put_nowait(answer))
        assert [await asyncio.wait_for(answers.get(), 5) for _ in range(3)] == [(0,), (1,), (2,)]

    @pytest.mark.parametrize("kind", ["javascript"], indirect=True)  # the other answers whatever it has a handler for
    async def test_who_does_not_answer_makes_the_call_time_out(self, world: World, connect: Connect) -> None:
        client = await connect()
        with pytest.raises(socketio.exceptions.TimeoutError):
            await world.sio.call("statement", to=await client.sid(), timeout=0.05)
        assert await client.heard("statement") == []

    async def test_events_of_one_client_are_handled_in_order(self, world: World, connect: Connect) -> None:
        client = await connect()
        for number in range(60):
            await client.emit("number", number)
            if number % 10 == 9:  # python-engineio refuses a polling request with more than 16 packets
                await client.call("nothing")
        sid = await client.sid()
        await world.until(lambda: len(world.diary.of("number", sid)) == 60)
        handled = world.diary.of("number", sid)
        # Stock handles events side by side, and this handler sleeps now and then.
        assert (sorted(handled) if world.name == "stock" else handled) == list(range(60))

    async def test_events_of_the_server_arrive_in_order(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        for number in range(100):
            payload: Any = {"number": number, "bytes": bytes([number])} if number % 3 == 0 else {"number": number}
            await world.sio.emit("tick", payload, to=sid)
            if number % 8 == 7 and world.name == "stock":
                await client.call("nothing")  # its own client refuses more than 16 packets in the answer to a poll
        assert [(await client.heard("tick"))[0]["number"] for _ in range(100)] == list(range(100))

    async def test_what_nobody_handles_goes_to_the_handler_of_everything(self, connect: Connect) -> None:
        client = await connect()
        assert await client.call("surprise", 1, 2) == ["surprise", 2]

    async def test_large_payloads_pass_both_ways(self, world: World, connect: Connect) -> None:
        client = await connect()
        # Near 64 KB, our limit, as it travels: Python escapes what is not ASCII, and polling writes bytes in base64.
        text, data = "x" * 50_000 + "ü" * 1_000, bytes(range(250)) * 180
        assert await client.call("echo", text) == [text]
        assert await client.call("echo", data) == [data]
        sid = await client.sid()
        for large in ("x" * 70_000, "✓" * 30_000, bytes(70_000)):
            await world.sio.emit("large", large, to=sid)
            assert await client.heard("large") == [large]

    async def test_an_acknowledgement_is_matched_to_its_question(self, connect: Connect) -> None:
        client = await connect()
        answers = await asyncio.gather(*(client.call("single", number) for number in range(12)))
        assert answers == [[number] for number in range(12)]


class TestRooms:
    async def test_a_room_hears_what_is_said_but_not_the_speaker(self, connect: Connect) -> None:
        speaker, listener, stranger = [await connect() for _ in range(3)]
        assert await speaker.call("join", "kitchen") == [["kitchen"]]
        assert await listener.call("join", "kitchen") == [["kitchen"]]
        await speaker.call("say", "kitchen", "soup ✓")
        assert await listener.heard("said") == ["soup ✓"]
        await _nothing_more(speaker, stranger, event="said")

    async def test_several_rooms_hear_an_event_once(self, world: World, connect: Connect) -> None:
        both, one, none = [await connect() for _ in range(3)]
        assert await both.call("join", "r1") == [["r1"]]
        assert await both.call("join", "r2") == [["r1", "r2"]]
        await one.call("join", "r2")
        await world.sio.emit("news", (b"bytes", 1), room=["r1", "r2"])
        for client in (both, one):
            assert await client.heard("news") == [b"bytes", 1]
        await _nothing_more(both, one, none, event="news")

    async def test_several_can_be_skipped(self, world: World, connect: Connect) -> None:
        clients = [await connect() for _ in range(3)]
        sids = [await client.sid() for client in clients]
        for client in clients:
            await client.call("join", "skipping")
        await world.sio.emit("news", 1, room="skipping", skip_sid=sids[:2])
        assert await clients[2].heard("news") == [1]
        await _nothing_more(*clients, event="news")

    async def test_who_left_hears_nothing(self, world: World, connect: Connect) -> None:
        stays, leaves = [await connect() for _ in range(2)]
        for client in (stays, leaves):
            await client.call("join", "bar")
        assert await leaves.call("leave", "bar") == [[]]
        await world.sio.emit("news", 1, room="bar")
        assert await stays.heard("news") == [1]
        await world.sio.close_room("bar")
        assert world.sio.rooms(await stays.sid()) == [await stays.sid()]
        await world.sio.emit("news", 2, room="bar")
        await _nothing_more(stays, leaves, event="news")

    async def test_everybody_is_a_room_too(self, world: World, connect: Connect) -> None:
        clients = [await connect() for _ in range(3)]
        await world.sio.emit("all", {"to": "everybody"})
        for client in clients:
            assert await client.heard("all") == [{"to": "everybody"}]

    async def test_a_room_is_empty_again_when_its_members_are_gone(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        await client.call("join", "ghosts")
        await client.close()
        await world.until(lambda: world.diary.of("disconnect", sid))
        await world.until(lambda: "ghosts" not in world.sio.manager.rooms.get("/", {}))


class TestSessions:
    async def test_a_session_is_kept_between_events(self, connect: Connect) -> None:
        ada, guest = await connect({"name": "ada"}), await connect()
        assert [(await ada.call("whoami"))[1:] for _ in range(2)] == [["ada", 1], ["ada", 2]]
        assert (await guest.call("whoami"))[1:] == ["guest", 1]

    async def test_a_refused_client_reads_why(self, world: World, connect: Connect) -> None:
        with pytest.raises(Refused) as refused:
            await connect({"refuse": 7, "name": "refused"})
        assert refused.value.args == ("not today", {"code": 7})
        assert not world.diary.somewhere("connect", lambda detail: detail[0] == "refused")

    async def test_the_handshake_says_what_the_client_asked_for(
        self, world: World, connect: Connect, transport: str
    ) -> None:
        client = await connect()
        [(_, query)] = world.diary.of("connect", await client.sid())
        assert "EIO=4" in query
        assert f"transport={'websocket' if transport == 'websocket' else 'polling'}" in query
        await settled(client, transport)


class TestNamespaces:
    async def test_two_namespaces_share_a_connection_and_nothing_else(self, world: World, connect: Connect) -> None:
        client = await connect({"name": "ada", "password": PASSWORD}, namespaces=("/", "/admin"))
        mine, name, _ = await client.call("whoami")
        admin, admin_name = await client.call("whoami", namespace="/admin")
        assert (name, admin_name) == ("ada", "admin")
        assert mine != admin
        await world.sio.emit("order", (b"!", "now"), to=admin, namespace="/admin")
        assert await client.heard("order", "/admin") == [b"!", "now"]
        assert await world.sio.call("ask", (1, 2), to=admin, namespace="/admin") == (2, 1)
        assert client.unheard("order") == 0

    async def test_a_namespace_refuses_on_its_own(self, connect: Connect) -> None:
        with pytest.raises(Refused) as refused:
            await connect({"password": "guess"}, namespaces=("/admin",))
        assert refused.value.args == ("wrong password", {"tries": 2})
        with pytest.raises(Refused):
            await connect(namespaces=("/admin",))

    async def test_an_unknown_namespace_is_refused(self, connect: Connect) -> None:
        with pytest.raises(Refused):
            await connect(namespaces=("/nowhere",))

    async def test_the_server_ends_one_namespace_and_the_other_stays(self, world: World, connect: Connect) -> None:
        client = await connect({"password": PASSWORD}, namespaces=("/", "/admin"))
        [admin, _] = await client.call("whoami", namespace="/admin")
        await world.sio.disconnect(admin, namespace="/admin")
        assert str((await client.heard("disconnect", "/admin"))[0]).endswith("server disconnect")
        assert world.diary.of("disconnect admin", admin) == ["server disconnect"]
        assert await client.call("echo", "still here") == ["still here"]


class TestEnds:
    async def test_the_client_disconnects(self, world: World, connect: Connect, transport: str) -> None:
        client = await connect({"name": "leaver"})
        await settled(client, transport)
        sid = await client.sid()
        await client.leave()
        assert await client.ended() == "client disconnect"
        await world.until(lambda: world.diary.of("left", sid))
        # The Python client closes a WebSocket before its own last packets are written.
        cut = LOST if isinstance(client, PythonClient) and transport != "polling" else set()
        assert world.diary.of("disconnect", sid)[0] in {"client disconnect", *cut}
        assert len(world.diary.of("disconnect", sid)) == 1
        assert world.diary.of("left", sid) == ["leaver"]
        await world.until(lambda: not world.sio.manager.is_connected(sid, "/"))

    async def test_the_server_disconnects(self, world: World, connect: Connect, transport: str) -> None:
        client = await connect()
        await settled(client, transport)
        sid = await client.sid()
        await world.sio.disconnect(sid)
        assert await client.ended() == "server disconnect"
        assert world.diary.of("disconnect", sid) == ["server disconnect"]

    async def test_a_handler_disconnects_its_own_client(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        await client.emit("kick_me")
        assert await client.ended() == "server disconnect"
        await world.until(lambda: world.diary.of("disconnect", sid) == ["server disconnect"])

    async def test_last_words_arrive_before_the_end(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        await world.sio.emit("last", ["words", b"bytes"], to=sid)
        await world.sio.disconnect(sid)
        assert await client.heard("last") == [["words", b"bytes"]]
        assert await client.ended() == "server disconnect"

    @pytest.mark.parametrize("transport", WITH_A_CONNECTION, indirect=True)
    async def test_a_connection_that_breaks_is_noticed(self, world: World, connect: Connect, transport: str) -> None:
        client = await connect()
        await settled(client, transport)
        sid = await client.sid()
        await client.drop()
        assert await client.ended() in LOST
        await world.until(lambda: world.diary.of("disconnect", sid))
        assert world.diary.of("disconnect", sid)[0] in LOST

    async def test_who_answers_no_ping_times_out(
        self, world: World, connect: Connect, transport: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Stock tells its clients whole seconds, rounded down, and they trust what they are told. Ours asks for the
        # first time when the time for CONNECT is over, and looks at its clock every TICK_SECONDS.
        monkeypatch.setattr(world.sio.eio, "ping_interval", 1.0 if world.name == "stock" else 3.0)
        monkeypatch.setattr(world.sio.eio, "ping_timeout", 0.5 if world.name == "stock" else 1.5)
        monkeypatch.setattr(world.sio.eio, "connect_seconds", 0.3, raising=False)
        client, healthy = await connect(), await connect()
        await settled(client, transport)
        sid = await client.sid()
        await client.mute()
        await world.until(lambda: world.diary.of("disconnect", sid), 30)
        # Stock has two clocks for a WebSocket, and one of them says so; a polling client takes leave itself.
        also = {*LOST, "client disconnect"} if world.name == "stock" else set()
        assert world.diary.of("disconnect", sid)[0] in {"ping timeout", *also}
        assert await healthy.call("echo", "well") == ["well"]

    @pytest.mark.parametrize("transport", WITH_A_CONNECTION, indirect=True)
    async def test_a_client_that_lost_its_connection_comes_back(
        self, world: World, connect: Connect, transport: str
    ) -> None:
        client = await connect({"name": "faithful"}, reconnect=True)
        await client.heard("connect")
        await settled(client, transport)
        before = await client.sid()
        await client.drop()
        assert await client.ended() in LOST
        await client.heard("connect")
        after, name, asked = await client.call("whoami")
        assert (after != before, name, asked) == (True, "faithful", 1)

    async def test_emitting_to_who_is_gone_is_no_error(self, world: World, connect: Connect) -> None:
        client = await connect()
        sid = await client.sid()
        await client.close()
        await world.until(lambda: world.diary.of("disconnect", sid))
        await world.sio.emit("late", 1, to=sid)
        await world.sio.disconnect(sid)


class TestUpgrades:
    async def test_nothing_is_lost_or_doubled_while_a_client_upgrades(
        self, world: World, connect: Connect, transport: str
    ) -> None:
        client = await connect({"name": "upgrader", "greetings": 10})
        sid = await client.sid()
        numbers = iter(range(10, 1000))
        sent = 10
        while await client.transport() != SERVED[transport] or sent < 50:
            await world.sio.emit("greeting", next(numbers), to=sid)
            await client.emit("number", sent - 10)
            sent += 1
            if sent % 8 == 0 and transport == "polling":
                await client.call("nothing")
        await client.call("nothing")
        assert [(await client.heard("greeting"))[0] for _ in range(sent)] == list(range(sent))
        await world.until(lambda: len(world.diary.of("number", sid)) >= sent - 10)
        assert sorted(world.diary.of("number", sid)) == list(range(sent - 10))
        await _nothing_more(client, event="greeting")


async def _nothing_more(*clients: Client, event: str) -> None:
    """What is sent to a client arrives before the answer to what it asks later."""
    for client in clients:
        await client.call("nothing")
        assert client.unheard(event) == 0
