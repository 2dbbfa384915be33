"""A payment, until the socket that was open all the time may do what was paid for.

Everything is real but Stripe: `footlight up` with the sandbox, its signed webhook, nodes and worker. Somebody with an
open socket is refused at the door of a premium room, pays, and asks again and again until the room lets them in.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio

from infra.local.folder import environment_of
from loadtest.people import Person, address, become_creator, checked, sign_up
from loadtest.stack import Stack
from loadtest.stripe_away import page_of, pay
from loadtest.tables import percentile, table

PAYMENTS = 40
ASK_SECONDS = 0.02
PATIENCE_SECONDS = 30.0
GOAL_MS = 2000
FIRST_NUMBER = 5000
METHOD = (
    f"{PAYMENTS} people, one after the other, on two nodes of `footlight up` with its sandbox and one worker: from the "
    "moment the card is handed in at the payment page (so that the sandbox's own time counts too) until a premium "
    f"room lets in the socket that was open before, which asks every {ASK_SECONDS * 1000:.0f} ms."
)


async def measure(stack: Stack) -> str:
    """Returns the table."""
    sandbox_url = environment_of(stack.folder)["FOOTLIGHT_STRIPE_API_BASE"]
    async with aiohttp.ClientSession(stack.web) as web, aiohttp.ClientSession(sandbox_url) as sandbox:
        stream_id = await _premium_stream(web)
        times = [await _one(stack.web, web, sandbox, stream_id, FIRST_NUMBER + number) for number in range(PAYMENTS)]
    row = (len(times), *(percentile(times, share) for share in (0.5, 0.95)), max(times), f"<= {GOAL_MS}")
    columns = ("payments", "p50 ms", "p95 ms", "most ms", "goal p95 ms")
    return table("Payment confirmed to rights on an open socket", METHOD, columns, [row])


async def _premium_stream(web: aiohttp.ClientSession) -> str:
    creator = await become_creator(web, await sign_up(web, FIRST_NUMBER - 1, "Creator"))
    wanted = {"title": "For subscribers", "latency": "low", "visibility": "premium"}
    async with web.post("/api/v1/streams/start", json=wanted, headers=creator.headers) as answer:
        return str((await checked(answer))["id"])


async def _one(
    url: str, web: aiohttp.ClientSession, sandbox: aiohttp.ClientSession, stream_id: str, number: int
) -> float:
    """Milliseconds."""
    who = await sign_up(web, number)
    async with _open_socket(url, who, number) as client:
        if await _let_in(client, stream_id):
            raise RuntimeError("the room takes in who has not paid")
        session_id = await page_of(web, who)
        began = time.perf_counter()
        paying = asyncio.create_task(pay(sandbox, session_id))
        while not await _let_in(client, stream_id):
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise RuntimeError("paid, and not let in")
            await asyncio.sleep(ASK_SECONDS)
        took = (time.perf_counter() - began) * 1000
        await paying
    return took


@asynccontextmanager
async def _open_socket(url: str, who: Person, number: int) -> AsyncIterator[socketio.AsyncClient]:
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        url, transports=["websocket"], auth={"token": who.token}, headers={"X-Forwarded-For": address(number)}
    )
    try:
        yield client
    finally:
        await client.disconnect()


async def _let_in(client: socketio.AsyncClient, stream_id: str) -> bool:
    answer: dict[str, Any] = await client.call("room:join", {"stream_id": stream_id}, timeout=PATIENCE_SECONDS)
    if not answer["ok"] and answer["error"]["code"] != "room.premium":
        raise RuntimeError(f"room:join: {answer}")
    return bool(answer["ok"])
