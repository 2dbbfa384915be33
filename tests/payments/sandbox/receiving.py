"""An endpoint for webhooks: keeps what it takes, and refuses as often as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.asgi import Receive, Scope, Send
from gateway.serving import listen, nothing_before, serve
from infra.local.parts import LOOPBACK, free_port
from payments.inbox import Webhooks
from payments.stripe.webhooks import Told, read_webhook
from tests.payments.sandbox.running import SECRET


@dataclass
class Receiver:
    """`refusing` requests more are answered with 500. `webhooks` is told too, when there is somebody."""

    url: str
    refusing: int = 0
    ahead: timedelta = timedelta()
    requests: list[tuple[bytes, str]] = field(default_factory=list)
    taken: list[Told] = field(default_factory=list)
    webhooks: Webhooks | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        signature = dict(scope["headers"]).get(b"stripe-signature", b"").decode()
        self.requests.append((body, signature))
        status = 200
        if self.refusing:
            self.refusing, status = self.refusing - 1, 500
        else:
            self.taken.append(read_webhook(body, signature, (SECRET,), datetime.now(UTC) + self.ahead))
            if self.webhooks is not None:
                await self.webhooks.take(body, signature)
        self._changed.set()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def until(self, type_: str, count: int = 1) -> Told:
        """Wait for an event of a type."""
        while len(found := [one for one in self.taken if one.type == type_]) < count:
            self._changed.clear()
            await self._changed.wait()
        return found[-1]


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    port, stop = free_port(), asyncio.Event()
    receiver = Receiver(f"http://{LOOPBACK}:{port}/hook")
    serving = asyncio.create_task(serve(receiver, [listen(LOOPBACK, port)], stop, nothing_before, stop_seconds=0.1))
    try:
        yield receiver
    finally:
        stop.set()
        await serving
