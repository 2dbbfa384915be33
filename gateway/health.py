"""Is this process alive, is it ready, and what does it measure?

`/livez` asks nothing: a restart would not help a process whose database is away. `/readyz` asks every store; only the
ones without which nothing works take the node out of service. `/metrics` answers to direct callers from trusted
networks, never to what came through a proxy.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import msgspec

from gateway.addresses import TrustedProxies
from gateway.asgi import Receive, Scope, Send, header, respond
from infra.errors import FootlightError, NotFound
from infra.metrics import CONTENT_TYPE, Metrics

PING_SECONDS = 2.0
REMEMBER_SECONDS = 1.0  # asking us often asks the stores no more often
NO_STORE = [(b"cache-control", b"no-store")]


@dataclass(frozen=True, slots=True)
class Store:
    """Something to ask; `needed` means that the node is useless without it."""

    ping: Callable[[], Awaitable[None]]
    needed: bool = True


class Health:
    """The three endpoints."""

    def __init__(self, stores: Mapping[str, Store], metrics: Metrics, proxies: TrustedProxies) -> None:
        self._stores = stores
        self._metrics = metrics
        self._proxies = proxies
        self.draining = False
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._found: dict[str, dict[str, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        scope["state"]["route"] = path
        if path == "/livez":
            await respond(send, 200, b'{"status":"alive"}', "application/json", NO_STORE)
        elif path == "/readyz":
            ready, report = await self.readiness()
            await respond(send, 200 if ready else 503, msgspec.json.encode(report), "application/json", NO_STORE)
        else:
            await self._metrics_page(scope, send)

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether to send us work, and why not."""
        stores = await self._ask_all()
        broken = [name for name, store in stores.items() if not store["ok"]]
        ready = not self.draining and not any(self._stores[name].needed for name in broken)
        status = "draining" if self.draining else "not ready" if not ready else "degraded" if broken else "ready"
        return ready, {"status": status, "stores": stores}

    async def _ask_all(self) -> dict[str, dict[str, Any]]:
        async with self._asking:
            if time.monotonic() - self._asked_at >= REMEMBER_SECONDS:
                results = await asyncio.gather(*(self._ask(store) for store in self._stores.values()))
                self._found = dict(zip(self._stores, results, strict=True))
                self._asked_at = time.monotonic()
            return self._found

    async def _ask(self, store: Store) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            await asyncio.wait_for(store.ping(), PING_SECONDS)
        except (FootlightError, TimeoutError):
            return {"ok": False, "ms": _ms_since(started)}
        return {"ok": True, "ms": _ms_since(started)}

    async def _metrics_page(self, scope: Scope, send: Send) -> None:
        if header(scope, b"x-forwarded-for") or not self._trusted(scope["state"]["peer"]):
            raise NotFound
        await respond(send, 200, self._metrics.render(), CONTENT_TYPE, NO_STORE)

    def _trusted(self, peer: str) -> bool:
        try:
            return ip_address(peer) in self._proxies
        except ValueError:
            return False


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
