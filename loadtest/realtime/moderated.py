"""A moderator deletes what somebody said: how long until it is gone on every screen?

The whole way: the moderator's socket, PostgreSQL's commit, the room's rules and log in Redis, two nodes, every client.
A message's id is the moment at which it will be deleted, so the generator can tell the delay from the entry alone.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import socketio

from infra.local.parts import LOOPBACK
from loadtest.people import address
from loadtest.realtime.measure import Row
from loadtest.realtime.scale import Setting
from loadtest.realtime.two_nodes import House, house

RATE = 20
COMMANDS = 30
EVERY_SECONDS = 0.5
AUTHORS = 5  # of the talkers; a user may say 20 things in 30 s
FIRST_NUMBER = 3000  # of addresses
PATIENCE_SECONDS = 10


class Author(NamedTuple):
    """Somebody who says what will be deleted."""

    user_id: str
    client: socketio.AsyncClient


async def moderator_command(setting: Setting) -> list[Row]:
    """`mod:delete` while 20 messages a second go out."""
    async with house(setting, 2) as at:
        await at.people.connect(setting.scale.clients)
        async with _sockets(setting, at) as (moderator, authors):
            await at.people.reset()
            talking = asyncio.create_task(at.people.talk((COMMANDS + 4) * EVERY_SECONDS, RATE))
            answered = [await _delete(at.room, moderator, authors[number % AUTHORS]) for number in range(COMMANDS)]
            await talking
        told = await at.people.settle()
    spread, wanted = told.worst("control"), COMMANDS * setting.scale.clients
    figure = (
        f"p50 {spread.p50:.0f}, p99 {spread.p99:.0f}, max {spread.max:.0f} ms; {wanted - spread.count} of {wanted} did "
        f"not arrive; answered in at most {max(answered):.0f} ms; {told.loss}"
    )
    method = f"mod:delete by the broadcaster's socket, {COMMANDS} times under {RATE} messages a second, two nodes"
    met = spread.p99 <= 500 and spread.count == wanted and told.wrong == 0
    name = f"moderator's command to gone on all {setting.scale.clients:,} screens: p99"
    return [Row(name, "<= 500 ms", figure, met, method, [spread.p99])]


async def _delete(room: str, moderator: socketio.AsyncClient, author: Author) -> float:
    """Let a message be said now and delete it at the moment its id tells; the milliseconds until it was answered."""
    at = time.clock_gettime(time.CLOCK_MONOTONIC) + EVERY_SECONDS
    name = f"t{int(at * 1e6)}"
    await _ask(author.client, "chat:send", {"stream_id": room, "id": name, "text": "This will be gone in a moment."})
    await asyncio.sleep(max(0.0, at - time.clock_gettime(time.CLOCK_MONOTONIC)))
    await _ask(moderator, "mod:delete", {"stream_id": room, "user_id": author.user_id, "message_id": name})
    return (time.clock_gettime(time.CLOCK_MONOTONIC) - at) * 1000


@asynccontextmanager
async def _sockets(setting: Setting, at: House) -> AsyncIterator[tuple[socketio.AsyncClient, Sequence[Author]]]:
    """The broadcaster on one node, authors on the other."""
    async with AsyncExitStack() as stack:
        moderator = await stack.enter_async_context(_joined(at, 0, setting.bench.creator.token, FIRST_NUMBER))
        authors = [
            Author(who.id, await stack.enter_async_context(_joined(at, 1, who.token, FIRST_NUMBER + 1 + number)))
            for number, who in enumerate(setting.bench.talkers[-AUTHORS:])
        ]
        yield moderator, authors


@asynccontextmanager
async def _joined(at: House, node: int, token: str, number: int) -> AsyncIterator[socketio.AsyncClient]:
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        f"http://{LOOPBACK}:{at.nodes[node].port}",
        transports=["websocket"],
        auth={"token": token},
        headers={"X-Forwarded-For": address(number)},
    )
    try:
        await _ask(client, "room:join", {"stream_id": at.room})
        yield client
    finally:
        await client.disconnect()


async def _ask(client: socketio.AsyncClient, event: str, body: dict[str, object]) -> dict[str, Any]:
    """Raises RuntimeError when it is refused."""
    answer: dict[str, Any] = await client.call(event, body, timeout=PATIENCE_SECONDS)
    if not answer["ok"]:
        raise RuntimeError(f"{event}: {answer}")
    return answer
