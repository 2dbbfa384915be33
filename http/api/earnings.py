"""What a creator earned, under `/earnings`: always the asker's own. The rules are in `payments/`."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from infra.errors import Invalid
from payments.earnings import Earnings
from payments.errors import StatementNotFound
from payments.figures import MOST_STREAMS, MOST_SUPPORTERS, Day, Span, StreamFigures, Supporter
from payments.forecast import Forecast
from payments.ledger.journal import Balance
from payments.model import PayoutAccount, PayoutSchedule
from payments.schedules import WORDS, in_words
from payments.statements import Available

# As text: Litestar names the parameter of the function in its refusal, and `from` cannot be one.
From = Annotated[str | None, QueryParameter(name="from", max_length=10, description="The first day: 2026-05-01.")]
To = Annotated[str | None, QueryParameter(name="to", max_length=10, description="The last day, included; else today.")]
Zone = Annotated[str, QueryParameter(name="time_zone", max_length=64, description="Whose days: Europe/Berlin.")]
Currency = Annotated[
    str | None, QueryParameter(name="currency", pattern="^[a-z]{3}$", description="ISO 4217 in lower case.")
]
Supporters = Annotated[int, QueryParameter(ge=1, le=MOST_SUPPORTERS, description="How many at most.")]
Streams = Annotated[int, QueryParameter(ge=1, le=MOST_STREAMS, description="How many at most.")]
AccountState = Literal["none", "incomplete", "ready", "frozen"]
CSV, PDF = ".csv", ".pdf"


class ShownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Where earnings go, and when. `requirements` is what Stripe still wants to know; `_words` are for people."""

    state: AccountState
    country: str | None
    requirements: list[str]
    schedule: PayoutSchedule
    schedule_words: str
    next_payout_at: datetime | None
    next_payout_words: str | None


class EarningsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The top of the dashboard. Less than `minimum_minor` is not paid out; `currency` is meant where none is named."""

    account: ShownAccount
    balances: list[Balance]
    forecast: list[Forecast]
    minimum_minor: int
    currency: str


class Balances(msgspec.Struct, frozen=True):
    """One for each currency. Pending becomes available by time; reserve is held for disputes; a debt is negative."""

    balances: list[Balance]


class Days(msgspec.Struct, frozen=True):
    """Every day from the first to the last."""

    time_zone: str
    days: list[Day]


class SupporterList(msgspec.Struct, frozen=True):
    """Who spent most comes first."""

    currency: str
    supporters: list[Supporter]


class StreamList(msgspec.Struct, frozen=True):
    """The newest first."""

    streams: list[StreamFigures]


async def span(earnings: NamedDependency[Earnings], since: From = None, until: To = None, zone: Zone = "UTC") -> Span:
    """The days that are meant: the last 30 unless said otherwise."""
    return earnings.figures.span(zone, _day("from", since), _day("to", until))


class EarningsController(Controller):
    path = "/earnings"
    tags = ("Earnings",)
    response_headers = NO_STORE
    guards = (signed_in,)
    dependencies = {"span": Provide(span)}  # noqa: RUF012 - as Litestar declares it

    @get(
        "/",
        operation_id="getEarnings",
        summary="Balances, where they go, and the next payout",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def overview(self, earnings: NamedDependency[Earnings], identity: NamedDependency[Identity]) -> EarningsPage:
        found = await earnings.overview(identity.user_id)
        return EarningsPage(
            account=shown_account(found.account),
            balances=found.balances,
            forecast=found.forecast,
            minimum_minor=earnings.minimum_minor,
            currency=earnings.currency,
        )

    @get(
        "/balance",
        operation_id="getBalances",
        summary="What is pending, available, held, on its way and paid",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def balance(self, earnings: NamedDependency[Earnings], identity: NamedDependency[Identity]) -> Balances:
        return Balances(await earnings.creators.balances(identity.user_id))

    @get(
        "/days",
        operation_id="getEarningsByDay",
        summary="Revenue by source, and subscribers, day by day",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def days(
        self, earnings: NamedDependency[Earnings], identity: NamedDependency[Identity], span: NamedDependency[Span]
    ) -> Days:
        return Days(span.zone.key, await earnings.figures.days(identity.user_id, span))

    @get(
        "/supporters",
        operation_id="getSupporters",
        summary="Who spent most",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def supporters(
        self,
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
        span: NamedDependency[Span],
        currency: Currency = None,
        limit: Supporters = 10,
    ) -> SupporterList:
        meant = currency or earnings.currency
        return SupporterList(meant, await earnings.figures.supporters(identity.user_id, span, meant, limit))

    @get(
        "/streams",
        operation_id="getEarningsByStream",
        summary="What each stream brought, beside its viewers and chat",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def streams(
        self,
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
        span: NamedDependency[Span],
        limit: Streams = 20,
    ) -> StreamList:
        return StreamList(await earnings.figures.streams(identity.user_id, span, limit))

    @get(
        "/statements",
        operation_id="listStatements",
        summary="The months and currencies that have statements",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def statements(self, earnings: NamedDependency[Earnings], identity: NamedDependency[Identity]) -> Available:
        return await earnings.statements.available(identity.user_id)

    @get(
        "/statements/{name:str}",
        operation_id="getStatement",
        summary="A month as `2026-05.csv` (every entry) or `2026-05.pdf` (by days)",
        description="A month is one of UTC. Entries belong to the month in which they were booked.",
        opt={"also_answers": ("text/csv", "application/pdf")},
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StatementNotFound),
    )
    async def statement(
        self,
        name: FromPath[str],
        earnings: NamedDependency[Earnings],
        identity: NamedDependency[Identity],
        currency: Currency = None,
    ) -> Response[bytes] | Stream:
        month = earnings.statements.month(name[:-4])
        meant = currency or earnings.currency
        headers = {"content-disposition": f'attachment; filename="footlight-{month.name}-{meant}{name[-4:]}"'}
        if name.endswith(CSV):
            pieces = await earnings.csv(identity.user_id, month, meant)
            return Stream(pieces, media_type="text/csv", headers=headers)
        if name.endswith(PDF):
            pdf = await earnings.pdf(identity.user_id, month, meant)
            return Response(pdf, media_type="application/pdf", headers=headers)
        raise StatementNotFound


def shown_account(account: PayoutAccount | None) -> ShownAccount:
    """As its owner sees it: why it is frozen is support's to say."""
    schedule: PayoutSchedule = account.schedule if account else "manual"
    next_at = account.next_payout_at if account else None
    return ShownAccount(
        state=_state(account),
        country=account.country if account else None,
        requirements=account.requirements if account else [],
        schedule=schedule,
        schedule_words=WORDS[schedule],
        next_payout_at=next_at,
        next_payout_words=in_words(next_at) if next_at else None,
    )


def _state(account: PayoutAccount | None) -> AccountState:
    if account is not None and account.frozen_at is not None:
        return "frozen"
    if account is None or account.stripe_account_id is None:
        return "none"
    return "ready" if account.payouts_enabled else "incomplete"


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise Invalid(fields={name: "is not a day like 2026-05-01"}) from None
