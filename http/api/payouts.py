"""Being paid, under `/payouts`: always the asker's own. The rules are in `payments/payouts.py` and `creators.py`."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.channels import Cursor, Limit
from api.earnings import ShownAccount, shown_account
from api.errors import problems
from api.identity import signed_in
from api.uploads import RequestKey
from payments.creators import Country, Onboarding
from payments.earnings import Earnings
from payments.errors import (
    CountryNotSupported,
    NoPayoutAccount,
    NotACreator,
    PayoutAccountNotReady,
    PayoutDiffers,
    PayoutsFrozen,
    PayoutTooSmall,
    PayoutUnderWay,
    StripeUnavailable,
)
from payments.model import Payout, PayoutSchedule, PayoutState

OURS = "The money had not reached our account at Stripe yet. It is available again: ask once more in a day or two."
THEIRS = "Stripe did not accept the payout. It is available again: look at your details there, then ask once more."


class WantedPayout(msgspec.Struct, forbid_unknown_fields=True):
    """All that is available in this currency; none named is the platform's own."""

    currency: Annotated[str, Meta(pattern="^[a-z]{3}$")] | None = None


class ShownPayout(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: asked is on its way; sent has left us; failed and returned are available again.

    `failure` is Stripe's code, `failure_words` what a person reads.
    """

    id: str
    amount_minor: int
    currency: str
    state: PayoutState
    asked_by: Literal["creator", "schedule", "admin"]
    asked_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    returned_at: datetime | None
    failure: str | None
    failure_words: str | None


class PayoutPage(msgspec.Struct, frozen=True):
    """Newest first."""

    payouts: list[ShownPayout]
    next_cursor: str | None


class WantedAccount(msgspec.Struct, forbid_unknown_fields=True):
    """The country counts when the account is made: ISO 3166."""

    country: Country


class NewSchedule(msgspec.Struct, forbid_unknown_fields=True):
    schedule: PayoutSchedule


class PayoutController(Controller):
    path = "/payouts"
    tags = ("Earnings",)
    response_headers = NO_STORE
    guards = (signed_in,)

    @post(
        "/",
        status_code=201,
        operation_id="askForPayout",
        summary="Pay out what is available",
        description="With an `Idempotency-Key`, asking again gives the same payout.",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, NoPayoutAccount, PayoutAccountNotReady, PayoutsFrozen, PayoutUnderWay, PayoutTooSmall,
            PayoutDiffers, body=True,
        ),
    )  # fmt: skip
    async def ask(
        self,
        data: Annotated[WantedPayout, Body(examples=[Example(summary="euros", value={"currency": "eur"})])],
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
        request_key: RequestKey = None,
    ) -> ShownPayout:
        currency = data.currency or earnings.currency
        return shown_payout(await earnings.payouts.ask(identity.user_id, currency, request_key=request_key))

    @get(
        "/",
        operation_id="listPayouts",
        summary="Payouts so far",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def payouts(
        self,
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PayoutPage:
        found, next_cursor = await earnings.payouts.page(identity.user_id, cursor, limit)
        return PayoutPage([shown_payout(one) for one in found], next_cursor)

    @post(
        "/account",
        status_code=201,
        operation_id="beginOnboarding",
        summary="A link to Stripe, where a creator says who they are and where their bank is",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NotACreator, PayoutsFrozen, CountryNotSupported, StripeUnavailable, body=True),
    )
    async def onboard(
        self,
        data: Annotated[WantedAccount, Body(examples=[Example(summary="Germany", value={"country": "DE"})])],
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
    ) -> Onboarding:
        return await earnings.creators.onboard(identity, data.country)

    @post(
        "/account/refresh",
        status_code=200,
        operation_id="refreshPayoutAccount",
        summary="The account as Stripe has it now: for the page one returns to",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NoPayoutAccount, StripeUnavailable),
    )
    async def refresh(self, earnings: NamedDependency[Earnings], identity: NamedDependency[Identity]) -> ShownAccount:
        return shown_account(await earnings.creators.refresh(identity.user_id))

    @patch(
        "/account",
        operation_id="changePayoutSchedule",
        summary="Be paid without asking: every Monday, on the first of every month, or not",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, NoPayoutAccount, body=True),
    )
    async def schedule(
        self,
        data: Annotated[NewSchedule, Body(examples=[Example(summary="every Monday", value={"schedule": "weekly"})])],
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
    ) -> ShownAccount:
        return shown_account(await earnings.creators.set_schedule(identity.user_id, data.schedule))


def shown_payout(payout: Payout) -> ShownPayout:
    """A payout as its owner sees it."""
    told = {name: getattr(payout, name) for name in ShownPayout.__struct_fields__ if name != "failure_words"}
    words = OURS if payout.failure == "balance_insufficient" else THEIRS
    return ShownPayout(**told, failure_words=words if payout.failure else None)
