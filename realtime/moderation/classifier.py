"""A door for somebody else's classifier: asked about a message with a budget of time, and never waited for longer.

What happens without an answer is stated beforehand (`fallback`): the message passes, or a moderator looks at it.
"""

import asyncio
import hashlib
import hmac
from collections import Counter
from typing import Annotated, Literal, Protocol

import aiohttp
import msgspec
from msgspec import Meta, Struct, field

from infra.breaker import Breaker, CircuitOpen
from infra.logs import get_logger

MAX_ANSWER_BYTES = 16_384
SIGNATURE = "X-Footlight-Signature"
Fallback = Literal["pass", "hold"]
Outcome = Literal["answered", "late", "failed", "skipped"]

log = get_logger(__name__)


class Context(Struct, frozen=True, kw_only=True):
    """Where the message is said; no author, the classifier need not know."""

    channel_id: str
    language: str | None = None


class Opinion(Struct, frozen=True, kw_only=True):
    """`score` from 0 (harmless) to 1; `categories` by name."""

    score: Annotated[float, Meta(ge=0, le=1)]
    categories: dict[str, float] = field(default_factory=dict)


class Unclassified(Exception):
    """The classifier did not answer as agreed."""


class Classifier(Protocol):
    async def classify(self, text: str, context: Context) -> Opinion:
        """Raises `Unclassified`, or takes as long as it likes: `Budgeted` sees to that."""


class Question(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body that is posted."""

    text: str
    channel_id: str
    language: str | None = None


class HttpClassifier:
    """Posts a `Question` as JSON, reads an `Opinion`. The session is the caller's and is not closed here.

    The header `X-Footlight-Signature: sha256=<hex>` is the HMAC of the body with the shared secret.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._http = http
        self._url = url
        self._key = secret.encode()

    async def classify(self, text: str, context: Context) -> Opinion:
        body = msgspec.json.encode(Question(text=text, channel_id=context.channel_id, language=context.language))
        headers = {"Content-Type": "application/json", SIGNATURE: signature(self._key, body)}
        try:
            async with self._http.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Unclassified(f"status {answer.status}")
                return msgspec.json.decode(await _read(answer.content), type=Opinion)
        except (aiohttp.ClientError, OSError, msgspec.DecodeError) as error:
            raise Unclassified(type(error).__name__) from error


def signature(key: bytes, body: bytes) -> str:
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


async def _read(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise Unclassified("the answer is too large")
    return bytes(body)


class Budgeted:
    """Asks for at most `budget_ms`; never raises (but for being cancelled itself). A dead service costs nothing.

    `counts` tells how often which `Outcome` came about. The breaker must count `TimeoutError` and `Unclassified`.
    """

    def __init__(
        self, classifier: Classifier, breaker: Breaker, *, budget_ms: int = 200, fallback: Fallback = "pass"
    ) -> None:
        self._classifier = classifier
        self._breaker = breaker
        self._budget_seconds = budget_ms / 1000
        self.fallback: Fallback = fallback
        self.counts: Counter[Outcome] = Counter()

    async def classify(self, text: str, context: Context) -> Opinion | None:
        """None without an answer in time: do what `fallback` says."""
        try:
            with self._breaker.guard():
                async with asyncio.timeout(self._budget_seconds):
                    opinion = await self._classifier.classify(text, context)
            self.counts["answered"] += 1
            return opinion
        except CircuitOpen:
            self.counts["skipped"] += 1
        except TimeoutError:
            self.counts["late"] += 1
        except Unclassified as error:
            self.counts["failed"] += 1
            log.warning("classifier.failed", why=str(error))
        except Exception as error:  # noqa: BLE001 - whatever a classifier of somebody else's raises, chat goes on
            self.counts["failed"] += 1
            log.error("classifier.broken", error=type(error).__name__)
        return None
