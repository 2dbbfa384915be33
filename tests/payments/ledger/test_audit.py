"""The nightly check finds what should not be, and nothing where all is well."""

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from gateway.commands import ledger
from infra.clock import new_id
from infra.metrics import Metrics
from infra.settings import PostgresSettings, Settings
from infra.stores.postgres import Connection, Postgres
from payments.ledger.audit import Audit, Checked, Finding, seconds_until
from payments.ledger.entries import DISPUTED, TAX, owed_to, reserve_of, transit_of
from payments.ledger.journal import Journal
from payments.ledger.postings import Dispute, Facts, Fee, entries_of, payout_entries
from payments.model import Payout, PayoutState
from tests.payments.ledger.facts import BEGAN, CREATOR, PAYER, paid, refund


@asynccontextmanager
async def without_triggers(db: Postgres) -> AsyncIterator[Connection]:
    """As somebody at the database could."""
    async with db.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        yield connection


async def check(db: Postgres, metrics: Metrics | None = None) -> Checked:
    return await Audit(db, metrics or Metrics(), lambda: BEGAN).check()


async def post(db: Postgres, *facts: Facts) -> None:
    async with db.transaction() as connection:
        for one in facts:
            await Journal(lambda: BEGAN).post(connection, entries_of(one))


async def pay(db: Postgres, state: PayoutState = "asked", changes: dict[str, Any] | None = None) -> Payout:
    """A payout with its entries; `changes` part the row from them."""
    payout = Payout(
        id=new_id(), creator_id=CREATOR, amount_minor=2000, currency="eur", state=state, asked_by="creator",
        stripe_account_id="acct_1", asked_at=BEGAN,
        sent_at=BEGAN if state in ("sent", "returned") else None,
        failed_at=BEGAN if state == "failed" else None,
        returned_at=BEGAN if state == "returned" else None,
    )  # fmt: skip
    row = msgspec.structs.replace(payout, **(changes or {}))
    async with without_triggers(db) as connection:
        await Journal(lambda: BEGAN).post(connection, payout_entries(payout))
        await connection.execute(
            "INSERT INTO payouts (id, creator_id, amount_minor, currency, state, asked_by, stripe_account_id, next_at, "
            "asked_at, sent_at, failed_at, returned_at) VALUES ($1, $2, $3, $4, $5, 'creator', 'acct_1', $6, $6, $7, "
            "$8, $9)",
            row.id, row.creator_id, row.amount_minor, row.currency, row.state, row.asked_at, row.sent_at,
            row.failed_at, row.returned_at,
        )  # fmt: skip
    return row


async def test_books_without_fault_have_no_findings(db: Postgres) -> None:
    await post(
        db,
        Facts(paid=paid(9000, 900), fees=(Fee(transaction_id="txn_1", amount_minor=30, currency="eur", at=BEGAN),)),
        Facts(paid=paid(999, reference="payment:pi_2"), refunds=(refund(1, 400), refund(2, 599))),
        Facts(
            paid=paid(499, reference="payment:pi_3"),
            disputes=(Dispute(id="dp_1", amount_minor=499, opened_at=BEGAN, outcome="lost"),),
        ),
        Facts(
            paid=paid(499, reference="payment:pi_4"), disputes=(Dispute(id="dp_2", amount_minor=499, opened_at=BEGAN),)
        ),
    )
    for state in ("asked", "sent", "failed", "returned"):
        await pay(db, state)
    checked = await check(db)
    assert checked.findings == []
    assert checked.entries == 18
    assert checked.balances["transit"] == {"eur": -2000}
    assert sum(total["eur"] for total in checked.balances.values()) == 0
    assert ledger.report(checked)[-1] == "18 entries: the books add up"


async def test_no_books_have_no_findings(db: Postgres) -> None:
    assert (await check(db)).findings == []


async def test_a_line_that_was_changed_is_found(db: Postgres) -> None:
    await post(db, Facts(paid=paid(499)))
    async with without_triggers(db) as connection:
        await connection.execute("UPDATE journal_lines SET amount_minor = 500 WHERE account = 'stripe'")
    metrics = Metrics()
    checked = await check(db, metrics)
    assert checked.findings == [
        Finding(kind="entry", what="invoice:in_1:paid", why="3 of 3 lines, 1 currencies, 1 left over"),
        Finding(kind="currency", what="eur", why="1 left over"),
    ]
    assert metrics.registry.get_sample_value("footlight_ledger_findings", {"kind": "entry"}) == 1
    assert metrics.registry.get_sample_value("footlight_ledger_findings", {"kind": "payout"}) == 0
    assert metrics.registry.get_sample_value("footlight_ledger_checked_seconds") == BEGAN.timestamp()
    assert ledger.report(checked)[-3:] == [
        "WRONG entry invoice:in_1:paid: 3 of 3 lines, 1 currencies, 1 left over",
        "WRONG currency eur: 1 left over",
        "1 entries: 2 findings",
    ]


async def test_lines_that_are_gone_are_found(db: Postgres) -> None:
    await post(db, Facts(paid=paid(499)))
    async with without_triggers(db) as connection:
        await connection.execute("DELETE FROM journal_lines")
    assert [finding.why for finding in (await check(db)).findings] == ["0 of 3 lines, 0 currencies, 0 left over"]


@pytest.mark.parametrize(
    ("account", "sign"),
    [(DISPUTED, -1), (reserve_of(CREATOR), 1), (transit_of(CREATOR), 1)],
    ids=["bank", "held", "way"],
)
async def test_an_account_on_the_wrong_side_is_found(db: Postgres, account: str, sign: int) -> None:
    await move(db, account, 100 * sign)
    findings = (await check(db)).findings
    assert Finding(kind="account", what=f"{account} eur", why=f"stands at {100 * sign}") in findings


@pytest.mark.parametrize("account", [TAX, owed_to(CREATOR)])
async def test_more_taken_back_than_given_is_found(db: Postgres, account: str) -> None:
    await move(db, account, 1)
    assert [finding.what for finding in (await check(db)).findings] == ["payment:pi_9"]


async def move(db: Postgres, account: str, amount_minor: int) -> None:
    (entry,) = entries_of(Facts(paid=paid(499, reference="payment:pi_9", share_percent=0)))
    lines = tuple(
        msgspec.structs.replace(line, account=to, amount_minor=amount)
        for line, to, amount in zip(entry.lines, (account, "platform"), (amount_minor, -amount_minor), strict=True)
    )
    async with db.transaction() as connection:
        await Journal(lambda: BEGAN).post(connection, [msgspec.structs.replace(entry, lines=lines)])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount_minor": 2001}, "asked: 2001 eur for ME"),
        ({"currency": "usd"}, "asked: 2000 usd for ME"),
        ({"state": "sent", "sent_at": BEGAN}, "sent: 2000 eur for ME"),
        ({"creator_id": PAYER}, f"asked: 2000 eur for {PAYER}"),
    ],
)
async def test_a_payout_that_is_not_as_booked_is_found(db: Postgres, changes: dict[str, Any], why: str) -> None:
    payout = await pay(db, changes=changes)
    why = f"is {why}, but booked as payout_asked: 2000 to 2000 eur for ME".replace("ME", CREATOR)
    assert Finding(kind="payout", what=f"payout:{payout.id}", why=why) in (await check(db)).findings


async def test_a_payout_without_entries_and_entries_without_a_payout_are_found(db: Postgres) -> None:
    booked, unbooked = await pay(db), await pay(db, changes={"currency": "usd"})
    async with without_triggers(db) as connection:
        await connection.execute("DELETE FROM payouts WHERE id = $1", booked.id)
        await connection.execute(
            "DELETE FROM journal_lines l USING journal j WHERE j.id = l.entry_id AND j.about = $1",
            f"payout:{unbooked.id}",
        )
        await connection.execute("DELETE FROM journal WHERE about = $1", f"payout:{unbooked.id}")
    found = {finding.what: finding.why for finding in (await check(db)).findings}
    assert found == {
        f"payout:{booked.id}": "is booked, but there is no such payout",
        f"payout:{unbooked.id}": "is not booked",
    }


async def test_the_operators_command_fails_when_the_books_do(
    db: Postgres, migrated: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await post(db, Facts(paid=paid(499)))
    assert await ledger.run(Namespace(), Settings(postgres=migrated)) == 0
    assert "the books add up" in capsys.readouterr().out
    await move(db, transit_of(CREATOR), 1)
    assert await ledger.run(Namespace(), Settings(postgres=migrated)) == 1
    assert "WRONG account" in capsys.readouterr().out


def test_the_check_runs_in_the_night() -> None:
    at = time(3, 17)
    evening = datetime(2026, 5, 1, 22, 0, tzinfo=UTC)
    assert seconds_until(at, evening) == timedelta(hours=5, minutes=17).total_seconds()
    assert seconds_until(at, datetime(2026, 5, 2, 3, 16, 59, tzinfo=UTC)) == 1
    assert seconds_until(at, datetime(2026, 5, 2, 3, 17, tzinfo=UTC)) == 86_400
