"""A node that stops sends its clients away in time, and they miss nothing."""

import asyncio

from infra.bus.port import Bus
from infra.settings import RedisSettings
from infra.stores.redis import Redis
from realtime.client import open_client
from tests.realtime.nodes import TestNode, serving, token_of


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
            draining = asyncio.create_task(leaving.realtime.drain(1.0))
            for number in range(10):
                await bob.send(stream_id, str(number))
                await asyncio.sleep(0.05)
            await draining
            assert leaving.realtime.connections == 0
            await guest.until(lambda: guest.connected and view.offset == 10)
            assert [entry["text"] for entry in view.entries] == [str(number) for number in range(10)]
            closing = guest.closings[0]
    assert (closing["code"], closing["reconnect"]) == ("node.draining", True)
    assert 0 <= closing["delay_ms"] <= 600
    assert view.resets == 0


async def test_who_does_not_move_is_closed_when_the_time_is_over(node: TestNode) -> None:
    async with open_client([node.url]) as guest:
        guest.paused.clear()
        await node.realtime.drain(0.0)
        assert node.realtime.connections == 0
