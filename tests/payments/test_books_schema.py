"""The database itself refuses books that do not balance or are rewritten."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from infra.clock import new_id
from infra.migrations import runner
from infra.migrations.runner import migrate
from infra.settings import PostgresSettings
from infra.stores.postgres import Connection, Postgres, open_postgres

MIGRATIONS = Path(runner.__file__).parent
AT = datetime(2026, 5, 1, tzinfo=UTC)
CREATOR = f"creator:{new_id()}"
Line = tuple[str, int, str]
FAIR: list[Line] = [("stripe", 499, "eur"), (CREATOR, -349, "eur"), ("platform", -150, "eur")]


async def write(connection: Connection, lines: list[Line], *, cause: str, count: int | None = None) -> int:
    entry_id: int = await connection.fetchval(
        "INSERT INTO journal (cause, kind, about, currency, lines, at, recorded_at) "
        "VALUES ($1, 'payment', $1, 'eur', $2, $3, $3) RETURNING id",
        cause, max(2, len(lines)) if count is None else count, AT,
    )  # fmt: skip
    await add(connection, entry_id, lines)
    return entry_id


async def add(connection: Connection, entry_id: int, lines: list[Line], first: int = 1) -> None:
    await connection.executemany(
        "INSERT INTO journal_lines (entry_id, number, account, amount_minor, currency) VALUES ($1, $2, $3, $4, $5)",
        [(entry_id, number, *line) for number, line in enumerate(lines, first)],
    )


async def test_a_balanced_entry_is_kept(db: Postgres) -> None:
    async with db.transaction() as connection:
        await write(connection, FAIR, cause="invoice:in_1:paid")
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM journal_lines") == 3


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([("stripe", 499, "eur"), (CREATOR, -349, "eur")], id="money from nowhere"),
        pytest.param([("stripe", 499, "eur")], id="one line"),
        pytest.param([], id="no line"),
        pytest.param([("stripe", 499, "eur"), (CREATOR, -499, "usd")], id="two currencies"),
        pytest.param([("stripe", 499, "usd"), (CREATOR, -499, "usd")], id="another currency than it says"),
        pytest.param([("stripe", 499, "eur"), ("pocket", -499, "eur")], id="no such account"),
        pytest.param([("stripe", 499, "eur"), ("creator:somebody", -499, "eur")], id="no such creator"),
        pytest.param([("stripe", 0, "eur"), (CREATOR, 0, "eur")], id="nothing moves"),
    ],
)
async def test_an_entry_that_does_not_balance_is_refused_at_commit(db: Postgres, lines: list[Line]) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with db.transaction() as connection:
            await write(connection, lines, cause="invoice:in_1:paid")
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM journal") == 0


async def test_a_cause_is_booked_once(db: Postgres) -> None:
    async with db.transaction() as connection:
        await write(connection, FAIR, cause="invoice:in_1:paid")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with db.transaction() as connection:
            await write(connection, FAIR, cause="invoice:in_1:paid")


async def test_nothing_can_be_added_to_an_entry_later(db: Postgres) -> None:
    async with db.transaction() as connection:
        entry_id = await write(connection, FAIR, cause="invoice:in_1:paid")
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance: 5 of 3 lines"):
        async with db.transaction() as connection:
            await add(connection, entry_id, [(CREATOR, 100, "eur"), ("platform", -100, "eur")], first=4)


@pytest.mark.parametrize("table", ["journal", "journal_lines", "payment_audit"])
async def test_what_is_written_stays(db: Postgres, table: str) -> None:
    audit = "INSERT INTO payment_audit (id, actor_id, actor_name, action, at) VALUES ($1, 'root', 'Root', 'refund', $2)"
    async with db.transaction() as connection:
        await write(connection, FAIR, cause="invoice:in_1:paid")
        await connection.execute(audit, new_id(), AT)
    before = await rows(db, table)
    column = {"journal": "cause", "journal_lines": "account", "payment_audit": "reason"}[table]
    for statement in (
        f"UPDATE {table} SET {column} = {column}",  # noqa: S608 - names from above
        f"DELETE FROM {table}",  # noqa: S608 - as above
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="only added to"):
            async with db.transaction() as connection:
                await connection.execute(statement)
    assert before
    assert await rows(db, table) == before


async def rows(db: Postgres, table: str) -> list[Any]:
    async with db.connection() as connection:
        return list(await connection.fetch(f"SELECT * FROM {table}"))  # noqa: S608 - a name from above


async def test_only_what_is_owed_to_a_creator_becomes_available(db: Postgres) -> None:
    async with db.transaction() as connection:
        entry_id = await write(connection, FAIR, cause="invoice:in_1:paid")
        assert entry_id
        with pytest.raises(asyncpg.CheckViolationError):
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO journal_lines VALUES ($1, 9, 'platform', 5, 'eur', $2)", entry_id, AT
                )


async def test_a_channel_has_one_payout_asked_at_a_time(db: Postgres) -> None:
    creator_id = await person(db)
    ask = (
        "INSERT INTO payouts (id, creator_id, amount_minor, currency, asked_by, stripe_account_id, next_at, asked_at) "
        "VALUES ($1, $2, 5000, $3, 'creator', 'acct_1', $4, $4)"
    )
    async with db.connection() as connection:
        await connection.execute(ask, new_id(), creator_id, "eur", AT)
        await connection.execute(ask, new_id(), creator_id, "usd", AT)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(ask, new_id(), creator_id, "eur", AT)


async def test_an_event_is_stored_once(db: Postgres) -> None:
    store = (
        "INSERT INTO webhook_inbox (source, event_id, type, body, next_at, occurred_at, received_at) "
        "VALUES ($1, 'evt_1', 'invoice.paid', '', $2, $2, $2) ON CONFLICT (source, event_id) DO NOTHING"
    )
    async with db.connection() as connection:
        for source in ("stripe", "stripe", "connect"):
            await connection.execute(store, source, AT)
        assert await connection.fetchval("SELECT count(*) FROM webhook_inbox") == 2


async def test_nobody_buys_from_themselves(db: Postgres) -> None:
    somebody = await person(db)
    order = (
        "INSERT INTO orders (id, user_id, kind, plan_id, creator_id, amount_minor, currency, created_at, expires_at) "
        "VALUES ($1, $2, 'subscription', 'channel-1', $3, 499, 'eur', $4, $4)"
    )
    async with db.connection() as connection:
        await connection.execute(order, new_id(), somebody, None, AT)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(order, new_id(), somebody, somebody, AT)


async def person(db: Postgres) -> str:
    user_id = new_id()
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO users (id, email, display_name, password_hash, created_at, updated_at) "
            "VALUES ($1, $2, 'Ada', '', $3, $3)",
            user_id, f"{user_id}@example.com", AT,
        )  # fmt: skip
    return user_id


async def test_who_was_granted_premium_before_there_were_payments_keeps_it(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    name = f"m{new_id().replace('-', '')}"
    async with open_postgres(postgres_settings) as server, server.connection() as connection:
        await connection.execute(f"CREATE DATABASE {name}", timeout=60)  # it copies files
    url = urlunsplit(urlsplit(postgres_settings.url)._replace(path=f"/{name}"))
    for path in MIGRATIONS.glob("V[1-8]__*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    async with open_postgres(replace(postgres_settings, url=url)) as old:
        await migrate(old, tmp_path)
        ada, bob = await person(old), await person(old)
        async with old.connection() as connection:
            await connection.execute("UPDATE users SET subscription_tier = 'premium' WHERE id = $1", ada)
            await migrate(old)
            rows = await connection.fetch("SELECT id, subscription_tier, granted_tier, paid_tier, channels FROM users")
    tiers = {str(row["id"]): tuple(row)[1:] for row in rows}
    assert tiers == {ada: ("premium", "premium", "free", "{}"), bob: ("free", "free", "free", "{}")}
    async with open_postgres(postgres_settings) as server, server.connection() as connection:
        await connection.execute(f"DROP DATABASE {name}", timeout=60)
