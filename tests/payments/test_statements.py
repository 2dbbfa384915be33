"""Statements: opening balance and every line make the closing balance, which is what the books say."""

import csv
import io
import re
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.clock import new_id
from infra.stores.postgres import Postgres
from payments.errors import StatementNotFound
from payments.ledger.journal import Balance
from payments.ledger.postings import Paid
from payments.model import Payout
from payments.money import major_units
from payments.statement_csv import COLUMNS, as_csv, harmless
from payments.statement_pdf import UNDRAWN, StatementPages, as_pdf
from payments.statements import BATCH, SETTLED, Amounts, Heading, Month, Statements, Summary, month_of
from payments.stripe.shapes import Transfer
from tests.payments.connect import connect
from tests.payments.earning import BEGAN, Earning, earning

MAY = month_of("2026-05")
assert MAY is not None
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


@pytest.fixture
async def world(db: Postgres) -> AsyncIterator[Earning]:
    async with connect() as stripe, earning(db, stripe.url) as world:
        yield world


def statements(world: Earning) -> Statements:
    return Statements(world.db, world.clock)


async def csv_of(world: Earning, creator_id: str, month: Month, currency: str = "eur") -> list[dict[str, str]]:
    made = statements(world)
    heading = await made.heading(creator_id, month, currency)
    opening = await made.opening(creator_id, month, currency)
    pieces = [piece async for piece in as_csv(heading, opening, made.movements(creator_id, month, currency))]
    text = b"".join(pieces).decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def amounts(row: dict[str, str]) -> tuple[int, int, int]:
    owed, held, transit = (int(row[name].replace(".", "")) for name in ("earnings", "held", "on_the_way"))
    return owed, held, transit


def triple(one: Amounts) -> tuple[int, int, int]:
    return one.owed_minor, one.held_minor, one.transit_minor


async def in_the_books(world: Earning, creator_id: str, currency: str, before: datetime) -> tuple[int, int, int]:
    """The plainest sum there is."""
    async with world.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT l.account, -sum(l.amount_minor)::bigint AS total FROM journal_lines l, journal j "
            "WHERE j.id = l.entry_id AND l.account LIKE '%' || $1 AND l.currency = $2 AND j.recorded_at < $3 "
            "GROUP BY 1",
            creator_id, currency, before,
        )  # fmt: skip
    found = {row["account"].partition(":")[0]: row["total"] for row in rows}
    return found.get("creator", 0), found.get("reserve", 0), found.get("transit", 0)


def text_of(pdf: bytes) -> str:
    """What its pages draw with built-in fonts."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(one) for one in streams if one.startswith(b"x"))
    return " ".join(part.decode("latin-1") for part in re.findall(rb"\((.*?)(?<!\\)\) Tj", drawn, re.DOTALL))


async def test_a_month_of_everything_adds_up(world: Earning) -> None:
    creator_id = await world.creator("acct_1")
    await world.earn(creator_id, 5000)
    world.clock.now = BEGAN.replace(month=6)
    refunded = await world.earn(creator_id, 1000, source="gift")
    await world.learn(refunded, 400)
    await world.earn(creator_id, 700, source="paid_message", disputed=True)
    await world.payouts.ask(creator_id, "eur")
    await world.sender.send_next()
    june = month_of("2026-06")
    assert june is not None
    rows = await csv_of(world, creator_id, june)
    assert [row["kind"] for row in rows] == [
        "opening", "payment", "refund", "payment", "dispute_opened", "payout_asked", "payout_sent", "closing",
    ]  # fmt: skip
    assert [amounts(row) for row in rows] == [
        (5000, 0, 0), (1000, 0, 0), (-400, 0, 0), (700, 0, 0), (-700, 700, 0), (-5000, 0, 5000), (0, 0, -5000),
        (600, 700, 0),
    ]  # fmt: skip
    assert [row["balance"] for row in rows] == [
        "50.00", "60.00", "56.00", "63.00", "63.00", "63.00", "13.00", "13.00",
    ]  # fmt: skip
    assert rows[1]["text"] == "Gift"
    assert rows[2]["text"] == "Refund: Gift"
    assert rows[-1]["text"] == "Balance now"
    assert await in_the_books(world, creator_id, "eur", june.ends) == (600, 700, 0)


async def test_what_is_learnt_late_changes_no_month_that_is_over(world: Earning) -> None:
    creator_id = await world.creator()
    paid = await world.earn(creator_id, 5000)
    world.clock.now = MAY.ends  # type: ignore[union-attr]
    ended = await csv_of(world, creator_id, MAY)  # type: ignore[arg-type]
    assert ended[-1]["text"] == "Balance now", "a transaction of its last moment may not have ended yet"
    world.clock.now += SETTLED
    before = await csv_of(world, creator_id, MAY)  # type: ignore[arg-type]
    assert before[-1]["text"] == "Closing balance"
    late = Paid(
        reference="payment:pi_late", amount_minor=300, tax_minor=0, currency="eur", paid_at=paid.paid_at,
        share_percent=100, sale=paid.sale,
    )  # fmt: skip
    await world.learn(late)
    assert await csv_of(world, creator_id, MAY) == before  # type: ignore[arg-type]
    june = await csv_of(world, creator_id, statements(world).month("2026-06"))
    assert (june[1]["happened_at"][:10], june[1]["booked_at"][:10]) == ("2026-05-04", "2026-06-01")


async def test_each_currency_has_its_own_statement(world: Earning) -> None:
    creator_id, other_id = await world.creator(), await world.creator()
    await world.earn(creator_id, 5000)
    await world.earn(creator_id, 700, currency="jpy")
    await world.earn(other_id, 900)
    yen = await csv_of(world, creator_id, MAY, "jpy")  # type: ignore[arg-type]
    assert [(row["earnings"], row["currency"]) for row in yen] == [("0", "JPY"), ("700", "JPY"), ("700", "JPY")]
    available = await statements(world).available(creator_id)
    assert (available.months, available.currencies) == (["2026-05"], ["eur", "jpy"])
    assert (await statements(world).available(await world.person())).months == []


async def test_months_that_are_none_or_have_not_begun_have_no_statement(world: Earning) -> None:
    for text in ("2026-06", "2026-13", "2026-5", "26-05", "../x", "٢٠٢٦-05", ""):
        with pytest.raises(StatementNotFound):
            statements(world).month(text)
    december = month_of("2026-12")
    assert december is not None
    assert december.ends == datetime(2027, 1, 1, tzinfo=UTC)


async def test_a_long_month_comes_in_pieces_and_whole(world: Earning) -> None:
    creator_id = await world.creator()
    async with world.db.transaction() as connection:
        await connection.execute(
            "INSERT INTO journal (cause, kind, about, currency, lines, source, creator_id, at, recorded_at) "
            "SELECT 'payment:' || n || ':paid', 'payment', 'payment:' || n, 'eur', 2, 'gift', $1, $2, $2 "
            "FROM generate_series(1, $3) AS n",
            creator_id, world.clock(), 2 * BATCH + 7,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO journal_lines SELECT id, n, CASE n WHEN 1 THEN 'stripe' ELSE 'creator:' || $1::text END, "
            "CASE n WHEN 1 THEN 1 ELSE -1 END, 'eur', NULL FROM journal, generate_series(1, 2) AS n",
            creator_id,
        )
    made = statements(world)
    sizes = [len(batch) async for batch in made.movements(creator_id, MAY, "eur")]  # type: ignore[arg-type]
    assert sizes == [BATCH, BATCH, 7]
    rows = await csv_of(world, creator_id, MAY)  # type: ignore[arg-type]
    assert rows[-1]["earnings"] == major_units(2 * BATCH + 7, "eur")
    (day,) = (await made.summary(creator_id, MAY, "eur")).days  # type: ignore[arg-type]
    assert (day.count, day.amounts.owed_minor) == (2 * BATCH + 7, 2 * BATCH + 7)


@pytest.mark.parametrize("name", ["=1+1", "@x", "-2", "+3", "\tx"])
def test_no_cell_of_words_is_a_formula(name: str) -> None:
    assert harmless(name) == f"'{name}"


def test_the_columns_are_what_is_documented() -> None:
    assert COLUMNS[:4] == ("booked_at", "happened_at", "kind", "source")


def heading(name: str = "Ada") -> Heading:
    assert MAY is not None
    return Heading(
        creator_id=new_id(), creator_name=name, month=MAY, currency="eur", made_at=MAY.ends + timedelta(days=1),
        final=True,
    )  # fmt: skip


async def test_the_pdf_says_what_the_summary_says(world: Earning) -> None:
    creator_id = await world.creator("acct_1")
    await world.earn(creator_id, 5000)
    await world.earn(creator_id, 2000)
    summary = await statements(world).summary(creator_id, MAY, "eur")  # type: ignore[arg-type]
    pdf = await StatementPages().pdf(summary)
    assert pdf == as_pdf(summary)
    text = text_of(pdf)
    for said in ("Statement 2026-05, EUR", "Ada", "2026-05-04", "Channel subscription", "70.00", "Closing balance"):
        assert said in text
    assert "The month is not over" in text


@pytest.mark.parametrize("name", ["Ада", "علي", "देवी", "愛", "Ada 🎉", "n\u0303\u0323", "=1+1"])
def test_a_name_is_drawn_as_it_is_or_not_at_all(name: str) -> None:
    """In the properties it is always exact."""
    pdf = as_pdf(Summary(heading=heading(name), opening=Amounts(), days=[]))
    assert (name if name.isascii() else UNDRAWN.strip("()")) in text_of(pdf).replace("\\", "")
    assert f"/Author ({name})".encode() in pdf or name.encode("utf-16-be").hex().encode() in pdf.lower()


@pytest.mark.skipif(not DEJAVU.exists(), reason="needs a font of the system")
@pytest.mark.parametrize(("name", "drawn"), [("Ада", True), ("علي", False), ("देवी", False)])
def test_a_font_of_the_operator_draws_names_that_it_has_all_of(name: str, drawn: bool) -> None:
    pdf = as_pdf(Summary(heading=heading(name), opening=Amounts(), days=[]), DEJAVU)
    assert (UNDRAWN.strip("()") not in text_of(pdf).replace("\\", "")) == drawn


# What may happen to a creator's money, in any order: so many minor units, and hours that go by.
steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "refund", "dispute", "ask", "send", "fail", "return"]),
        st.integers(1, 6000),
        st.integers(0, 400),
    ),
    max_size=14,
)


async def live(world: Earning, creator_id: str, step: str, amount_minor: int, sales: list[Paid]) -> None:
    listed, _ = await world.payouts.page(creator_id, None, 50)
    asked = [one for one in listed if one.state == "asked"]
    sent = [one for one in listed if one.state == "sent"]
    async with world.db.transaction() as connection:
        match step:
            case "send" if asked:
                await world.payouts.sent(connection, asked[0], transfer_of(world, asked[0]))
            case "fail" if asked:
                await world.payouts.failed(connection, asked[0], "refused")
            case "return" if sent:
                await world.payouts.returned(connection, sent[0])
    if step == "earn":
        sales.append(await world.earn(creator_id, amount_minor))
    elif step == "refund" and sales:
        await world.learn(sales.pop(), amount_minor)
    elif step == "dispute" and sales:
        await world.learn(sales.pop(), disputed=True)
    elif step == "ask" and not asked and await payable(world, creator_id):
        await world.payouts.ask(creator_id, "eur")


async def payable(world: Earning, creator_id: str) -> bool:
    async with world.db.connection() as connection:
        return (await world.journal.balance(connection, creator_id, "eur")).available_minor >= 2000


def transfer_of(world: Earning, payout: Payout) -> Transfer:
    return Transfer(
        id=f"tr_{payout.id}", amount=payout.amount_minor, currency="eur", created=int(world.clock().timestamp())
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_whatever_happens_every_month_adds_up_to_the_books(
    world: Earning, steps: list[tuple[str, int, int]]
) -> None:
    world.clock.now = BEGAN
    creator_id = await world.creator()
    sales: list[Paid] = []
    for step, amount_minor, hours in steps:
        await live(world, creator_id, step, amount_minor, sales)
        world.clock.now += timedelta(hours=hours)
    made, before = statements(world), (0, 0, 0)
    for name in reversed((await made.available(creator_id)).months):
        month = made.month(name)
        summary = await made.summary(creator_id, month, "eur")
        rows = await csv_of(world, creator_id, month)
        assert triple(summary.opening) == before == amounts(rows[0])
        lines = [amounts(row) for row in rows[:-1]]
        assert tuple(map(sum, zip(*lines, strict=True))) == triple(summary.closing) == amounts(rows[-1])
        assert triple(summary.closing) == await in_the_books(world, creator_id, "eur", month.ends)
        before = triple(summary.closing)
    async with world.db.connection() as connection:
        balance: Balance = await world.journal.balance(connection, creator_id, "eur")
    assert before == (balance.pending_minor + balance.available_minor, balance.reserve_minor, balance.transit_minor)
