"""Telling the edge to forget a video: the request, its signature, and who sends it.

The signature is an HMAC of the body with a key of the platform's secret, so that no viewer can empty the cache.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import aiohttp
import msgspec

from infra.errors import Forbidden, Invalid
from infra.logs import get_logger
from media.errors import OriginUnreachable

SECONDS = 5.0
MAX_BODY_BYTES = 256

log = get_logger(__name__)


class PurgeRefused(Forbidden):
    code = "edge.purge_refused"
    message = "This request is not signed by the platform."


class PurgeOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`playback_id`: a video's id, or a stream's public name."""

    playback_id: str


def purge_key_of(secret: str) -> bytes:
    """A key of its own: what signs purges signs nothing else."""
    return hmac.digest(secret.encode(), b"footlight edge purge", hashlib.sha256)


def signature_of(body: bytes, key: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def purged_by(body: bytes, signature: str, key: bytes) -> str:
    """What a signed order wants forgotten. Raises `PurgeRefused`, `Invalid`."""
    if not hmac.compare_digest(signature_of(body, key).encode(), signature.encode("latin-1", "replace")):
        raise PurgeRefused
    try:
        return msgspec.json.decode(body, type=PurgeOrder).playback_id
    except msgspec.DecodeError as wrong:
        raise Invalid from wrong


async def read_purge(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytes:
    """The body of a request, which is small. Raises `Invalid`."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES or message["type"] != "http.request":
            raise Invalid
        if not message.get("more_body"):
            return bytes(body)


class EdgePurging:
    """Tells one edge (`media.catalog.deleting.Caches`). In production CloudFront is told instead."""

    def __init__(self, edge_url: str, key: bytes) -> None:
        self._url = edge_url.rstrip("/") + "/__edge/purge"
        self._key = key

    async def forget(self, paths: Sequence[str]) -> None:
        """Of each path (`/vod/<id>/*`) everything that belongs to its video."""
        for playback_id in sorted({path.split("/")[2] for path in paths}):
            await self.purge(playback_id)

    async def purge(self, playback_id: str) -> None:
        """Returns when the edge has nothing of it any more. Raises `OriginUnreachable`."""
        body = msgspec.json.encode(PurgeOrder(playback_id))
        headers = {"x-footlight-signature": signature_of(body, self._key), "content-type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._url, data=body, headers=headers) as answer,
            ):
                if answer.status != 200:
                    raise OriginUnreachable(status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            raise OriginUnreachable from lost
