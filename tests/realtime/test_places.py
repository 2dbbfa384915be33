"""How many sockets a node takes."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from infra.bus.port import Bus
from infra.settings import RealtimeSettings, RedisSettings
from infra.stores.redis import Redis
from realtime.wire.places import NodeFull, Places, TooManySockets
from tests.realtime.nodes import TestNode, serving, until

PATH = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
async def small_node(redis: Redis, redis_settings: RedisSettings, bus: Bus) -> AsyncIterator[TestNode]:
    limits = RealtimeSettings(sockets=5, sockets_per_address=2)
    async with serving(redis, redis_settings, bus, limits=limits) as one:
        yield one


async def come(node: TestNode, address: str) -> ClientConnection:
    return await connect(node.url + PATH, compression=None, additional_headers={"X-Forwarded-For": address})


async def refused(node: TestNode, address: str) -> tuple[int, str, str | None]:
    with pytest.raises(InvalidStatus) as refusal:
        await come(node, address)
    answer = refusal.value.response
    error = json.loads(answer.body or b"")["error"]
    assert error["details"]["retry_after_ms"] > 0
    return answer.status_code, error["code"], answer.headers.get("retry-after")


async def test_one_address_gets_so_many_sockets_until_some_end(small_node: TestNode) -> None:
    first, second = await come(small_node, "203.0.113.1"), await come(small_node, "203.0.113.1")
    assert await refused(small_node, "203.0.113.1") == (429, "limit.sockets", "10")
    other = await come(small_node, "203.0.113.2")
    first.transport.abort()
    await until(lambda: small_node.engine.places.taken == 2)
    again = await come(small_node, "203.0.113.1")
    for one in (second, other, again):
        await one.close()
    await until(lambda: small_node.engine.places.taken == len(small_node.engine.places) == 0)


async def test_a_node_takes_so_many_sockets_in_all(small_node: TestNode) -> None:
    came = [await come(small_node, f"203.0.113.{number}") for number in range(5)]
    assert await refused(small_node, "203.0.113.9") == (503, "service.unavailable", "10")
    for one in came:
        await one.close()


async def test_sessions_that_poll_count_until_they_are_over(small_node: TestNode) -> None:
    async with aiohttp.ClientSession(small_node.http, headers={"X-Forwarded-For": "2001:db8:0:7::1"}) as http:
        sids = []
        for _ in range(2):
            async with http.get(POLLING) as answer:
                sids.append(json.loads((await answer.text())[1:])["sid"])
        async with http.get(POLLING) as answer:
            assert answer.status == 429
            assert (await answer.json())["error"]["code"] == "limit.sockets"
            assert answer.headers["retry-after"] == "10"
        assert (await refused(small_node, "2001:db8:0:7:ffff::2"))[0] == 429
        for sid in sids:
            async with http.post(f"{POLLING}&sid={sid}", data="1") as answer:
                assert answer.status == 200
    await until(lambda: small_node.engine.places.taken == len(small_node.engine.places) == 0)


def test_places_are_counted_by_customer() -> None:
    places = Places(total=4, per_address=2)
    taken = [places.take("2001:db8::1"), places.take("2001:db8::2"), places.take("")]
    with pytest.raises(TooManySockets):
        places.take("2001:db8::3")
    taken.append(places.take("2001:db8:1::1"))
    with pytest.raises(NodeFull):
        places.take("203.0.113.1")
    for key in taken:
        places.free(key)
    assert places.taken == len(places) == 0
