"""Finding a customer by whatever support was told, and all that payments know of them. On the caller's connection."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from accounts import repository as accounts
from accounts.model import User
from infra.stores.postgres import Connection
from payments import gift_rows
from payments.errors import NameNotUnique
from payments.ledger.entries import Source

MOST = 50


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order, without what only the buyer needs of it."""

    id: str
    kind: str
    plan_id: str | None
    creator_id: str | None
    quantity: int
    amount_minor: int
    currency: str
    state: str
    stripe_session_id: str | None
    stripe_payment_intent_id: str | None
    stripe_subscription_id: str | None
    created_at: datetime
    closed_at: datetime | None


class ShownSubscription(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    plan_id: str
    creator_id: str | None
    status: str
    stripe_status: str
    stripe_subscription_id: str
    current_period_end: datetime
    cancel_at_period_end: bool
    created_at: datetime


class ShownPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the books have it. `reference` is what a refund names; `left_minor` can still be given back."""

    reference: str
    source: Source | None
    creator_id: str | None
    order_id: str | None
    currency: str
    paid_minor: int
    left_minor: int
    at: datetime


async def find_user(connection: Connection, text: str) -> User | None:
    """By e-mail, by any id of ours, by any of Stripe's that we keep, or by name. Raises `NameNotUnique`."""
    if "@" in text:
        return await accounts.find_by_email(connection, text.strip().lower())
    found = await connection.fetchval(_BY_OUR_ID if _is_uuid(text) else _BY_STRIPES, text)
    return await accounts.find(connection, str(found)) if found else await _named(connection, text.strip())


async def _named(connection: Connection, name: str) -> User | None:
    found = await gift_rows.named(connection, name)
    if len(found) > 1:
        raise NameNotUnique
    return await accounts.find(connection, found[0]) if found else None


async def customer_id_of(connection: Connection, user_id: str) -> str | None:
    found: str | None = await connection.fetchval(
        "SELECT stripe_customer_id FROM stripe_customers WHERE user_id = $1", user_id
    )
    return found


async def orders_of(connection: Connection, user_id: str) -> list[ShownOrder]:
    rows = await connection.fetch(
        "SELECT * FROM orders WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2", user_id, MOST
    )
    return [msgspec.convert(_plain(row), type=ShownOrder) for row in rows]


async def subscriptions_of(connection: Connection, user_id: str) -> list[ShownSubscription]:
    rows = await connection.fetch(
        "SELECT * FROM subscriptions WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2", user_id, MOST
    )
    return [msgspec.convert(_plain(row), type=ShownSubscription) for row in rows]


async def payments_of(connection: Connection, user_id: str) -> list[ShownPayment]:
    rows = await connection.fetch(_PAYMENTS, user_id, MOST)
    return [msgspec.convert(_plain(row), type=ShownPayment) for row in rows]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}


_BY_OUR_ID = """
SELECT id FROM users WHERE id = $1::text::uuid
UNION ALL SELECT user_id FROM orders WHERE id = $1::text::uuid
UNION ALL SELECT user_id FROM subscriptions WHERE id = $1::text::uuid
UNION ALL SELECT giver_id FROM gifts WHERE id = $1::text::uuid
UNION ALL SELECT creator_id FROM payouts WHERE id = $1::text::uuid
LIMIT 1
"""

_BY_STRIPES = """
SELECT user_id FROM stripe_customers WHERE stripe_customer_id = $1
UNION ALL SELECT user_id FROM subscriptions WHERE stripe_subscription_id = $1
UNION ALL SELECT user_id FROM orders WHERE stripe_session_id = $1 OR stripe_payment_intent_id = $1
UNION ALL SELECT creator_id FROM payout_accounts WHERE stripe_account_id = $1
UNION ALL SELECT creator_id FROM payouts WHERE stripe_transfer_id = $1
UNION ALL SELECT payer_id FROM journal
    WHERE about = ANY(ARRAY['payment:' || $1, 'invoice:' || $1, $1]) AND payer_id IS NOT NULL
UNION ALL SELECT payer_id FROM journal
    WHERE cause = ANY(ARRAY['refund:' || $1, 'dispute:' || $1 || ':opened']) AND payer_id IS NOT NULL
LIMIT 1
"""

# What came in and went back of the payment itself: fees are ours.
_PAYMENTS = """
SELECT p.about AS reference, p.source, p.creator_id, p.order_id, p.currency, p.at, sums.paid::bigint AS paid_minor,
    sums.left_over::bigint AS left_minor
FROM (
    SELECT * FROM journal WHERE payer_id = $1 AND kind = 'payment' ORDER BY at DESC LIMIT $2
) AS p CROSS JOIN LATERAL (
    SELECT sum(l.amount_minor) FILTER (WHERE j.kind = 'payment') AS paid, sum(l.amount_minor) AS left_over
    FROM journal j JOIN journal_lines l ON l.entry_id = j.id
    WHERE j.about = p.about AND j.kind <> 'fee' AND l.account = 'stripe'
) AS sums ORDER BY p.at DESC, p.id DESC
"""
