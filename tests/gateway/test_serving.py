"""A node leaves in order: it says so, takes nobody in, moves who is there, and is gone in time."""

import asyncio
import contextlib

import httpx
import pytest

from gateway.asgi import Receive, Scope, Send, respond
from gateway.serving import listen, serve
from infra.local.parts import LOOPBACK


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, 200, b"hello", "text/plain")


async def test_a_node_that_announces_its_leave_still_serves_and_then_takes_nobody() -> None:
    listener, stop = listen(LOOPBACK, 0), asyncio.Event()
    address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    seen: list[str] = []

    async def ask() -> str:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(address)).text
        except httpx.ConnectError:
            return "closed"

    async def announce() -> None:
        seen.append(f"announced, {await ask()}")

    async def move() -> None:
        seen.append(f"moving, {await ask()}")

    serving = asyncio.create_task(serve(hello, [listener], stop, move, announce=announce))
    assert await ask() == "hello"
    stop.set()
    await serving
    assert seen == ["announced, hello", "moving, closed"]


async def test_a_request_that_never_ends_does_not_keep_a_node_from_leaving(caplog: pytest.LogCaptureFixture) -> None:
    listener, stop, busy = listen(LOOPBACK, 0), asyncio.Event(), asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        busy.set()
        await asyncio.Event().wait()

    async def linger() -> None:
        await asyncio.sleep(0.6)  # all there is

    serving = asyncio.create_task(serve(endless, [listener], stop, linger, stop_seconds=0.6))
    reader, writer = await asyncio.open_connection(LOOPBACK, listener.getsockname()[1])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await busy.wait()
    stop.set()
    async with asyncio.timeout(4):  # with a grace of its own of 5 s it would not be gone
        await serving
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
