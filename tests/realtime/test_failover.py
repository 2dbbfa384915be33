"""A replica that was behind takes over: nobody is told an order with entries missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis as OneNode
from redis.exceptions import RedisError

from infra.local.parts import LOOPBACK, free_port
from infra.local.process import Running, start
from infra.local.valkey import form_cluster, valkey_parts
from infra.settings import RedisSettings
from infra.stores.redis import Redis, open_redis
from realtime.room.log import Draft, Lost, Position
from realtime.room.log_redis import RedisRoomLog, room_functions

ROOM = "stream-1"


class Replicated:
    """Three primaries, and a fourth node that follows the owner of ROOM."""

    def __init__(self, owner: Running, owner_node: OneNode, replica: OneNode) -> None:
        self.owner, self.owner_node, self.replica = owner, owner_node, replica

    async def fall_behind(self) -> None:
        await self.replica.config_set("primaryauth", "wrong")
        await self.owner_node.execute_command("CLIENT KILL TYPE replica")

    async def fail_over(self) -> None:
        await self.owner.stop()
        await self.replica.execute_command("CLUSTER FAILOVER TAKEOVER")
        while (await self.replica.execute_command("ROLE"))[0] != b"master":  # noqa: ASYNC110  # the state is in another process
            await asyncio.sleep(0.02)


@asynccontextmanager
async def replicated(folder: Path) -> AsyncIterator[tuple[RedisSettings, Replicated]]:
    ports, bus_ports = [free_port() for _ in range(4)], [free_port() for _ in range(4)]
    parts, urls = valkey_parts(folder, ports, bus_ports)
    running = [await start(part) for part in parts]
    nodes = [OneNode.from_url(url, protocol=2) for url in urls]
    try:
        for node in running:
            await node.wait_ready()
        await form_cluster(urls[:3], bus_ports[:3])
        settings = RedisSettings(nodes=tuple(urls[:3]))
        async with open_redis(settings) as client:
            owner = _owner_of(client, ports)
        await nodes[0].execute_command("CLUSTER", "MEET", LOOPBACK, ports[3], bus_ports[3])
        await _follow(nodes[owner], nodes[3])
        yield settings, Replicated(running[owner], nodes[owner], nodes[3])
    finally:
        for connection in nodes:
            await connection.aclose()
        for node in running:
            await node.stop()


def _owner_of(client: Redis, ports: list[int]) -> int:
    owner = client.get_node_from_key(f"room:{{{ROOM}}}:meta")
    assert owner is not None
    return ports.index(int(owner.port))


async def _follow(owner: OneNode, replica: OneNode) -> None:
    name = await owner.execute_command("CLUSTER MYID")
    async with asyncio.timeout(20):
        while True:
            try:
                await replica.execute_command("CLUSTER", "REPLICATE", name)
                break
            except RedisError:  # the fourth does not know the owner yet
                await asyncio.sleep(0.1)
        while (await replica.execute_command("ROLE"))[3] != b"connected":  # noqa: ASYNC110  # the same
            await asyncio.sleep(0.1)


async def test_a_replica_that_was_behind_begins_a_new_epoch(tmp_path: Path) -> None:
    async with replicated(tmp_path) as (settings, cluster), open_redis(settings) as client:
        log = RedisRoomLog(room_functions(client))
        kept = await _say(log, "kept", 3)
        await cluster.owner_node.execute_command("WAIT", 1, 5000)
        await cluster.fall_behind()
        seen = await _say(log, "lost", 3)
        assert seen == (kept.epoch, 6)
        await cluster.fail_over()
        async with open_redis(settings_of(settings, cluster)) as after:
            log = RedisRoomLog(room_functions(after))
            said = await _say(log, "new", 4)
            found = await log.since(ROOM, seen)
            assert isinstance(found, Lost)
            assert said.epoch != seen.epoch
            assert [line.entry.split(b'"')[5] for line in found.lines] == [b"kept"] * 3 + [b"new"] * 4


def settings_of(settings: RedisSettings, cluster: Replicated) -> RedisSettings:
    owner = f":{cluster.owner.part.address.rsplit(':', 1)[1]}"
    return RedisSettings(nodes=tuple(url for url in settings.nodes if not url.endswith(owner)))


async def _say(log: RedisRoomLog, text: str, count: int) -> Position:
    for number in range(count):
        position = await log.append(
            ROOM, Draft(f"user-{text}", f"{text}-{number:05}", b'{"text":"%s"}' % text.encode())
        )
    return position
