"""Other people's money, under `/admin/payments`: for admins whose password was asked for in the last ten minutes
(`POST /auth/confirm`). The rules and the audit are in `payments/admin.py` and `payments/refunds.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import Cursor, Limit
from api.errors import problems
from api.identity import signed_in
from payments.admin import Admin, Dossier
from payments.audit_rows import Deed
from payments.errors import (
    AdminsOnly,
    ChannelNotForSale,
    CustomerNotFound,
    FreshSignInNeeded,
    GivenNotFound,
    NameNotUnique,
    OwnChannel,
    PaymentNotFound,
    PlanDoesNotFit,
    PlanUnknown,
    RefundDiffers,
    RefundTooLarge,
    StripeUnavailable,
)
from payments.model import PayoutAccount, Right
from payments.refunds import Refunded, Refunds

GUARDED = (*NEEDS_USER, AdminsOnly, FreshSignInNeeded)

Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
RefundKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key", min_length=1, max_length=200, description="The same text is the same refund, for ever."
    ),
]
Sought = Annotated[
    str,
    QueryParameter(
        name="q", min_length=1, max_length=254, description="An e-mail, a name, or any id of ours or Stripe's."
    ),
]
OfUser = Annotated[str | None, QueryParameter(name="user_id", max_length=64, description="Whom it concerned.")]


@dataclass(frozen=True)
class PaymentDesk:
    """What this controller needs."""

    admin: Admin
    refunds: Refunds


class WantedRefund(msgspec.Struct, forbid_unknown_fields=True):
    """`reference` as the look-up shows it; without an amount all that is left. `ends`: the subscription that was paid
    ends at once."""

    reference: Annotated[str, Meta(min_length=1, max_length=255)]
    reason: Reason
    amount_minor: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    ends: bool = False


class WantedComp(msgspec.Struct, forbid_unknown_fields=True):
    """`creator_id` names the channel of a channel's plan; without `until` it stands until it is taken back."""

    user_id: Uuid
    plan_id: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Reason
    creator_id: Uuid | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class EndedComp(msgspec.Struct, forbid_unknown_fields=True):
    """`source` as the look-up shows it: `comp:<id>`."""

    user_id: Uuid
    source: Annotated[str, Meta(pattern="^comp:.{1,200}$")]
    reason: Reason


class Frozen(msgspec.Struct, forbid_unknown_fields=True):
    creator_id: Uuid
    reason: Reason


class DeedPage(msgspec.Struct, frozen=True):
    """Newest first."""

    deeds: list[Deed]
    next_cursor: str | None


class PaymentAdminController(Controller):
    path = "/admin/payments"
    tags = ("Administration",)
    response_headers = NO_STORE
    guards = (signed_in,)

    @get(
        "/customer",
        operation_id="lookUpCustomer",
        summary="All that payments know of somebody",
        security=KNOWN_USER,
        responses=problems(*GUARDED, CustomerNotFound, NameNotUnique),
    )
    async def customer(
        self, payment_desk: NamedDependency[PaymentDesk], identity: NamedDependency[Identity], sought: Sought
    ) -> Dossier:
        return await payment_desk.admin.look_up(identity, sought)

    @get(
        "/audit",
        operation_id="listPaymentDeeds",
        summary="What administrators did",
        security=KNOWN_USER,
        responses=problems(*GUARDED),
    )
    async def audit(
        self,
        payment_desk: NamedDependency[PaymentDesk],
        identity: NamedDependency[Identity],
        user_id: OfUser = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> DeedPage:
        return DeedPage(*await payment_desk.admin.deeds(identity, user_id, cursor, limit))

    @post(
        "/refunds",
        status_code=201,
        operation_id="refundPayment",
        summary="Give a payment back, or a part of it",
        description="After a 5xx it may have happened: ask again with the same `Idempotency-Key`.",
        security=KNOWN_USER,
        responses=problems(*GUARDED, PaymentNotFound, RefundTooLarge, RefundDiffers, StripeUnavailable, body=True),
    )
    async def refund(
        self,
        data: Annotated[
            WantedRefund,
            Body(examples=[Example(summary="all of it", value={"reference": "invoice:in_1", "reason": "by mistake"})]),
        ],
        payment_desk: NamedDependency[PaymentDesk],
        identity: NamedDependency[Identity],
        request_key: RefundKey,
    ) -> Refunded:
        return await payment_desk.refunds.refund(
            identity, data.reference, data.amount_minor, data.reason, request_key, ends=data.ends
        )

    @post(
        "/comps",
        status_code=201,
        operation_id="compSubscription",
        summary="Give a subscription away",
        security=KNOWN_USER,
        responses=problems(
            *GUARDED, CustomerNotFound, PlanUnknown, PlanDoesNotFit, ChannelNotForSale, OwnChannel, body=True
        ),
    )
    async def comp(
        self,
        data: JSONBody[WantedComp],
        payment_desk: NamedDependency[PaymentDesk],
        identity: NamedDependency[Identity],
    ) -> Right:
        return await payment_desk.admin.comp(
            identity, data.user_id, data.plan_id, data.creator_id, data.until, data.reason
        )

    @post(
        "/comps/end",
        status_code=200,
        operation_id="endComp",
        summary="Take back what was given away",
        security=KNOWN_USER,
        responses=problems(*GUARDED, GivenNotFound, body=True),
    )
    async def end_comp(
        self, data: JSONBody[EndedComp], payment_desk: NamedDependency[PaymentDesk], identity: NamedDependency[Identity]
    ) -> Right:
        return await payment_desk.admin.end_comp(identity, data.user_id, data.source, data.reason)

    @post(
        "/freeze",
        status_code=200,
        operation_id="freezePayouts",
        summary="Stop a creator's payouts",
        security=KNOWN_USER,
        responses=problems(*GUARDED, CustomerNotFound, body=True),
    )
    async def freeze(
        self, data: JSONBody[Frozen], payment_desk: NamedDependency[PaymentDesk], identity: NamedDependency[Identity]
    ) -> PayoutAccount:
        return await payment_desk.admin.freeze(identity, data.creator_id, data.reason)

    @post(
        "/unfreeze",
        status_code=200,
        operation_id="unfreezePayouts",
        summary="Let a creator's payouts go again",
        security=KNOWN_USER,
        responses=problems(*GUARDED, CustomerNotFound, body=True),
    )
    async def unfreeze(
        self, data: JSONBody[Frozen], payment_desk: NamedDependency[PaymentDesk], identity: NamedDependency[Identity]
    ) -> PayoutAccount:
        return await payment_desk.admin.unfreeze(identity, data.creator_id, data.reason)
