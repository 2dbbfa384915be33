"""The edge: a cache in front of the origin, where all players go. `footlight edge` runs it as a process of its own.

It stands where a CDN stands in production and keeps to what a CDN can do: cache by the origin's Cache-Control, one
request to the origin for any number of equal ones, the reload query in the key and nothing else of the query.
"""

import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import aiohttp
import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from infra.errors import FootlightError, Forbidden, Invalid, NotFound, Unavailable
from infra.logs import get_logger
from infra.settings import LiveSettings
from media.delivery.answers import Answer, Header, answer, whole
from media.delivery.cache import ByteCache, Stored
from media.delivery.doorkeeper import Doorkeeper
from media.delivery.flights import Flights
from media.delivery.purging import purged_by, read_purge
from media.delivery.stats import EdgeStats, Source
from media.delivery.upstream import Origin
from media.delivery.wanted import Wanted, wanted
from media.errors import OriginTooSlow, OriginUnreachable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asked = Mapping[str, str]

METHODS = "GET, HEAD, OPTIONS"
MEDIA = ("/live/", "/vod/", "/posters/")
MAX_PURGED = 10_000  # newest; an older one is not on its way any more
# A body goes out in pieces, each after the one before it has left our memory: a stalled reader of a large segment
# pins one piece and not the segment.
PIECE_BYTES = 64 * 1024
EXPOSED = b"Age, Content-Length, Content-Range, Date, ETag, X-Cache"
PREFLIGHT_SECONDS = b"7200"  # the longest Chromium honours
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

STATUS: Mapping[type[FootlightError], int] = {
    OriginUnreachable: 502,
    OriginTooSlow: 504,
    Unavailable: 503,
    Invalid: 400,
    Forbidden: 403,
    NotFound: 404,
}

log = get_logger(__name__)


@asynccontextmanager
async def open_edge(
    settings: LiveSettings,
    origins: Sequence[str],
    doorkeeper: Doorkeeper,
    address_of_file: Callable[[str], str],
    *,
    purge_key: bytes,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator["Edge"]:
    """An edge and its connections to origin and object store; leaving the block gives up what is being fetched."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)  # the flights are the limit
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"accept-encoding": "identity"},
        auto_decompress=False,
    ) as session:
        origin = Origin(session, settings.origin_url, clock, address_of_file)
        edge = Edge(settings, origins, origin, doorkeeper, purge_key=purge_key, clock=clock)
        try:
            yield edge
        finally:
            await edge.close()


class Edge:
    """The ASGI app: `/live/...` and `/vod/...` for players with cookies, `/posters/...` for all, `/livez`,
    `/__edge/purge` for who knows the platform's secret, and for this machine only `/__edge/stats` and `/metrics`.

    `origins` are the web origins whose pages may read the answers, with cookies.
    """

    def __init__(
        self,
        settings: LiveSettings,
        origins: Sequence[str],
        origin: Origin,
        doorkeeper: Doorkeeper,
        *,
        purge_key: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._origins = frozenset(origins)
        self._origin = origin
        self._doorkeeper = doorkeeper
        self._purge_key = purge_key
        self._purged: OrderedDict[str, float] = OrderedDict()
        self._cache = ByteCache(settings.edge_cache_bytes)
        # What the origin may hold is counted apart: it must never keep anybody from what is there already.
        self._flights: Flights[Stored] = Flights()
        self._held: Flights[Stored] = Flights()
        self.stats = EdgeStats(self._cache)

    async def close(self) -> None:
        """Give up what is being fetched."""
        await self._flights.close()
        await self._held.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        asked = _headers(scope)
        try:
            found = await self._route(scope, asked, receive)
        except FootlightError as error:
            found = _refusal(error)
        found.headers.extend(self._shared_headers(asked))
        await _send(send, found, with_body=scope["method"] != "HEAD")

    async def _route(self, scope: Scope, asked: Asked, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if method == "POST" and path == "/__edge/purge":
            return await self._purge(asked, receive)
        if method not in {"GET", "HEAD", "OPTIONS"}:
            return _method_refused()
        if path.startswith(MEDIA):
            return self._preflight() if method == "OPTIONS" else await self._media(scope, asked)
        if path == "/livez":
            return _json({"status": "ok"})
        if path in {"/__edge/stats", "/metrics"} and _is_local(scope, asked):
            if path == "/metrics":
                headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
                return whole(200, headers, generate_latest(self.stats.registry))
            return _json(self.stats.as_dict())
        raise NotFound

    async def _media(self, scope: Scope, asked: Asked) -> Answer:
        try:
            want = wanted(scope.get("raw_path") or b"", scope["query_string"])
            if not want.is_open:
                path = want.key.partition("?")[0]
                self._doorkeeper.admit(path, _all(scope, b"cookie"))
        except FootlightError:
            self.stats.refused += 1
            raise
        stored, source = await self._obtain(want)
        if stored.status >= 400:
            self.stats.count(want.kind, "error")
        found = answer(stored, asked, self._clock() - stored.stored_at)
        found.headers.append((b"x-cache", source.upper().encode()))
        return found

    async def _obtain(self, want: Wanted) -> tuple[Stored, Source]:
        """The object, and where it came from."""
        if stored := self._cache.get(want.key, self._clock()):
            self.stats.count(want.kind, "hit")
            return stored, "hit"
        flights = self._held if want.held else self._flights
        source: Source = "coalesced" if flights.has(want.key) else "miss"
        self.stats.count(want.kind, source)
        try:
            return await flights.join(want.key, want.playback_id, lambda: self._fetch(want)), source
        except FootlightError:
            self.stats.count(want.kind, "error")
            raise

    async def _fetch(self, want: Wanted) -> Stored:
        began = self._clock()
        try:
            stored = await self._origin.fetch(want)
        except FootlightError as failure:
            log.error("edge.fetch_failed", key=want.key, code=failure.code, **failure.details)
            raise
        if began > self._purged.get(want.playback_id, -math.inf):  # else it may be what was to go
            self._cache.put(want.key, stored, self._clock())
        return stored

    async def _purge(self, asked: Asked, receive: Receive) -> Answer:
        """Forget all of one video or stream, what is on its way too."""
        body = await read_purge(receive)
        playback_id = purged_by(body, asked.get("x-footlight-signature", ""), self._purge_key)
        self._purged[playback_id] = self._clock()
        while len(self._purged) > MAX_PURGED:
            self._purged.popitem(last=False)
        return _json({"purged": self._cache.remove_where(lambda key: f"/{playback_id}/" in key)})

    def _preflight(self) -> Answer:
        return Answer(
            204,
            [
                (b"access-control-allow-methods", METHODS.encode()),
                (b"access-control-allow-headers", b"Range, If-None-Match, If-Range"),
                (b"access-control-max-age", PREFLIGHT_SECONDS),
            ],
        )

    def _shared_headers(self, asked: Asked) -> list[Header]:
        headers = [(b"vary", b"Origin"), (b"x-content-type-options", b"nosniff")]
        origin = asked.get("origin", "")
        if origin in self._origins:
            headers += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", EXPOSED),
                (b"timing-allow-origin", origin.encode("latin-1")),
            ]
        return headers


async def _send(send: Send, found: Answer, *, with_body: bool) -> None:
    await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
    body = found.body if with_body else b""
    for start in range(0, max(1, len(body)), PIECE_BYTES):
        piece = bytes(body[start : start + PIECE_BYTES])
        more = start + PIECE_BYTES < len(body)
        await send({"type": "http.response.body", "body": piece, "more_body": more})


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name]


def _headers(scope: Scope) -> Asked:
    """The request headers by lower-case name; of a repeated one the first."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def _refusal(error: FootlightError) -> Answer:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    found = _json({"error": error.as_dict()}, status)
    if error.retryable:
        found.headers.append((b"retry-after", b"1"))
    return found


def _method_refused() -> Answer:
    error = Invalid("Only " + METHODS + " are answered here.")
    found = _json({"error": {**error.as_dict(), "code": "request.method"}}, 405)
    found.headers.append((b"allow", METHODS.encode()))
    return found


def _json(content: Any, status: int = 200) -> Answer:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return whole(status, headers, msgspec.json.encode(content))


def _is_local(scope: Scope, asked: Asked) -> bool:
    """Whether this machine itself asks, and not a proxy on it for somebody else."""
    if any(name in asked for name in FORWARDED):
        return False
    try:
        return ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False
