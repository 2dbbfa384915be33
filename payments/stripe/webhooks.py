"""Is this request really Stripe's? And if so, which event does it tell of.

Nothing of a body is believed, or even parsed, before its signature holds. What is kept of an event is that something
happened to an object; how the object is now, Stripe is asked (`sync.py`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import stripe

from infra.logs import get_logger
from payments.errors import WebhookRefused

LARGEST_BYTES = 262_144  # Stripe's own are below 60 KB; its documents name no bound
TOLERANCE = timedelta(seconds=300)  # what Stripe recommends; retries are signed anew
LONGEST_HEADER = 2048  # three signatures take 250

log = get_logger(__name__)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as far as we believe it. `account` is set when it happened at a connected account."""

    event_id: str
    type: str
    object_id: str
    created: datetime
    account: str | None = None


class _Data(msgspec.Struct):
    object: dict[str, Any]


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    data: _Data
    account: str | None = None


def read_webhook(body: bytes, signature: str, secrets: Sequence[str], now: datetime) -> Told:
    """The event of a request that one of `secrets` signed; raises `WebhookRefused` for anything else."""
    if len(body) > LARGEST_BYTES or len(signature) > LONGEST_HEADER:
        raise _refused("size")
    if not signature.isascii():
        raise _refused("signature")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _refused("encoding") from None
    if not any(_signed(text, signature, secret) for secret in secrets):
        raise _refused("signature")
    if abs(now - _signed_at(signature)) > TOLERANCE:  # Stripe's library takes any time of the future
        raise _refused("time")
    return _event(body)


def _refused(reason: str) -> WebhookRefused:
    """The sender is told nothing: they might be trying."""
    log.info("webhook.refused", reason=reason)
    return WebhookRefused()


def _signed(text: str, signature: str, secret: str) -> bool:
    try:
        # Without a tolerance: time is judged against our own clock, and in both directions.
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret))
    except stripe.SignatureVerificationError:
        return False


def _signed_at(signature: str) -> datetime:
    """Of a header that was found good: its first `t`, as the library reads it."""
    seconds = next(part[2:] for part in signature.split(",") if part.startswith("t="))
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        raise _refused("time") from None


def _event(body: bytes) -> Told:
    try:
        event = msgspec.json.decode(body, type=_Event)
        created = datetime.fromtimestamp(event.created, UTC)
    except (msgspec.MsgspecError, RecursionError, OverflowError, ValueError, OSError):
        raise _refused("body") from None
    object_id = event.data.object.get("id")
    named = (event.id, event.type, object_id if isinstance(object_id, str) else "", event.account or "")
    # NUL is nothing that PostgreSQL stores, and no id of Stripe's is longer.
    if not event.id or any(len(one) > 255 or "\0" in one for one in named):
        raise _refused("body")
    return Told(event_id=event.id, type=event.type, object_id=named[2], created=created, account=event.account)
