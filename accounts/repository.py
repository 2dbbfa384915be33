"""Accounts in PostgreSQL. Each function runs on the connection, and so in the transaction, of its caller."""

from datetime import datetime

import asyncpg
import msgspec

from accounts.model import Role, Tier, User
from infra.stores.postgres import Connection

_USER = "id, email, display_name, role, subscription_tier, created_at, chat_color, channels"


async def insert(connection: Connection, user: User, password_hash: str) -> bool:
    """Store a new user; False when the e-mail is taken."""
    stored = await connection.fetchval(
        "INSERT INTO users (id, email, display_name, password_hash, role, subscription_tier, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (email) DO NOTHING RETURNING true",
        user.id, user.email, user.display_name, password_hash, user.role, user.subscription_tier, user.created_at,
    )  # fmt: skip
    return bool(stored)


async def find(connection: Connection, user_id: str) -> User | None:
    return _user(await connection.fetchrow(f"SELECT {_USER} FROM users WHERE id = $1", user_id))  # noqa: S608 - constant


async def find_by_email(connection: Connection, email: str) -> User | None:
    row = await connection.fetchrow(f"SELECT {_USER} FROM users WHERE email = $1", email)  # noqa: S608 - constant
    return _user(row)


async def credentials(connection: Connection, email: str) -> tuple[str, str] | None:
    """Id and password hash."""
    row = await connection.fetchrow("SELECT id, password_hash FROM users WHERE email = $1", email)
    return (str(row["id"]), row["password_hash"]) if row else None


async def password_hash(connection: Connection, user_id: str) -> str | None:
    found: str | None = await connection.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)
    return found


async def hold(connection: Connection, user_id: str, *, password_hash: str | None = None) -> User | None:
    """Find a user who then stays unchanged until this transaction ends; None also when the hash is another one now."""
    row = await connection.fetchrow(
        f"SELECT {_USER} FROM users WHERE id = $1 AND password_hash = coalesce($2, password_hash) FOR SHARE",  # noqa: S608
        user_id, password_hash,
    )  # fmt: skip
    return _user(row)


async def lock(connection: Connection, user_id: str) -> User | None:
    """Find a user about to be changed in this transaction.

    Rows elsewhere may refer to the user meanwhile: two that did, and then both change the user, would wait for ever.
    """
    row = await connection.fetchrow(f"SELECT {_USER} FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)  # noqa: S608
    return _user(row)


async def set_password(
    connection: Connection, user_id: str, old_hash: str, new_hash: str, now: datetime
) -> User | None:
    """Exchange the hash; None when it is not `old_hash` any more."""
    row = await connection.fetchrow(
        "UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2 "  # noqa: S608
        f"RETURNING {_USER}",
        user_id, old_hash, new_hash, now,
    )  # fmt: skip
    return _user(row)


async def set_name(connection: Connection, user_id: str, display_name: str, now: datetime) -> User | None:
    row = await connection.fetchrow(
        f"UPDATE users SET display_name = $2, updated_at = $3 WHERE id = $1 RETURNING {_USER}",  # noqa: S608 - constant
        user_id, display_name, now,
    )  # fmt: skip
    return _user(row)


async def set_color(connection: Connection, user_id: str, color: str | None, now: datetime) -> User | None:
    row = await connection.fetchrow(
        f"UPDATE users SET chat_color = $2, updated_at = $3 WHERE id = $1 RETURNING {_USER}",  # noqa: S608 - constant
        user_id, color, now,
    )  # fmt: skip
    return _user(row)


async def set_role(
    connection: Connection, user_id: str, role: Role, granted: Tier | None, now: datetime
) -> User | None:
    """`granted`: the tier an operator gives with the role; None leaves it."""
    row = await connection.fetchrow(
        "UPDATE users SET role = $2, granted_tier = coalesce($3, granted_tier), updated_at = $4, subscription_tier = "  # noqa: S608
        "CASE WHEN 'premium' IN (coalesce($3, granted_tier), paid_tier) THEN 'premium' ELSE 'free' END "
        f"WHERE id = $1 RETURNING {_USER}",
        user_id, role, granted, now,
    )  # fmt: skip
    return _user(row)


async def set_rights(
    connection: Connection, user_id: str, paid: Tier, channels: dict[str, int], now: datetime
) -> User | None:
    """`paid`: the tier that payments give; one that an operator granted stands beside it. None: nothing is new."""
    row = await connection.fetchrow(
        "UPDATE users SET paid_tier = $2, channels = $3, updated_at = $4, subscription_tier = "  # noqa: S608 - constant
        "CASE WHEN 'premium' IN (granted_tier, $2) THEN 'premium' ELSE 'free' END "
        f"WHERE id = $1 AND (paid_tier <> $2 OR channels <> $3) RETURNING {_USER}",
        user_id, paid, msgspec.json.encode(channels).decode(), now,
    )  # fmt: skip
    return _user(row)


def _user(row: asyncpg.Record | None) -> User | None:
    if row is None:
        return None
    return User(
        id=str(row["id"]),
        email=row["email"],
        display_name=row["display_name"],
        role=row["role"],
        subscription_tier=row["subscription_tier"],
        created_at=row["created_at"],
        chat_color=row["chat_color"],
        channels=msgspec.json.decode(row["channels"], type=dict[str, int]),
    )
