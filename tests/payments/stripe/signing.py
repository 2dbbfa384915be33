"""Events as Stripe sends them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import stripe

SECRET = "whsec_of_the_tests"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(
    event_id: str = "evt_1", type_: str = "customer.subscription.updated", object_id: str = "sub_1", **more: Any
) -> bytes:
    body = {
        "id": event_id,
        "object": "event",
        "type": type_,
        "created": int(NOW.timestamp()),
        "data": {"object": {"id": object_id}},
        **more,
    }
    return msgspec.json.encode(body)


def signed(body: bytes, secret: str = SECRET, at: datetime = NOW) -> str:
    """The header `Stripe-Signature`, by Stripe's own library."""
    return str(stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=int(at.timestamp())))
