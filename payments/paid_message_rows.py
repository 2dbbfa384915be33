"""Paid messages in PostgreSQL. Each function runs in its caller's transaction; the row's state is what counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from infra.stores.postgres import Connection
from payments import repository
from payments.model import PaidMessage, PaidMessageState

Outcome = Literal["denied", "banned", "stream_over", "not_in_time"]
"""Why a message was not shown and its money goes back; kept in the order's details."""


async def insert(connection: Connection, one: PaidMessage) -> None:
    """One that is there already stays as it is."""
    await connection.execute(
        "INSERT INTO paid_messages (order_id, stream_id, channel_id, user_id, text, amount_minor, currency, "
        "on_top_seconds, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        one.order_id, one.stream_id, one.channel_id, one.user_id, one.text, one.amount_minor, one.currency,
        one.on_top_seconds, one.state, one.created_at,
    )  # fmt: skip


async def find(connection: Connection, order_id: str) -> PaidMessage | None:
    return _message(await connection.fetchrow("SELECT * FROM paid_messages WHERE order_id = $1", order_id))


async def lock(connection: Connection, order_id: str) -> PaidMessage | None:
    """The row, which nobody else can change until the transaction ends."""
    return _message(await connection.fetchrow("SELECT * FROM paid_messages WHERE order_id = $1 FOR UPDATE", order_id))


async def move(
    connection: Connection,
    order_id: str,
    state: PaidMessageState,
    *,
    since: Sequence[PaidMessageState],
    paid_at: datetime | None = None,
    closed_at: datetime | None = None,
) -> PaidMessageState | None:
    """On from one of the states `since`, which is returned; None when it was in none of them."""
    before = await lock(connection, order_id)
    if before is None or before.state not in since:
        return None
    await connection.execute(
        "UPDATE paid_messages SET state = $2, paid_at = coalesce(paid_at, $3), closed_at = coalesce($4, closed_at) "
        "WHERE order_id = $1",
        order_id, state, paid_at, closed_at,
    )  # fmt: skip
    return before.state


async def refuse(connection: Connection, order_id: str, outcome: Outcome, now: datetime) -> bool:
    """It will never be shown: the money goes back (`returning.py`). False when it is shown, or over already."""
    if await move(connection, order_id, "denied", since=("paid", "held"), closed_at=now) is None:
        return False
    await repository.note_on_order(connection, order_id, {"outcome": outcome})
    return True


async def to_offer(connection: Connection, since: datetime, limit: int) -> list[str]:
    """Those paid before then that no room has: whoever should have offered them did not."""
    rows = await connection.fetch(
        "SELECT order_id FROM paid_messages WHERE state = 'paid' AND paid_at < $1 ORDER BY paid_at LIMIT $2",
        since, limit,
    )  # fmt: skip
    return [str(row["order_id"]) for row in rows]


async def held(connection: Connection, limit: int) -> list[PaidMessage]:
    """Those that wait for a moderator, the oldest first."""
    rows = await connection.fetch("SELECT * FROM paid_messages WHERE state = 'held' ORDER BY paid_at LIMIT $1", limit)
    return [_to_message(row) for row in rows]


async def denied(connection: Connection, limit: int, *, without: Sequence[str] = ()) -> list[str]:
    """Those whose money is to go back."""
    rows = await connection.fetch(
        "SELECT order_id FROM paid_messages WHERE state = 'denied' AND order_id <> ALL($2::uuid[]) "
        "ORDER BY paid_at LIMIT $1",
        limit, without,
    )  # fmt: skip
    return [str(row["order_id"]) for row in rows]


async def listed(
    connection: Connection, *, user_id: str | None, channel_id: str | None,
    before: tuple[datetime, str] | None, limit: int,
) -> list[tuple[PaidMessage, str | None]]:  # fmt: skip
    """Of a user, or those paid on a channel: newest first, each with its outcome."""
    at, order_id = before if before is not None else (None, None)
    rows = await connection.fetch(
        "SELECT m.*, o.details->>'outcome' AS outcome FROM paid_messages m JOIN orders o ON o.id = m.order_id "
        "WHERE ($1::uuid IS NULL OR m.user_id = $1) AND ($2::uuid IS NULL OR m.channel_id = $2 "
        "AND m.paid_at IS NOT NULL) "
        "AND ($3::timestamptz IS NULL OR (m.created_at, m.order_id) < ($3, $4::uuid)) "
        "ORDER BY m.created_at DESC, m.order_id DESC LIMIT $5",
        user_id, channel_id, at, order_id, limit,
    )  # fmt: skip
    return [(_to_message(row), row["outcome"]) for row in rows]


def _message(row: asyncpg.Record | None) -> PaidMessage | None:
    return _to_message(row) if row is not None else None


def _to_message(row: asyncpg.Record) -> PaidMessage:
    values: dict[str, Any] = {name: str(one) if isinstance(one, UUID) else one for name, one in row.items()}
    return msgspec.convert(values, type=PaidMessage)
