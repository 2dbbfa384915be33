"""The books in PostgreSQL: once, whole, and whoever says something else is refused."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from infra.clock import new_id
from infra.stores.postgres import Postgres
from payments.errors import BooksDisagree
from payments.ledger.entries import Entry, Line, owed_to
from payments.ledger.journal import Balance, Journal
from payments.ledger.postings import PENDING, Dispute, Facts, entries_of, payout_entries
from payments.model import Payout
from tests.payments.ledger.facts import BEGAN, CREATOR, PAYER, as_of, lives, moments, paid, refund

LATER = BEGAN + PENDING + timedelta(days=30)


def at(moment: datetime) -> Journal:
    return Journal(lambda: moment)


async def learn(db: Postgres, facts: Facts, journal: Journal | None = None) -> list[Entry]:
    """What the worker does."""
    journal = journal or at(BEGAN)
    async with db.transaction() as connection:
        return await journal.post(connection, await journal.missing(connection, facts))


async def books(db: Postgres, about: str = "invoice:in_1") -> list[Entry]:
    async with db.connection() as connection:
        return await at(BEGAN).about(connection, about)


async def test_what_was_posted_reads_the_same(db: Postgres) -> None:
    facts = Facts(paid=paid(999, 159), refunds=(refund(1, 500), refund(2, 499)))
    written = await learn(db, facts)
    assert written == entries_of(facts)
    assert await books(db) == written


async def test_what_is_there_is_not_written_again(db: Postgres) -> None:
    facts = Facts(paid=paid(), refunds=(refund(1, 499),))
    await learn(db, facts)
    assert await learn(db, facts) == []
    async with db.transaction() as connection:
        twice = entries_of(facts) * 2
        assert await at(BEGAN).post(connection, twice) == []
    assert len(await books(db)) == 2


async def test_the_same_entry_twice_in_one_posting_is_one(db: Postgres) -> None:
    async with db.transaction() as connection:
        assert len(await at(BEGAN).post(connection, entries_of(Facts(paid=paid())) * 2)) == 1
    assert len(await books(db)) == 1


async def test_other_lines_under_a_known_cause_are_refused_and_nothing_is_written(db: Postgres) -> None:
    await learn(db, Facts(paid=paid(499)))
    other = [*entries_of(Facts(paid=paid(499, reference="invoice:in_2"))), *entries_of(Facts(paid=paid(500)))]
    with pytest.raises(BooksDisagree) as refused:
        async with db.transaction() as connection:
            await at(BEGAN).post(connection, other)
    assert refused.value.details == {"cause": "invoice:in_1:paid"}
    assert await books(db, "invoice:in_2") == []
    assert await books(db) == entries_of(Facts(paid=paid(499)))


async def test_facts_that_contradict_the_books_are_refused(db: Postgres) -> None:
    await learn(db, Facts(paid=paid(499)))
    with pytest.raises(BooksDisagree):
        await learn(db, Facts(paid=paid(498), refunds=(refund(1, 498),)))
    assert await books(db) == entries_of(Facts(paid=paid(499)))


async def test_a_share_becomes_available_when_the_plans_say_so(db: Postgres) -> None:
    journal = Journal(lambda: BEGAN + timedelta(days=2), pending=timedelta(days=2))
    await learn(db, Facts(paid=paid(1000)), journal)
    async with db.connection() as connection:
        assert (await journal.balance(connection, CREATOR, "eur")).available_minor == 700
        assert (await at(BEGAN).balance(connection, CREATOR, "eur")).pending_minor == 700


@pytest.mark.parametrize("change", ["kind", "about", "currency", "available_at"])
async def test_what_may_never_differ_is_compared(db: Postgres, change: str) -> None:
    (entry,) = entries_of(Facts(paid=paid()))
    changes: dict[str, dict[str, object]] = {
        "kind": {"kind": "fee"},
        "about": {"about": "invoice:in_9"},
        "currency": {"currency": "usd"},
        "available_at": {"lines": tuple(Line(one.account, one.amount_minor) for one in entry.lines)},
    }
    async with db.transaction() as connection:
        await at(BEGAN).post(connection, [entry])
    with pytest.raises(BooksDisagree):
        async with db.transaction() as connection:
            await at(BEGAN).post(connection, [msgspec.structs.replace(entry, **changes[change])])


async def test_twenty_writers_at_once_write_each_entry_once(db: Postgres) -> None:
    facts = Facts(
        paid=paid(),
        refunds=tuple(refund(number, 50) for number in range(1, 6)),
        disputes=(Dispute(id="dp_1", amount_minor=249, opened_at=BEGAN + timedelta(days=1), outcome="lost"),),
    )
    tellings = [as_of(facts, moment) for moment in moments(facts)] * 3
    written = await asyncio.gather(*(learn(db, telling) for telling in [*tellings[::-1], facts]))
    causes = [entry.cause for entries in written for entry in entries]
    assert sorted(causes) == sorted(entry.cause for entry in entries_of(facts))
    assert sum(line.amount_minor for entry in await books(db) for line in entry.lines) == 0


async def test_writers_that_do_not_look_first_come_to_one_result(db: Postgres) -> None:
    """Whoever writes much at once and in another order waits for the other, and neither for ever."""
    all_there = asyncio.Barrier(4)
    many = [entry for n in range(1000) for entry in entries_of(Facts(paid=paid(reference=f"invoice:in_{n}")))]

    async def post(order: list[Entry]) -> int:
        async with db.transaction() as connection:
            await all_there.wait()
            return len(await at(BEGAN).post(connection, order))

    counts = await asyncio.gather(*(post(many if n % 2 else many[::-1]) for n in range(4)))
    assert sorted(counts) == [0] * 3 + [1000]


async def test_a_balance_is_pending_available_held_on_its_way_and_paid(db: Postgres) -> None:
    await learn(db, Facts(paid=paid(10_000)))
    await learn(db, Facts(paid=paid(1000, reference="payment:pi_2", paid_at=LATER - timedelta(days=1))))
    held = Dispute(id="dp_1", amount_minor=500, opened_at=BEGAN)
    await learn(db, Facts(paid=paid(500, reference="payment:pi_3"), disputes=(held,)))
    payout = Payout(
        id=new_id(), creator_id=CREATOR, amount_minor=2000, currency="eur", state="asked", asked_by="creator",
        stripe_account_id="acct_1", asked_at=LATER,
    )  # fmt: skip
    sent = msgspec.structs.replace(payout, id=new_id(), amount_minor=3000, state="sent", sent_at=LATER)
    async with db.transaction() as connection:
        await at(LATER).post(connection, payout_entries(payout) + payout_entries(sent))
    async with db.connection() as connection:
        assert await at(LATER).balances(connection, CREATOR) == [
            Balance(
                currency="eur", pending_minor=700, available_minor=2000, reserve_minor=350, transit_minor=2000,
                paid_minor=3000,
            )
        ]  # fmt: skip
        early = await at(BEGAN).balance(connection, CREATOR, "eur")
        assert (early.pending_minor, early.available_minor) == (7700, -5000)
        assert await at(LATER).balance(connection, CREATOR, "usd") == Balance(currency="usd")
        assert await at(LATER).balances(connection, PAYER) == []


async def test_a_refund_after_the_payout_is_a_debt(db: Postgres) -> None:
    await learn(db, Facts(paid=paid(1000), refunds=(refund(1, 1000, after=24 * 30),)))
    payout = Payout(
        id=new_id(), creator_id=CREATOR, amount_minor=700, currency="eur", state="sent", asked_by="schedule",
        stripe_account_id="acct_1", asked_at=LATER, sent_at=LATER,
    )  # fmt: skip
    async with db.transaction() as connection:
        await at(LATER).post(connection, payout_entries(payout))
        assert (await at(LATER).balance(connection, CREATOR, "eur")).available_minor == -700


async def test_a_creator_pages_through_the_entries(db: Postgres) -> None:
    for number in range(5):
        when = BEGAN + timedelta(days=number)
        await learn(db, Facts(paid=paid(reference=f"payment:pi_{number}", paid_at=when)))
    journal = at(BEGAN)
    async with db.connection() as connection:
        first = await journal.page(connection, CREATOR, limit=3)
        rest = await journal.page(connection, CREATOR, limit=3, before_id=first[-1].id)
        day = await journal.page(connection, CREATOR, since=BEGAN, until=BEGAN + timedelta(days=2))
    assert [one.entry.about[-1] for one in first + rest] == ["4", "3", "2", "1", "0"]
    assert [one.entry.about[-1] for one in day] == ["1", "0"]
    assert first[0].entry.sale.payer_id == PAYER


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(facts=lives())
async def test_every_life_is_accepted_by_the_database(db: Postgres, facts: Facts) -> None:
    name = new_id()
    renamed = Facts(
        paid=msgspec.structs.replace(facts.paid, reference=f"payment:pi_{name}"),
        fees=tuple(msgspec.structs.replace(one, transaction_id=name) for one in facts.fees),
        refunds=tuple(msgspec.structs.replace(one, id=f"{one.id}_{name}") for one in facts.refunds),
        disputes=tuple(msgspec.structs.replace(one, id=name) for one in facts.disputes),
    )
    await learn(db, renamed)
    assert await learn(db, renamed) == []
    booked = await books(db, renamed.paid.reference)
    owed = sum(line.amount_minor for entry in booked for line in entry.lines if line.account == owed_to(CREATOR))
    assert owed <= 0
