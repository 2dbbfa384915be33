"""Rate limits that are exact over all processes: 100 requests a minute for a user, 1000 for an address.

A sliding window in Redis, one round trip for each window (`limits.lua`). When Redis does not answer the request is let
through and counted in `footlight_limits_skipped_total`: reading must go on in an outage, and everything that needs a
sign-in is refused anyway, because sessions live in the same place.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Counter

from gateway.addresses import limit_key
from infra.breaker import Breaker
from infra.clock import new_id
from infra.errors import FootlightError, TooMany
from infra.metrics import Metrics
from infra.stores.redis import Functions, Redis, RedisUnavailable

WINDOW_MS = 60_000
FUNCTIONS = Path(__file__).with_name("limits.lua")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one limit."""

    limit: int
    admitted: bool
    remaining: int
    reset_ms: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """RateLimit fields as in draft-ietf-httpapi-ratelimit-headers-07; `reset` in whole seconds."""
        return [
            (b"ratelimit-limit", str(self.limit).encode()),
            (b"ratelimit-remaining", str(self.remaining).encode()),
            (b"ratelimit-reset", str(-(-self.reset_ms // 1000)).encode()),
        ]


class RateExceeded(TooMany):
    """A limit is used up; `allowance` says which."""

    code = "limit.rate"

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(retry_after_ms=allowance.reset_ms, limit=allowance.limit)
        self.allowance = allowance


class Limits:
    """Counts requests; raises nothing when it cannot count."""

    def __init__(self, redis: Redis, *, per_user: int, per_address: int, metrics: Metrics) -> None:
        self._functions = Functions(redis, FUNCTIONS.read_text())
        self._breaker = Breaker("limits", counts=(RedisUnavailable,), metrics=metrics)
        self._per_user = per_user
        self._per_address = per_address
        self._skipped = Counter("footlight_limits_skipped", "Requests let through uncounted", registry=metrics.registry)

    async def take(self, address: str, user_id: str | None) -> Allowance | None:
        """Count one request; raise `RateExceeded`, or return the allowance that is nearest to its end."""
        wanted = [self._window(f"limit:{{address:{limit_key(address)}}}", self._per_address)]
        if user_id is not None:
            wanted.append(self._window(f"limit:{{user:{user_id}}}", self._per_user))
        try:
            allowances = await asyncio.gather(*wanted)
        except FootlightError:
            self._skipped.inc()
            return None
        tightest = min(allowances, key=lambda one: (one.admitted, one.remaining))
        if not tightest.admitted:
            raise RateExceeded(tightest)
        return tightest

    async def _window(self, key: str, limit: int) -> Allowance:
        with self._breaker.guard():  # without it every request of an outage would wait for Redis to time out
            answer = await self._functions.call("limit_take", [key], [limit, WINDOW_MS, new_id()])
        admitted, remaining, reset_ms = answer
        return Allowance(limit, bool(admitted), int(remaining), int(reset_ms))
