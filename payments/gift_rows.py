"""Gifts in PostgreSQL. Each function runs in its caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from infra.stores.postgres import Connection
from payments.model import Gift


async def insert(connection: Connection, gifts: Sequence[Gift]) -> None:
    """One that is there already stays as it is."""
    await connection.executemany(
        "INSERT INTO gifts (id, order_id, number, plan_id, creator_id, giver_id, months, state, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        [
            (one.id, one.order_id, one.number, one.plan_id, one.creator_id, one.giver_id, one.months, one.state,
             one.created_at)
            for one in gifts
        ],
    )  # fmt: skip


async def of_order(connection: Connection, order_id: str) -> list[Gift]:
    """In their order, locked until the transaction ends."""
    rows = await connection.fetch("SELECT * FROM gifts WHERE order_id = $1 ORDER BY number FOR UPDATE", order_id)
    return [_gift(row) for row in rows]


async def take(connection: Connection, gift: Gift) -> None:
    """Write down who has it from when to when."""
    await connection.execute(
        "UPDATE gifts SET state = 'taken', recipient_id = $2, starts_at = $3, until = $4 "
        "WHERE id = $1 AND state = 'waiting'",
        gift.id, gift.recipient_id, gift.starts_at, gift.until,
    )  # fmt: skip


async def withdraw(connection: Connection, order_id: str, now: datetime, *, only_waiting: bool = False) -> list[Gift]:
    """Those whose money goes back, as they were before; none that were withdrawn earlier."""
    gifts = [one for one in await of_order(connection, order_id) if one.state != "withdrawn"]
    withdrawn = [one for one in gifts if one.state == "waiting"] if only_waiting else gifts
    await connection.execute(
        "UPDATE gifts SET state = 'withdrawn', withdrawn_at = $2 WHERE id = ANY($1::uuid[])",
        [one.id for one in withdrawn], now,
    )  # fmt: skip
    return withdrawn


async def orders_waiting(
    connection: Connection, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, str]]:
    """Orders with gifts that nobody has yet, and since when: the oldest first, from behind that one on."""
    since, order_id = after if after is not None else (None, None)
    rows = await connection.fetch(
        "SELECT order_id, min(created_at) AS since FROM gifts WHERE state = 'waiting' GROUP BY order_id "
        "HAVING $1::timestamptz IS NULL OR (min(created_at), order_id) > ($1, $2::uuid) "
        "ORDER BY since, order_id LIMIT $3",
        since, order_id, limit,
    )  # fmt: skip
    return [(row["since"], str(row["order_id"])) for row in rows]


async def lacking(connection: Connection, user_ids: Sequence[str], creator_id: str | None) -> list[str]:
    """Those of the users who have accounts and neither premium nor, for a channel, a subscription to it."""
    rows = await connection.fetch(
        "SELECT id FROM users WHERE id = ANY($1::uuid[]) AND subscription_tier = 'free' "
        "AND ($2::text IS NULL OR NOT channels ? $2::text)",
        list(user_ids), creator_id,
    )  # fmt: skip
    return [str(row["id"]) for row in rows]


async def names(connection: Connection, user_ids: Sequence[str]) -> dict[str, str]:
    rows = await connection.fetch("SELECT id, display_name FROM users WHERE id = ANY($1::uuid[])", list(user_ids))
    return {str(row["id"]): row["display_name"] for row in rows}


async def named(connection: Connection, name: str) -> list[str]:
    """The ids of everybody of this name, in any case; at most 2, as more than one is as good as many."""
    rows = await connection.fetch(
        "SELECT id FROM users WHERE lower(display_name) = lower($1) ORDER BY id LIMIT 2", name
    )
    return [str(row["id"]) for row in rows]


async def listed(
    connection: Connection, column: str, user_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Gift]:
    """Newest first, those that somebody gave (`giver_id`), got (`recipient_id`) or that are of a channel
    (`creator_id`)."""
    at, gift_id = before if before is not None else (None, None)
    rows = await connection.fetch(
        f"SELECT * FROM gifts WHERE {column} = $1 "  # noqa: S608 - one of three names of our own
        "AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid)) "
        "ORDER BY created_at DESC, id DESC LIMIT $4",
        user_id, at, gift_id, limit,
    )  # fmt: skip
    return [_gift(row) for row in rows]


def _gift(row: asyncpg.Record) -> Gift:
    values: dict[str, Any] = {name: str(one) if isinstance(one, UUID) else one for name, one in row.items()}
    return msgspec.convert(values, type=Gift)
