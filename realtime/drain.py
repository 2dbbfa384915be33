"""A node that is about to stop tells its clients to move, in batches, and closes each batch a little later.

Batches are spread over most of the time there is, and inside a batch the delays are spread by chance: the other nodes
take a steady trickle and no storm, also of clients that ignore what they are told.

    |-- told: SPREAD_SHARE ------------------|-- MOVE_SHARE: to move by themselves --|-- closed --|
"""

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence

from realtime.connections import Connection, Connections
from realtime.disconnects import NODE_DRAINING
from realtime.events import RoomPosition
from realtime.wire.frames import event_frame

BATCH = 200
MAX_BATCHES = 100  # of 20,000 sockets; beyond it batches grow
SPREAD_SHARE = 0.5
MOVE_SHARE = 0.3  # what is left is for closing those who stayed, and for slow last words
CLOSING_SECONDS = 1.5  # a socket lingers for one second at most

PlaceOf = Callable[[str], RoomPosition | None]


async def drain(connections: Connections, place_of: PlaceOf, within_seconds: float) -> int:
    """Tell everybody, close who did not move, and return how many were told.

    Takes `within_seconds`, and at most CLOSING_SECONDS more when clients do not read. `place_of` says how far this
    node is in a room.
    """
    end = asyncio.get_running_loop().time() + within_seconds
    told = list(connections)
    batches = _batches(told)
    if within_seconds > 0:
        pause = within_seconds * SPREAD_SHARE / max(1, len(batches))
        async with asyncio.TaskGroup() as closing:
            for batch in batches:
                closing.create_task(_move(connections, batch, place_of, within_seconds * MOVE_SHARE))
                await connections.all_gone(pause)  # a pause that ends early when nobody is left
        await connections.all_gone(end - asyncio.get_running_loop().time())
    for connection in connections:  # those who came in the meantime, and those who linger
        connection.socket.dismiss(NODE_DRAINING)
    await connections.all_gone(CLOSING_SECONDS)
    return len(told)


async def _move(connections: Connections, batch: Sequence[Connection], place_of: PlaceOf, move_seconds: float) -> None:
    places: dict[str, RoomPosition | None] = {}
    for connection in batch:
        for stream_id in connection.rooms:
            if stream_id not in places:
                places[stream_id] = place_of(stream_id)
        delay_ms = int(1000 * move_seconds * random.random())  # noqa: S311  # no secret
        _tell(connection, delay_ms, places)
    await connections.all_gone(move_seconds)
    for connection in batch:
        if connections.find(connection.sid) is connection:
            connection.socket.dismiss(NODE_DRAINING)


def _tell(connection: Connection, delay_ms: int, places: Mapping[str, RoomPosition | None]) -> None:
    own = {name: place for name in connection.rooms if (place := places[name]) is not None}
    connection.socket.offer(event_frame("session:closing", NODE_DRAINING.closing(delay_ms, own)))


def _batches(told: Sequence[Connection]) -> list[Sequence[Connection]]:
    size = max(BATCH, math.ceil(len(told) / MAX_BATCHES))
    return [told[start : start + size] for start in range(0, len(told), size)]
