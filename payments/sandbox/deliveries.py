"""Webhooks: every event is sent to the endpoint, signed as Stripe signs, and again until it is taken.

Pauses double from 1 s to an hour, for three days; what nobody took by then is kept as undelivered. Deliveries are rows
beside the events, written with them, so a killed process sends what it has not sent.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import stripe

from infra.logs import get_logger
from payments.sandbox.book import shown
from payments.sandbox.store import Due, Store

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 3600.0
TIMEOUT_SECONDS = 10.0
AT_ONCE = 8
IDLE_SECONDS = 1.0
SWITCH, ON, OFF = "webhooks", "on", "off"

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told, and what is signed with."""

    url: str
    secret: str


class Deliveries:
    """Sends until cancelled. `now` is in Unix seconds."""

    def __init__(self, store: Store, endpoint: Endpoint, http: httpx.AsyncClient, now: Callable[[], float]) -> None:
        self._store = store
        self._endpoint = endpoint
        self._http = http
        self._now = now
        self._woken = asyncio.Event()

    def nudge(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            if await self.send_due():
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._woken.wait()

    async def send_due(self) -> int:
        """Send what is due, some at once; returns how many were tried."""
        if self._store.setting(SWITCH, ON) == OFF:
            return 0
        due = self._store.deliveries_due(self._now(), AT_ONCE)
        await asyncio.gather(*(self._send(one) for one in due))
        return len(due)

    def _pause(self) -> float:
        upcoming = self._store.next_delivery()
        if upcoming is None or self._store.setting(SWITCH, ON) == OFF:
            return IDLE_SECONDS
        return min(max(upcoming - self._now(), 0.001), IDLE_SECONDS)

    async def _send(self, due: Due) -> None:
        event = self._store.load(due.event_id)
        body = json.dumps(shown(event), separators=(",", ":"))
        taken = await self._post(body)
        with self._store.transaction():
            if not taken:
                later = self._now() + pause_after(due.attempts)
                self._store.deliver_later(due.event_id, later if later < due.until else None)
                return
            self._store.delivered(due.event_id)
            if event is not None:
                self._store.save({**event, "pending_webhooks": 0})

    async def _post(self, body: str) -> bool:
        signature = stripe.WebhookSignature.generate_signature_header(
            body, self._endpoint.secret, timestamp=int(self._now())
        )
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": str(signature)}
        try:
            answer = await self._http.post(
                self._endpoint.url, content=body.encode(), headers=headers, timeout=TIMEOUT_SECONDS
            )
        except httpx.HTTPError as failure:
            log.info("sandbox.webhook_failed", why=type(failure).__name__)
            return False
        if not answer.is_success:
            log.info("sandbox.webhook_refused", status=answer.status_code)
        return answer.is_success


def pause_after(attempts: int) -> float:
    """Seconds before the next try: 1, 2, 4 ... 3600."""
    return float(min(FIRST_SECONDS * 2 ** min(attempts, 20), LONGEST_SECONDS))
