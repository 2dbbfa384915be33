"""A node that stops sends its clients away in time, and they miss nothing."""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from infra.bus.port import Bus
from infra.local.process import start
from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime.client import RoomClient, open_client
from realtime.connections import Connection, Connections
from realtime.disconnects import NODE_DRAINING, Disconnect
from realtime.drain import BATCH, CLOSING_SECONDS, drain
from realtime.events import RoomPosition
from tests.realtime.nodes import DeafSocket, TestNode, serving, token_of
from tests.realtime.test_faults import child_nodes, said_surely

VIEWERS = 98  # and two who talk


async def test_clients_move_to_the_other_node_and_miss_nothing(
    node: TestNode, redis: Redis, redis_settings: RedisSettings, bus: Bus, stream_id: str
) -> None:
    async with serving(redis, redis_settings, bus) as leaving:
        urls = [leaving.url, node.url]
        async with (
            open_client(urls, token=token_of("ada")) as ada,
            open_client(urls) as guest,
            open_client([node.url], token=token_of("bob")) as bob,
        ):
            view = await guest.join(stream_id)
            await ada.join(stream_id)
            await bob.join(stream_id)
            await bob.send(stream_id, "0")
            await guest.until(lambda: view.offset == 1)
            draining = asyncio.create_task(leaving.realtime.drain(1.0))
            for number in range(1, 10):
                await bob.send(stream_id, str(number))
                await asyncio.sleep(0.05)
            await draining
            assert leaving.realtime.connections == 0
            await guest.until(lambda: guest.connected and view.offset == 10)
            assert [entry["text"] for entry in view.entries] == [str(number) for number in range(10)]
            closing = guest.closings[0]
    assert (closing["code"], closing["number"], closing["reconnect"]) == ("node.draining", 4000, True)
    assert 0 <= closing["delay_ms"] <= 300
    assert closing["positions"][stream_id]["epoch"] == view.epoch
    assert closing["positions"][stream_id]["offset"] >= 1
    assert view.resets == 0


async def _deaf(url: str) -> ClientConnection:
    """A client that comes in and does nothing of what it is told."""
    client = await connect(f"{url}/socket.io/?EIO=4&transport=websocket", compression=None, proxy=None)
    await client.recv()
    await client.send("40")
    await client.recv()
    return client


async def test_clients_that_ignore_it_are_closed_and_the_time_holds(node: TestNode) -> None:
    deaf = [await _deaf(node.url) for _ in range(5)]
    async with asyncio.timeout(0.5 + CLOSING_SECONDS + 1.0):
        await node.realtime.drain(0.5)
    assert node.realtime.connections == 0
    for client in deaf:
        assert await _last_words(client) == {"node.draining"}
        assert client.close_code == NODE_DRAINING.number


async def _last_words(client: ClientConnection) -> set[str]:
    words = set()
    with contextlib.suppress(ConnectionClosed):
        async for frame in client:
            if str(frame).startswith("42"):
                words.add(str(msgspec.json.decode(str(frame)[2:])[1]["code"]))
    return words


async def test_who_does_not_move_is_closed_when_the_time_is_over(node: TestNode) -> None:
    async with open_client([node.url]) as guest:
        guest.paused.clear()
        await node.realtime.drain(0.0)
        assert node.realtime.connections == 0


class _Stubborn(DeafSocket):
    """A socket that stays until it is closed; notes when it was told and when it was closed."""

    def __init__(self, steps: "itertools.count[int]") -> None:
        self._steps = steps
        self.told: list[dict[str, object]] = []
        self.told_at = self.closed_at = -1
        self.connection: Connection | None = None
        self.connections: Connections | None = None

    def offer(self, packet: str | bytes, *, droppable: bool = False) -> None:
        self.told.append(msgspec.json.decode(packet[2:])[1])
        self.told_at = next(self._steps)

    def dismiss(self, why: Disconnect, delay_ms: int = 0) -> None:
        assert why is NODE_DRAINING
        self.closed_at = next(self._steps)
        assert self.connections is not None
        assert self.connection is not None
        self.connections.remove(self.connection)

    def finish(self, reason: str, *last_words: str) -> None: ...


async def test_batches_are_told_one_after_the_other_and_closed_in_the_same_order() -> None:
    connections, steps, sockets = Connections(lambda: None), itertools.count(), []  # type: ignore[arg-type, return-value]  # no tokens, no clock
    for number in range(3 * BATCH):
        socket = _Stubborn(steps)
        socket.connections = connections
        socket.connection = Connection(str(number), socket, None, None, rooms={"a", "unknown"})
        connections.add(socket.connection, since=0)
        sockets.append(socket)
    places = {"a": RoomPosition(epoch="e1", offset=7)}
    assert await drain(connections, places.get, 0.3) == 3 * BATCH
    batches = [sockets[start : start + BATCH] for start in range(0, 3 * BATCH, BATCH)]
    for earlier, later in itertools.pairwise(batches):
        assert _last(earlier, "told_at") < _first(later, "told_at")
        assert _last(earlier, "closed_at") < _first(later, "closed_at")
    assert all(len(socket.told) == 1 for socket in sockets)
    assert sockets[0].told[0]["positions"] == {"a": {"epoch": "e1", "offset": 7}}
    delays = {socket.told[0]["delay_ms"] for socket in sockets}
    assert len(delays) > 20  # spread by chance


def _first(sockets: Sequence[_Stubborn], moment: str) -> int:
    return min(int(getattr(socket, moment)) for socket in sockets)


def _last(sockets: Sequence[_Stubborn], moment: str) -> int:
    return max(int(getattr(socket, moment)) for socket in sockets)


async def test_a_rolling_restart_of_both_nodes_loses_nothing_and_doubles_nothing(
    tmp_path: Path, redis_settings: RedisSettings, stream_id: str
) -> None:
    async with child_nodes(tmp_path, redis_settings, 2) as children, AsyncExitStack() as stack:
        urls = [f"ws://{child.part.address}" for child in children]
        talkers = [await stack.enter_async_context(open_client(urls, token=token_of(name))) for name in ("ada", "bob")]
        opening = [
            stack.enter_async_context(open_client(urls if number % 2 else urls[::-1])) for number in range(VIEWERS)
        ]
        clients = [*talkers, *[await one for one in opening]]
        for client in clients:
            await client.join(stream_id)
        said: list[str] = []
        over = asyncio.Event()

        async def talk(client: RoomClient, name: str) -> None:
            for number in itertools.count():
                if over.is_set():
                    return
                text = f"{name} {number}"
                await said_surely(client, stream_id, text)
                said.append(text)
                await asyncio.sleep(1.6)  # twenty in thirty seconds are allowed

        talking = [asyncio.create_task(talk(one, name)) for one, name in zip(talkers, ("ada", "bob"), strict=True)]
        for number, child in enumerate(children):
            child.send(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await child.process.wait() == 0
            children[number] = await start(child.part)
            stack.push_async_callback(children[number].stop)
            await children[number].wait_ready()
        over.set()
        await asyncio.gather(*talking)
        for client in clients:
            await client.until(lambda client=client: client.views[stream_id].offset == len(said))  # type: ignore[misc]  # bound on purpose
        views = [client.views[stream_id] for client in clients]
    assert all([entry["offset"] for entry in view.entries] == list(range(1, len(said) + 1)) for view in views)
    assert sorted(entry["text"] for entry in views[0].entries) == sorted(said)
    assert all(view.entries == views[0].entries and view.resets == 0 for view in views)
    assert all(client.connects >= 2 for client in clients)
