"""A node that is about to stop tells its clients to move, spread over time, and then closes what is left.

The delays are spread evenly with some chance, so the other nodes take a steady trickle and no storm.
"""

import asyncio
import random

from realtime.connections import Connection, Connections
from realtime.disconnects import NODE_DRAINING
from realtime.wire.frames import event_frame

BATCH = 200
SPREAD_SHARE = 0.6  # of the time we have; the rest is for those who are slow to go
CLOSING_SECONDS = 1.5  # a socket lingers for one second at most


async def drain(connections: Connections, within_seconds: float) -> int:
    """Tell everybody, wait until they went or the time is over, close the rest; returns how many were told."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_seconds
    told = list(connections)
    spread = within_seconds * SPREAD_SHARE
    for start in range(0, len(told), BATCH):
        for number, connection in enumerate(told[start : start + BATCH], start):
            _tell(connection, int(1000 * spread * (number + random.random()) / len(told)))  # noqa: S311  # no secret
        await asyncio.sleep(0)
    await connections.all_gone(end - loop.time())
    for connection in connections:
        connection.socket.finish(NODE_DRAINING.code)
    await connections.all_gone(CLOSING_SECONDS)
    return len(told)


def _tell(connection: Connection, delay_ms: int) -> None:
    connection.socket.offer(event_frame("session:closing", NODE_DRAINING.closing(delay_ms)))
