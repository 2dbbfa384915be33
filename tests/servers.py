"""Real servers a test may kill: its own, not the ones the whole run shares."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from infra.local.parts import free_port
from infra.local.process import Running, start
from infra.local.valkey import form_cluster, valkey_parts
from infra.settings import RedisSettings


@asynccontextmanager
async def valkey_cluster(folder: Path) -> AsyncIterator[tuple[RedisSettings, list[Running]]]:
    """Three primaries and the processes that run them."""
    ports, bus_ports = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    parts, urls = valkey_parts(folder, ports, bus_ports)
    async with AsyncExitStack() as stack:
        nodes = [await start(part) for part in parts]
        for node in nodes:
            stack.push_async_callback(node.stop)
            await node.wait_ready()
        await form_cluster(urls, bus_ports)
        yield RedisSettings(nodes=tuple(urls)), nodes
