"""Giving subscriptions: to a person or to the people of a room. The rules are in `payments/gifts.py`."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from api.payments import PlanId, ShownOrder, Uuid, shown_order
from api.uploads import RequestKey
from infra.errors import Forbidden
from payments.errors import (
    CannotBeGiven,
    ChannelNotForSale,
    NameNotUnique,
    OrderDiffers,
    OrderIsOver,
    OwnChannel,
    PlanDoesNotFit,
    PlanUnknown,
    RecipientUnknown,
    StreamIsNotLive,
    StripeUnavailable,
    TooManyOrders,
)
from payments.gifts import Gifts, WantedGift
from payments.model import Gift, GiftState

ORDERED = (OwnChannel, ChannelNotForSale, OrderDiffers, OrderIsOver, TooManyOrders, StripeUnavailable)


class NewGift(msgspec.Struct, forbid_unknown_fields=True):
    """For a person name one of `recipient_id` and `recipient_name`; without either it is for viewers of `stream_id`,
    `quantity` of them. `creator_id` names the channel of a channel's plan.
    """

    plan_id: PlanId
    creator_id: Uuid | None = None
    recipient_id: Uuid | None = None
    recipient_name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    stream_id: Uuid | None = None
    quantity: Annotated[int, Meta(ge=1, le=100)] = 1
    months: Annotated[int, Meta(ge=1, le=12)] = 1


class ShownGift(msgspec.Struct, frozen=True, kw_only=True):
    """One gifted subscription. Waiting: paid, and nobody of the room has it yet; withdrawn: its money went back.

    For who received it, from `starts_at` to `until` it counts: behind what they had already.
    """

    id: str
    order_id: str
    plan_id: str
    creator_id: str | None
    giver_id: str
    recipient_id: str | None
    months: int
    state: GiftState
    starts_at: datetime | None
    until: datetime | None
    created_at: datetime


class ShownGifts(msgspec.Struct, frozen=True):
    """Newest first."""

    gifts: list[ShownGift]
    next_cursor: str | None


class GiftController(Controller):
    path = "/gifts"
    tags = ("Payments",)
    response_headers = NO_STORE

    @post(
        "/",
        status_code=201,
        guards=[signed_in],
        operation_id="giveSubscriptions",
        summary="Go to the payment page for gifts",
        description="Gifts to a room go to viewers who are signed in and have no such subscription, all with the same "
        "chance; with too few of them the rest goes to who comes next, for 30 days, and is then paid back. "
        "Who has the subscription already gets the gift added.",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, PlanUnknown, PlanDoesNotFit, RecipientUnknown, NameNotUnique, CannotBeGiven, StreamIsNotLive,
            *ORDERED, body=True,
        ),
    )  # fmt: skip
    async def give(
        self,
        data: Annotated[
            NewGift,
            Body(examples=[Example(summary="premium", value={"plan_id": "premium-monthly", "recipient_name": "Ada"})]),
        ],
        gifts: NamedDependency[Gifts],
        identity: NamedDependency[Identity],
        request_key: RequestKey = None,
    ) -> ShownOrder:
        wanted = WantedGift(**msgspec.structs.asdict(data))
        return shown_order(await gifts.begin(identity.user_id, wanted, request_key=request_key))

    @get(
        "/",
        guards=[signed_in],
        operation_id="listGivenGifts",
        summary="What one gave",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def given(
        self,
        gifts: NamedDependency[Gifts],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ShownGifts:
        return _shown(*await gifts.given(identity.user_id, cursor, limit))

    @get(
        "/received",
        guards=[signed_in],
        operation_id="listReceivedGifts",
        summary="What one was given",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def received(
        self,
        gifts: NamedDependency[Gifts],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ShownGifts:
        return _shown(*await gifts.received(identity.user_id, cursor, limit))


class ChannelGiftController(Controller):
    path = "/channels"
    tags = ("Payments",)
    response_headers = NO_STORE

    @get(
        "/{channel_id:str}/gifts",
        guards=[signed_in],
        operation_id="listChannelGifts",
        summary="What was given of one's own channel",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, Forbidden),
    )
    async def of_channel(
        self,
        channel_id: FromPath[str],
        gifts: NamedDependency[Gifts],
        identity: NamedDependency[Identity],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ShownGifts:
        require_own(channel_id, identity)
        return _shown(*await gifts.of_channel(channel_id, cursor, limit))


def require_own(channel_id: str, identity: Identity) -> None:
    """What was earned is for its creator's eyes, and an admin's."""
    if identity.role != "admin" and identity.user_id != channel_id:
        raise Forbidden


def _shown(found: list[Gift], next_cursor: str | None) -> ShownGifts:
    names = ShownGift.__struct_fields__
    return ShownGifts([ShownGift(**{name: getattr(one, name) for name in names}) for one in found], next_cursor)
