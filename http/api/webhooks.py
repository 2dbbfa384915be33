"""Where Stripe tells us that something happened. Without a signing secret this address is not there.

The body is taken as it came and believed only when it is signed (`payments/stripe/webhooks.py`); what it tells of is
stored before it is answered, and worked off elsewhere.
"""

from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from api.auth import NO_STORE
from api.errors import AnyRequest, problems
from payments.errors import WebhookRefused
from payments.inbox import Webhooks

Signature = Annotated[
    str, HeaderParameter(name="Stripe-Signature", description="Times and HMACs, as Stripe makes them.")
]


class WebhookController(Controller):
    path = "/webhooks"
    tags = ("Payments",)
    response_headers = NO_STORE

    @post(
        "/stripe",
        status_code=200,
        opt={"raw_body": True},
        operation_id="takeStripeEvent",
        summary="Take an event of Stripe's",
        description="For Stripe alone: the body is an event, signed with our webhook secret.",
        responses=problems(WebhookRefused),
    )
    async def take(self, request: AnyRequest, webhooks: NamedDependency[Webhooks], signature: Signature = "") -> None:
        await webhooks.take(await request.body(), signature)
