"""Who may publish when several encoders come for one stream."""

import asyncio

from infra.clock import system_clock
from infra.settings import LiveSettings
from media.ingest.server import Line
from media.live.broadcast import Broadcast, Publisher
from tests.media.desk import MemoryDesk


async def joining(broadcast: Broadcast, key: str) -> tuple[Line, "asyncio.Task[Publisher]"]:
    line = Line("127.0.0.1")
    task = asyncio.create_task(broadcast.join(key, line))
    line.runs(task)  # type: ignore[arg-type]  # only ever cancelled
    await asyncio.sleep(0)
    return line, task


async def test_who_gave_up_while_it_waited_keeps_nobody_waiting() -> None:
    desk = MemoryDesk()
    opened = desk.open("three")
    broadcast = Broadcast(await desk.admit(opened.key), desk, LiveSettings(), system_clock)
    first = await broadcast.join("one", Line("127.0.0.1"))
    _, second = await joining(broadcast, "two")
    _, third = await joining(broadcast, "three")  # hangs up the second, which still waits for the first
    await asyncio.wait({second})
    assert second.cancelled()
    await asyncio.sleep(0)
    assert not third.done(), "the first may still feed the packager"
    await first.gone("replaced")
    assert await asyncio.wait_for(third, 5) is broadcast.publisher
