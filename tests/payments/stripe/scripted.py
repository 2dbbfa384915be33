"""A server that answers as it is told: every way in which Stripe has ever failed anybody."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from infra.local.parts import LOOPBACK

CUSTOMER = {"id": "cus_1", "object": "customer", "metadata": {}}


@dataclass(frozen=True)
class Says:
    """An answer. `hangs`: none comes; `resets`: the connection breaks instead."""

    status: int = 200
    body: object = field(default_factory=lambda: CUSTOMER)
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    resets: bool = False


def fails(status: int, headers: Mapping[str, str] | None = None, **error: str) -> Says:
    return Says(status, {"error": {"type": "api_error", "message": "hunter2", **error}}, headers or {})


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    key: str | None
    body: str


class Scripted:
    """Answers from `script`, then again and again the last of it."""

    def __init__(self) -> None:
        self.script: list[Says] = [Says()]
        self.asked: list[Asked] = []
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def keys(self) -> set[str | None]:
        return {one.key for one in self.asked}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        self.asked.append(Asked(method, path, headers.get("idempotency-key"), body.decode()))
        says = self.says(path)
        if says.hangs:
            await reader.read()
            return False
        if says.resets:
            return False
        text = says.body if isinstance(says.body, bytes) else msgspec.json.encode(says.body)
        more = "".join(f"{name}: {value}\r\n" for name, value in says.headers.items())
        writer.write(f"HTTP/1.1 {says.status} X\r\ncontent-length: {len(text)}\r\n{more}\r\n".encode() + text)
        await writer.drain()
        return True

    def says(self, path: str) -> Says:
        """The next of the script; the last one stays."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def scripted(told: Scripted | None = None) -> AsyncIterator[Scripted]:
    told = told or Scripted()
    server = await asyncio.start_server(told.serve, LOOPBACK, 0)
    told.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield told
    finally:
        server.close()
        told.close()
        await server.wait_closed()
