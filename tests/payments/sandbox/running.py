"""The real sandbox in this process, on a port of its own, and our own client of Stripe pointed at it.

async with open_running(tmp_path / "state.sqlite") as sandbox:
    page = await sandbox.calls.create_checkout(...)
    await sandbox.pay(page.id)                      # as somebody at the page would, with 4242 ...
    await sandbox.advance(customer_id, days=31)     # for that customer only
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import stripe

from gateway.serving import listen, nothing_before, serve
from infra.local.parts import LOOPBACK, free_port
from infra.metrics import Metrics
from infra.stripe_settings import StripeSettings
from payments.sandbox.deliveries import Endpoint
from payments.sandbox.running import Options, open_sandbox
from payments.stripe.calls import Calls
from payments.stripe.client import SOMEBODY_WAITS, open_stripe

KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"


@dataclass
class Running:
    """`http` is a browser without redirects, and the control of the sandbox."""

    url: str
    calls: Calls
    http: httpx.AsyncClient
    api: stripe.StripeClient
    settings: StripeSettings

    async def do(self, path: str, /, **body: Any) -> Any:
        """Ask for something at `/_sandbox`."""
        answer = await self.http.post(f"/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def pay(self, checkout_id: str, number: str = "4242424242424242") -> Any:
        return await self.do(f"checkout/{checkout_id}/pay", number=number)

    async def advance(self, customer_id: str, *, days: int = 0, seconds: int = 0) -> Any:
        return await self.do(f"customers/{customer_id}/advance", days=days, seconds=seconds)

    async def switch_webhooks(self, *, on: bool) -> None:
        (await self.http.put("/_sandbox/webhooks", json={"on": on})).raise_for_status()

    async def clear_faults(self) -> None:
        (await self.http.delete("/_sandbox/faults")).raise_for_status()


@asynccontextmanager
async def open_running(
    file: Path, *, webhook_url: str = "", port: int | None = None, now: Callable[[], float] = time.time
) -> AsyncIterator[Running]:
    port = port or free_port()
    url = f"http://{LOOPBACK}:{port}"
    endpoint = Endpoint(webhook_url, SECRET) if webhook_url else None
    stop = asyncio.Event()
    async with open_sandbox(Options(file, url, KEY, endpoint), now) as app:
        serving = asyncio.create_task(serve(app, [listen(LOOPBACK, port)], stop, nothing_before, stop_seconds=0.5))
        try:
            async with open_client(url) as running:
                yield running
        finally:
            stop.set()
            await serving


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[Running]:
    """Of a sandbox that runs at `url`, here or in another process."""
    settings = StripeSettings(secret_key=KEY, webhook_secrets=(SECRET,), api_base=url)
    async with (
        httpx.AsyncClient(base_url=url) as http,
        open_stripe(settings, Metrics(), patience=SOMEBODY_WAITS) as opened,
    ):
        yield Running(url, Calls(opened), http, opened.api, settings)
