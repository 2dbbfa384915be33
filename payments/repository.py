"""Orders and subscriptions in PostgreSQL. Each function runs on the connection, and so in the transaction, of its
caller."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from infra.stores.postgres import Connection
from payments.marks import Marks
from payments.model import Order, OrderState, Subscription

LOCK = 0x5061792E  # "Pay."


async def hold(connection: Connection, name: str) -> None:
    """Until the transaction ends nobody else holds `name`: an object of Stripe's, or somebody who buys."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK, name)


# --- orders


async def insert_order(connection: Connection, order: Order, request_sum: bytes | None = None) -> None:
    await connection.execute(
        "INSERT INTO orders (id, user_id, kind, plan_id, creator_id, stream_id, quantity, amount_minor, currency, "
        "details, request_key, request_sum, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        order.id, order.user_id, order.kind, order.plan_id, order.creator_id, order.stream_id, order.quantity,
        order.amount_minor, order.currency, msgspec.json.encode(order.details).decode(), order.request_key,
        request_sum, order.created_at, order.expires_at,
    )  # fmt: skip


async def find_order(connection: Connection, order_id: str) -> Order | None:
    return _order(await connection.fetchrow("SELECT * FROM orders WHERE id = $1", order_id))


async def lock_order(connection: Connection, order_id: str) -> Order | None:
    """Find an order about to be changed in this transaction."""
    return _order(await connection.fetchrow("SELECT * FROM orders WHERE id = $1 FOR UPDATE", order_id))


async def order_of_request(connection: Connection, user_id: str, key: str) -> tuple[Order, bytes | None] | None:
    """The order that was made under this Idempotency-Key, and the sum of what was asked for."""
    row = await connection.fetchrow("SELECT * FROM orders WHERE user_id = $1 AND request_key = $2", user_id, key)
    order = _order(row)
    return (order, row["request_sum"]) if row is not None and order is not None else None


async def open_orders(connection: Connection, user_id: str) -> list[Order]:
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE user_id = $1 AND state = 'open' ORDER BY created_at DESC, id DESC", user_id
    )
    return [_to_order(row) for row in rows]


async def orders_out_of_time(
    connection: Connection, before: datetime, limit: int, *, without: Sequence[str] = ()
) -> list[Order]:
    """Open, though their payment page closed before then."""
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE state = 'open' AND expires_at < $1 AND id <> ALL($3::uuid[]) "
        "ORDER BY expires_at LIMIT $2",
        before, limit, without,
    )  # fmt: skip
    return [_to_order(row) for row in rows]


async def set_checkout(connection: Connection, order_id: str, session_id: str, url: str | None) -> None:
    await connection.execute(
        "UPDATE orders SET stripe_session_id = $2, checkout_url = $3 WHERE id = $1", order_id, session_id, url
    )


async def note_on_order(connection: Connection, order_id: str, noted: dict[str, Any]) -> None:
    """Add to what is particular to an order."""
    await connection.execute(
        "UPDATE orders SET details = details || $2::jsonb WHERE id = $1", order_id, msgspec.json.encode(noted).decode()
    )


async def orders_to_return(connection: Connection, limit: int, *, without: Sequence[str] = ()) -> list[Order]:
    """Paid ones of which a part is to be given back: gifts that nobody took (`details.lapsed` says how many)."""
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE details ? 'lapsed' AND NOT details ? 'returned' AND id <> ALL($2::uuid[]) "
        "ORDER BY closed_at LIMIT $1",
        limit, without,
    )  # fmt: skip
    return [_to_order(row) for row in rows]


async def close_order(
    connection: Connection,
    order_id: str,
    state: OrderState,
    now: datetime,
    *,
    payment_id: str | None = None,
    subscription_id: str | None = None,
) -> Order | None:
    """End an order, or None when it ended so already. Money that came in late still makes it paid."""
    row = await connection.fetchrow(
        "UPDATE orders SET state = $2, closed_at = coalesce(closed_at, $3), "
        "stripe_payment_intent_id = coalesce($4, stripe_payment_intent_id), "
        "stripe_subscription_id = coalesce($5, stripe_subscription_id) "
        "WHERE id = $1 AND (state = 'open' OR ($2 = 'paid' AND state IN ('expired', 'canceled')) "
        "OR ($2 = 'refunded' AND state <> 'refunded')) RETURNING *",
        order_id, state, now, payment_id, subscription_id,
    )  # fmt: skip
    return _order(row)


# --- subscriptions


async def find_subscription(connection: Connection, subscription_id: str) -> Subscription | None:
    return _subscription(await connection.fetchrow("SELECT * FROM subscriptions WHERE id = $1", subscription_id))


async def subscription_at_stripe(connection: Connection, stripe_id: str) -> Subscription | None:
    row = await connection.fetchrow("SELECT * FROM subscriptions WHERE stripe_subscription_id = $1", stripe_id)
    return _subscription(row)


async def subscriptions_of(connection: Connection, user_id: str) -> list[Subscription]:
    """Newest first."""
    rows = await connection.fetch(
        "SELECT * FROM subscriptions WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 500", user_id
    )
    return [_to_subscription(row) for row in rows]


async def running_subscription(connection: Connection, user_id: str, creator_id: str | None) -> Subscription | None:
    """The one that has not ended, of premium or of a channel."""
    row = await connection.fetchrow(
        "SELECT * FROM subscriptions WHERE user_id = $1 AND creator_id IS NOT DISTINCT FROM $2 "
        "AND status <> 'expired' ORDER BY created_at LIMIT 1",
        user_id, creator_id,
    )  # fmt: skip
    return _subscription(row)


async def running_at_stripe(connection: Connection) -> list[str]:
    """Stripe's ids of those that have not ended."""
    rows = await connection.fetch("SELECT stripe_subscription_id FROM subscriptions WHERE status <> 'expired'")
    return [row["stripe_subscription_id"] for row in rows]


async def running_twice(connection: Connection) -> list[str]:
    """Stripe's ids of those beyond the first that somebody runs for the same."""
    rows = await connection.fetch(
        "SELECT stripe_subscription_id FROM (SELECT *, row_number() OVER "
        "(PARTITION BY user_id, creator_id ORDER BY created_at, id) AS place "
        "FROM subscriptions WHERE status <> 'expired') AS placed WHERE place > 1 ORDER BY created_at"
    )
    return [row["stripe_subscription_id"] for row in rows]


async def put_subscription(connection: Connection, one: Subscription) -> None:
    """Write a row, new or over the one that was there."""
    values = msgspec.structs.asdict(one)
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    kept = ("id", "user_id", "stripe_subscription_id", "order_id", "created_at")
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in kept)
    await connection.execute(
        f"INSERT INTO subscriptions ({names}) VALUES ({places}) "  # noqa: S608 - names of our own struct
        f"ON CONFLICT (stripe_subscription_id) DO UPDATE SET {changes}",
        *values.values(),
    )


# --- who is meant


async def known(connection: Connection, marks: Marks) -> Marks | None:
    """Marks as far as they are of this database; None when the people are not, as with another installation's."""
    row = await connection.fetchrow(
        "SELECT EXISTS (SELECT FROM users WHERE id = $1) AS payer, "
        "$2::uuid IS NULL OR EXISTS (SELECT FROM users WHERE id = $2) AS creator, "
        "EXISTS (SELECT FROM orders WHERE id = $3) AS ordered",
        marks.user_id, marks.creator_id, marks.order_id,
    )  # fmt: skip
    if row is None or not (row["payer"] and row["creator"]):
        return None
    return marks if row["ordered"] else msgspec.structs.replace(marks, order_id=None)


# --- customers


class KnownCustomer(NamedTuple):
    """Who somebody is at Stripe, or was until that was deleted there."""

    id: str
    is_deleted: bool


async def customer_of(connection: Connection, user_id: str) -> KnownCustomer | None:
    row = await connection.fetchrow(
        "SELECT stripe_customer_id, deleted_at IS NOT NULL FROM stripe_customers WHERE user_id = $1", user_id
    )
    return KnownCustomer(*row) if row else None


async def user_of_customer(connection: Connection, customer_id: str) -> str | None:
    found = await connection.fetchval("SELECT user_id FROM stripe_customers WHERE stripe_customer_id = $1", customer_id)
    return str(found) if found else None


async def put_customer(connection: Connection, user_id: str, customer_id: str, now: datetime) -> str:
    """Remember who somebody is at Stripe; whoever came first stays, unless deleted. Returns who that is."""
    kept: str | None = await connection.fetchval(
        "INSERT INTO stripe_customers (user_id, stripe_customer_id, created_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (user_id) DO UPDATE SET (stripe_customer_id, created_at, deleted_at) = ($2, $3, NULL) "
        "WHERE stripe_customers.deleted_at IS NOT NULL RETURNING stripe_customer_id",
        user_id, customer_id, now,
    )  # fmt: skip
    if kept is None and (known := await customer_of(connection, user_id)):
        kept = known.id
    return kept or customer_id


async def customer_deleted(connection: Connection, customer_id: str, now: datetime) -> bool:
    """Remember that it is no more at Stripe; whether that was news of one of ours."""
    done = await connection.execute(
        "UPDATE stripe_customers SET deleted_at = $2 WHERE stripe_customer_id = $1 AND deleted_at IS NULL",
        customer_id, now,
    )  # fmt: skip
    return bool(done == "UPDATE 1")


def _order(row: asyncpg.Record | None) -> Order | None:
    return _to_order(row) if row is not None else None


def _to_order(row: asyncpg.Record) -> Order:
    values = _plain(row)
    values["details"] = msgspec.json.decode(row["details"])
    return msgspec.convert(values, type=Order)


def _subscription(row: asyncpg.Record | None) -> Subscription | None:
    return _to_subscription(row) if row is not None else None


def _to_subscription(row: asyncpg.Record) -> Subscription:
    return msgspec.convert(_plain(row), type=Subscription)


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    """UUIDs as text; columns that the struct does not know are left out by `msgspec.convert`."""
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
