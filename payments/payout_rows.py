"""Payouts and the accounts they go to, in PostgreSQL. Each function runs on the connection, and so in the transaction,
of its caller."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from infra.stores.postgres import Connection
from payments.model import Payout, PayoutAccount, PayoutSchedule
from payments.stripe.shapes import Account

SENDING = 0x53656E64  # "Send"
FREEZE_SECONDS = 40.0  # longer than a transfer under way can take: four tries of 5 s, and the pauses between

_PAYOUT = (
    "p.id::text, p.creator_id::text, p.amount_minor, p.currency, p.state, p.asked_by, p.stripe_account_id, p.asked_at, "
    "p.stripe_transfer_id, p.failure, p.attempts, p.sent_at, p.failed_at, p.returned_at"
)

# --- accounts


async def find_account(connection: Connection, creator_id: str) -> PayoutAccount | None:
    return _account(await connection.fetchrow("SELECT * FROM payout_accounts WHERE creator_id = $1", creator_id))


async def account_at_stripe(connection: Connection, stripe_id: str) -> PayoutAccount | None:
    return _account(await connection.fetchrow("SELECT * FROM payout_accounts WHERE stripe_account_id = $1", stripe_id))


async def begin_account(connection: Connection, creator_id: str, country: str, now: datetime) -> PayoutAccount:
    """The row, locked; made if there is none. Its country changes until Stripe has an account."""
    row = await connection.fetchrow(
        "INSERT INTO payout_accounts (creator_id, country, created_at, updated_at) VALUES ($1, $2, $3, $3) "
        "ON CONFLICT (creator_id) DO UPDATE SET country = CASE WHEN payout_accounts.stripe_account_id IS NULL "
        "THEN excluded.country ELSE payout_accounts.country END, updated_at = $3 RETURNING *",
        creator_id, country, now,
    )  # fmt: skip
    return _written(row)


async def put_account(connection: Connection, creator_id: str, seen: Account, now: datetime) -> PayoutAccount | None:
    """Write what Stripe says of an account; None for somebody who has another one, or never began."""
    wanted = seen.requirements.currently_due if seen.requirements else None
    row = await connection.fetchrow(
        "UPDATE payout_accounts SET stripe_account_id = $2, country = coalesce($3, country), details_submitted = $4, "
        "payouts_enabled = $5, requirements = $6, updated_at = $7 "
        "WHERE creator_id = $1 AND coalesce(stripe_account_id, $2) = $2 RETURNING *",
        creator_id, seen.id, seen.country, seen.details_submitted, seen.payouts_enabled,
        msgspec.json.encode(wanted or []).decode(), now,
    )  # fmt: skip
    return _account(row)


async def set_schedule(
    connection: Connection, creator_id: str, schedule: PayoutSchedule, next_at: datetime | None, now: datetime
) -> PayoutAccount | None:
    row = await connection.fetchrow(
        "UPDATE payout_accounts SET schedule = $2, next_payout_at = $3, updated_at = $4 WHERE creator_id = $1 "
        "RETURNING *",
        creator_id, schedule, next_at, now,
    )  # fmt: skip
    return _account(row)


async def due_accounts(connection: Connection, now: datetime, limit: int) -> Sequence[str]:
    """Creators whom the schedule owes a payout by now."""
    rows = await connection.fetch(
        "SELECT creator_id::text FROM payout_accounts WHERE next_payout_at <= $1 AND frozen_at IS NULL "
        "AND payouts_enabled ORDER BY next_payout_at LIMIT $2",
        now, limit,
    )  # fmt: skip
    return [row["creator_id"] for row in rows]


async def set_frozen(
    connection: Connection, creator_id: str, by_id: str | None, reason: str | None, now: datetime
) -> PayoutAccount:
    """Stop an account (`by_id` says who), or let it go. Somebody without one gets a row that says so."""
    at = now if by_id else None
    row = await connection.fetchrow(
        "INSERT INTO payout_accounts (creator_id, frozen_at, frozen_by, frozen_reason, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (creator_id) DO UPDATE "
        "SET frozen_at = $2, frozen_by = $3, frozen_reason = $4, updated_at = $5 RETURNING *",
        creator_id, at, by_id, reason, now,
    )  # fmt: skip
    return _written(row)


async def share_sending(connection: Connection, creator_id: str) -> None:
    """Nobody stops the account while this transaction lasts."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1, hashtext($2))", SENDING, creator_id)


async def hold_sending(connection: Connection, creator_id: str) -> None:
    """Wait for what is being sent to this creator; nothing more is until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, hashtext($2))", SENDING, creator_id, timeout=FREEZE_SECONDS
    )


# --- payouts


async def insert_payout(connection: Connection, payout: Payout, request_key: str | None) -> None:
    await connection.execute(
        "INSERT INTO payouts (id, creator_id, amount_minor, currency, asked_by, stripe_account_id, asked_at, next_at, "
        "request_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        payout.id, payout.creator_id, payout.amount_minor, payout.currency, payout.asked_by, payout.stripe_account_id,
        payout.asked_at, request_key,
    )  # fmt: skip


async def lock_payout(connection: Connection, payout_id: str) -> Payout | None:
    """Find a payout about to be changed in this transaction."""
    return _payout(await connection.fetchrow(f"SELECT {_PAYOUT} FROM payouts p WHERE id = $1 FOR UPDATE", payout_id))  # noqa: S608 - constant


async def payout_of_request(connection: Connection, creator_id: str, key: str) -> Payout | None:
    row = await connection.fetchrow(
        f"SELECT {_PAYOUT} FROM payouts p WHERE creator_id = $1 AND request_key = $2",  # noqa: S608 - constant
        creator_id, key,
    )  # fmt: skip
    return _payout(row)


async def payout_under_way(connection: Connection, creator_id: str, currency: str) -> Payout | None:
    row = await connection.fetchrow(
        f"SELECT {_PAYOUT} FROM payouts p WHERE creator_id = $1 AND currency = $2 AND state = 'asked'",  # noqa: S608
        creator_id, currency,
    )  # fmt: skip
    return _payout(row)


async def payouts_of(
    connection: Connection, creator_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Payout]:
    """Newest first, before the one asked for at that moment."""
    at, payout_id = before or (None, None)
    rows = await connection.fetch(
        f"SELECT {_PAYOUT} FROM payouts p WHERE creator_id = $1 "  # noqa: S608 - constant
        "AND ($2::timestamptz IS NULL OR (asked_at, id) < ($2, $3::uuid)) ORDER BY asked_at DESC, id DESC LIMIT $4",
        creator_id, at, payout_id, limit,
    )  # fmt: skip
    return [_to_payout(row) for row in rows]


async def take_payout(connection: Connection, now: datetime, until: datetime) -> Payout | None:
    """One that is to be sent; nobody else takes it before `until`. Those of frozen accounts stay where they are."""
    row = await connection.fetchrow(
        "UPDATE payouts p SET attempts = attempts + 1, next_at = $2 WHERE id = (SELECT id FROM payouts "  # noqa: S608
        "JOIN payout_accounts USING (creator_id) WHERE state = 'asked' AND next_at <= $1 AND frozen_at IS NULL "
        f"ORDER BY next_at LIMIT 1 FOR UPDATE OF payouts SKIP LOCKED) RETURNING {_PAYOUT}",
        now, until,
    )  # fmt: skip
    return _payout(row)


async def postpone(connection: Connection, payout_id: str, next_at: datetime) -> None:
    await connection.execute("UPDATE payouts SET next_at = $2 WHERE id = $1 AND state = 'asked'", payout_id, next_at)


async def wake_payouts(connection: Connection, creator_id: str, now: datetime) -> None:
    """What waits to be sent is tried again now."""
    await connection.execute(
        "UPDATE payouts SET next_at = $2 WHERE creator_id = $1 AND state = 'asked'", creator_id, now
    )


async def set_payout(connection: Connection, payout: Payout) -> None:
    """Write the state it is in now."""
    await connection.execute(
        "UPDATE payouts SET state = $2, stripe_transfer_id = $3, failure = $4, sent_at = $5, failed_at = $6, "
        "returned_at = $7 WHERE id = $1",
        payout.id, payout.state, payout.stripe_transfer_id, payout.failure, payout.sent_at, payout.failed_at,
        payout.returned_at,
    )  # fmt: skip


def _payout(row: asyncpg.Record | None) -> Payout | None:
    return _to_payout(row) if row is not None else None


def _to_payout(row: asyncpg.Record) -> Payout:
    return msgspec.convert(dict(row), type=Payout)


def _account(row: asyncpg.Record | None) -> PayoutAccount | None:
    if row is None:
        return None
    values = {**row, "creator_id": str(row["creator_id"]), "requirements": msgspec.json.decode(row["requirements"])}
    return msgspec.convert(values, type=PayoutAccount)


def _written(row: asyncpg.Record | None) -> PayoutAccount:
    """The row of a statement that always returns one."""
    if (account := _account(row)) is None:
        raise AssertionError("an upsert returns its row")
    return account
