"""Request heads are bounded in size and time, and nonsense gets an answer in our own words."""

import asyncio
import json

import pytest

from gateway.asgi import Receive, Scope, Send, header, respond
from gateway.protocol import BoundedHttp
from infra.local.parts import LOOPBACK
from tests.gateway.conftest import Serve


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, 200, b"hello", "text/plain")


async def exchange(port: int, *chunks: bytes) -> bytes:
    """Send chunks, return everything until the server closes."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    for chunk in chunks:
        writer.write(chunk)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


def code_of(answer: bytes) -> str:
    code: str = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
    return code


async def test_an_ordinary_request_is_answered(served: Serve) -> None:
    answer = await exchange(await served(hello), b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"hello")


async def test_a_kept_connection_serves_many_requests(served: Serve) -> None:
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await exchange(await served(hello), one, one, last)
    assert answer.count(b"HTTP/1.1 200") == 3


async def test_a_head_that_grows_without_end_is_refused(served: Serve) -> None:
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-More: " + b"y" * 100_000
    answer = await exchange(await served(hello), many)
    assert answer.startswith(b"HTTP/1.1 431")
    assert code_of(answer) == "request.head_too_large"


async def test_garbage_is_refused_in_our_words(served: Serve) -> None:
    answer = await exchange(await served(hello), b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert code_of(answer) == "request.not_http"


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await respond(send, 200, f"{size} {header(scope, b'x-late')}".encode(), "text/plain")


@pytest.mark.parametrize(
    ("before", "endless"),
    [
        (b"0\r\n", b"a: %s\r\n" % (b"x" * 1000)),
        (b"5\r\nhello\r\n0\r\na: ", b"x" * 1000),
        (b"5;a=", b"x" * 1000),
    ],
)
async def test_what_follows_a_body_has_an_end(served: Serve, before: bytes, endless: bytes) -> None:
    port = await served(count)
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(CHUNKED + before)
    with pytest.raises(ConnectionError):  # cut while we talk: no kernel buffers 20 MB
        for _ in range(1000):
            writer.write(endless * 20)
            await writer.drain()
    writer.close()


async def test_a_trailer_is_nobodys_header(served: Serve) -> None:
    answer = await exchange(await served(count), CHUNKED + b"5\r\nhello\r\n0\r\nX-Late: y\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n5 ")


async def test_a_long_body_in_small_chunks_passes(served: Serve) -> None:
    answer = await exchange(await served(count), CHUNKED, *[b"2\r\nhi\r\n" * 5000] * 20, b"0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n200000 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost"])
async def test_a_silent_or_slow_client_is_cut(served: Serve, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "head_seconds", 0.2)
    assert await exchange(await served(hello), sent) == b""


UPGRADE = (
    b"Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def test_a_handshake_without_a_path_is_refused(served: Serve) -> None:
    answer = await exchange(await served(hello), b"GET http://host HTTP/1.1\r\n" + UPGRADE)
    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_handshake_behind_a_request_that_is_being_answered_is_refused(served: Serve) -> None:
    types: list[str] = []
    begun = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        types.append(scope["type"])
        begun.set()
        if scope["type"] == "http":
            await receive()
            assert (await receive())["type"] == "http.disconnect"

    reader, writer = await asyncio.open_connection(LOOPBACK, await served(slow))
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(begun.wait(), 20)
    writer.write(b"GET /socket.io/ HTTP/1.1\r\n" + UPGRADE)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400")
    assert types == ["http"]
