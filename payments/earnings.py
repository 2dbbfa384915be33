"""Everything a creator may ask about what they earn, in one hand: for who offers it (`http/api/earnings.py`)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from infra.clock import Clock
from infra.stores.postgres import Postgres
from payments.creators import Creators
from payments.figures import Figures, StreamsSeen
from payments.forecast import Forecast, Forecasts
from payments.ledger.journal import Balance, Journal
from payments.model import PayoutAccount
from payments.payouts import Payouts
from payments.plans import Plans
from payments.statement_csv import as_csv
from payments.statement_pdf import StatementPages
from payments.statements import Month, Statements


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The top of the dashboard."""

    account: PayoutAccount | None
    balances: list[Balance]
    forecast: list[Forecast]


@dataclass(frozen=True)
class Earnings:
    """The services of creators. `currency` is meant where none is named."""

    creators: Creators
    payouts: Payouts
    figures: Figures
    statements: Statements
    pages: StatementPages
    forecasts: Forecasts
    minimum_minor: int
    currency: str

    @classmethod
    def over(
        cls,
        db: Postgres,
        journal: Journal,
        plans: Plans,
        creators: Creators,
        payouts: Payouts,
        *,
        streams: StreamsSeen,
        clock: Clock,
        font: Path | None = None,
    ) -> "Earnings":
        """Wired. `font`: a TrueType file for names on statements that Latin-1 cannot spell."""
        return cls(
            creators=creators,
            payouts=payouts,
            figures=Figures(db, streams, clock),
            statements=Statements(db, clock),
            pages=StatementPages(font),
            forecasts=Forecasts(db, journal, plans.payouts, clock),
            minimum_minor=plans.payouts.minimum_minor,
            currency=plans.currency,
        )

    async def overview(self, creator_id: str) -> Overview:
        return Overview(
            account=await self.creators.account(creator_id),
            balances=await self.creators.balances(creator_id),
            forecast=await self.forecasts.of(creator_id),
        )

    async def csv(self, creator_id: str, month: Month, currency: str) -> AsyncIterator[bytes]:
        """A statement in pieces; what can be refused is refused before the first. Raises `AccountNotFound`."""
        heading = await self.statements.heading(creator_id, month, currency)
        opening = await self.statements.opening(creator_id, month, currency)
        return as_csv(heading, opening, self.statements.movements(creator_id, month, currency))

    async def pdf(self, creator_id: str, month: Month, currency: str) -> bytes:
        """A statement by days. Raises `AccountNotFound`."""
        return await self.pages.pdf(await self.statements.summary(creator_id, month, currency))
