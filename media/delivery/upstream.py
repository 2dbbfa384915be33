"""How the edge asks the origin: bounded in time and size, and failures in our own words."""

import hashlib
from collections.abc import Callable, Mapping

import aiohttp
import msgspec
from yarl import URL

from infra.errors import FootlightError
from media.delivery.cache import Stored, fresh_seconds
from media.delivery.wanted import Wanted
from media.errors import BadReloadQuery, MediaNotReady, NoSuchMedia, OriginTooSlow, OriginUnreachable

CONNECT_SECONDS = 2.0
PLAIN_SECONDS = 10.0
# The origin holds a blocking reload for up to three target durations; an encoder with a keyframe every 10 s makes
# segments of 10 s.
HELD_SECONDS = 35.0
MAX_OBJECT_BYTES = 64 << 20  # a segment of 10 s at 50 Mbit/s
CHUNK_BYTES = 64 * 1024
# What the origin may refuse, in our words; any other status is a failure of the origin.
REFUSALS: Mapping[int, type[FootlightError]] = {400: BadReloadQuery, 404: NoSuchMedia, 503: MediaNotReady}


class Origin:
    """The origin behind this edge. The session belongs to the caller."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Callable[[], float],
        address_of_file: Callable[[str], str],
    ) -> None:
        """`clock`: the edge's monotonic seconds. `address_of_file`: where the object store has the file of a key."""
        self._session = session
        self._clock = clock
        self._url = url.rstrip("/")
        self._address_of_file = address_of_file

    async def fetch(self, wanted: Wanted) -> Stored:
        """Ask once. Raises `OriginUnreachable` (also for an answer that makes no sense), `OriginTooSlow`."""
        total = HELD_SECONDS if wanted.held else PLAIN_SECONDS
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)
        address = self._address_of_file(wanted.key.lstrip("/")) if wanted.is_stored else self._url + wanted.key
        url = URL(address, encoded=True)
        try:
            async with self._session.get(url, timeout=timeout, allow_redirects=False) as response:
                if refusal := REFUSALS.get(response.status):
                    body = msgspec.json.encode({"error": refusal().as_dict()})
                    return _stored(response, body, "application/json", self._clock(), brief=wanted.is_stored)
                if response.status != 200:
                    raise OriginUnreachable(status=response.status)
                content_type = response.headers.get("content-type", "application/octet-stream")
                return _stored(response, await _whole_body(response), content_type, self._clock())
        except TimeoutError as slow:  # before ClientError: some of aiohttp's timeouts are both
            raise OriginTooSlow from slow
        except (aiohttp.ClientError, OSError) as lost:
            raise OriginUnreachable from lost


async def _whole_body(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_OBJECT_BYTES:
            raise OriginUnreachable(max_bytes=MAX_OBJECT_BYTES)
        chunks.append(chunk)
    return b"".join(chunks)


def _stored(
    response: aiohttp.ClientResponse, body: bytes, content_type: str, now: float, *, brief: bool = False
) -> Stored:
    """`brief`: the object store says nothing about how long a refusal holds."""
    cache_control = "max-age=1" if brief else response.headers.get("cache-control", "no-store")
    return Stored(
        status=response.status,
        body=body,
        content_type=content_type,
        cache_control=cache_control,
        etag=response.headers.get("etag") or f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        stored_at=now,
        fresh_until=now + fresh_seconds(response.status, cache_control),
    )
