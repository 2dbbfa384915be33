"""`footlight doctor`: connects to each thing the platform stands on and says, in one line each, what is wrong."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from gateway.health import PING_SECONDS
from infra.errors import FootlightError
from infra.metrics import Metrics
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from infra.stores.objects import open_objects
from infra.stores.postgres import open_postgres
from infra.stores.redis import open_redis, ping_redis
from infra.stores.search import open_search
from payments.stripe.calls import Calls
from payments.stripe.client import SOMEBODY_WAITS, open_stripe


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.name:10} {self.text}"


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything at once."""
    stores = await asyncio.gather(
        _store("postgres", "FOOTLIGHT_POSTGRES_URL", open_postgres(settings.postgres), lambda db: db.ping()),
        _store("redis", "FOOTLIGHT_REDIS_NODES", open_redis(settings.redis), ping_redis),
        _store("mongo", "FOOTLIGHT_MONGO_URL", open_mongo(settings.mongo), lambda mongo: mongo.ping()),
        _store("objects", "FOOTLIGHT_S3_ENDPOINT", open_objects(settings.objects), lambda objects: objects.ping()),
        _store("search", "FOOTLIGHT_SEARCH_URL", open_search(settings.search), lambda search: search.ping()),
    )
    return [*stores, _ffmpeg(settings), _pages(settings), _secret(settings), await _stripe(settings)]


async def _store(
    name: str, variable: str, opening: AbstractAsyncContextManager[Any], ping: Callable[[Any], Awaitable[None]]
) -> Finding:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(5 * PING_SECONDS), opening as store:
            await ping(store)
    except FootlightError as failure:
        cause = failure.__cause__ or failure
        return Finding(name, False, f"{type(cause).__name__}: check {variable}")
    except TimeoutError:
        return Finding(name, False, f"no answer in {5 * PING_SECONDS:g} s: check {variable}")
    return Finding(name, True, f"{(time.perf_counter() - started) * 1000:.0f} ms to connect and ask")


async def _stripe(settings: Settings) -> Finding:
    if not settings.stripe.secret_key:
        return Finding("stripe", True, "off: nothing is sold without FOOTLIGHT_STRIPE_SECRET_KEY")
    if not settings.stripe.webhook_secrets:
        return Finding("stripe", False, "payments would not be noticed: set FOOTLIGHT_STRIPE_WEBHOOK_SECRETS")
    try:
        async with open_stripe(settings.stripe, Metrics(), patience=SOMEBODY_WAITS) as stripe:
            await Calls(stripe).price_of("premium-monthly")
    except FootlightError as failure:
        return Finding("stripe", False, f"{failure.code}: check FOOTLIGHT_STRIPE_SECRET_KEY and _API_BASE")
    return Finding("stripe", True, f"{settings.stripe.api_base} answers")


def _ffmpeg(settings: Settings) -> Finding:
    found = shutil.which(settings.live.ffmpeg)
    return Finding("ffmpeg", found is not None, found or f"{settings.live.ffmpeg} is not there: set FOOTLIGHT_FFMPEG")


def _pages(settings: Settings) -> Finding:
    index = settings.web.web_root / "index.html"
    return Finding("pages", index.exists(), str(settings.web.web_root) if index.exists() else "not built: `make web`")


def _secret(settings: Settings) -> Finding:
    return Finding("secret", bool(settings.auth.secret), "set" if settings.auth.secret else "set FOOTLIGHT_SECRET")
