"""The edge in front of the real origin: made-up names must not shut a stream for those who watch it."""

import asyncio
from datetime import UTC, datetime

import aiohttp

from infra.settings import LiveSettings
from media.packaging.origin import Origin
from media.packaging.packager import LOW, Packager
from tests.media.delivery.passes import live_cookies
from tests.media.delivery.stage import STREAM, edge_for_tests, serving, until
from tests.media.packaging.fragments import HEADER, fragment
from tests.media.packaging.test_packager import fill


async def test_nobody_can_use_up_the_reloads_of_a_stream() -> None:
    packager = Packager(LOW, 7, 1000, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    packager.begin(HEADER)
    fill(packager, 2.4)  # two parts of 9
    origin = Origin({STREAM.removeprefix("/live/"): packager})
    async with (
        serving(origin) as origin_url,
        edge_for_tests(LiveSettings(origin_url=origin_url)) as edge,
        serving(edge) as url,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), headers={"cookie": live_cookies(STREAM.rpartition("/")[2])}
        ) as player,
    ):

        async def ask(number: int, part: int) -> int:
            target = f"{url}{STREAM}/source.m3u8?_HLS_msn={number}&_HLS_part={part}"
            async with player.get(target) as reply:
                await reply.read()
                return reply.status

        made_up = [(number, part) for number in (9, 10, 11) for part in range(3, 60)]
        greedy = [asyncio.create_task(ask(*one)) for one in made_up]
        await until(lambda: sum(task.done() for task in greedy) >= len(made_up) - 35)
        assert {task.result() for task in greedy if task.done()} == {400}
        honest = asyncio.create_task(ask(9, 2))
        await until(lambda: edge.stats.as_dict()["requests"] > len(made_up))
        packager.add(fragment(start=2.4), keyframe_follows=False)
        assert await honest == 200
        packager.end()
        await asyncio.gather(*greedy)
