"""What administrators did with somebody's money (`payment_audit`). Each function runs in the caller's transaction."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from infra.logs import correlation_id
from infra.stores.postgres import Connection


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done: by whom (with the name of the time), to whom, about what, and what changed by it."""

    id: str
    action: str
    actor_id: str
    actor_name: str
    user_id: str | None
    at: datetime
    about: str | None = None
    reason: str = ""
    before: Any = None
    after: Any = None


async def record(connection: Connection, deed: Deed) -> None:
    """Write it down; what has this id already is left as it is."""
    await connection.execute(
        "INSERT INTO payment_audit (id, actor_id, actor_name, action, user_id, about, reason, before, after, "
        "correlation_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        deed.id, deed.actor_id, deed.actor_name, deed.action, deed.user_id, deed.about, deed.reason,
        _json(deed.before), _json(deed.after), correlation_id(), deed.at,
    )  # fmt: skip


async def find_deed(connection: Connection, deed_id: str) -> Deed | None:
    row = await connection.fetchrow(f"SELECT {_DEED} FROM payment_audit WHERE id = $1", deed_id)  # noqa: S608 - constant
    return _deed(row) if row is not None else None


async def deeds(
    connection: Connection, user_id: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[Deed]:
    """Newest first; of one user, or all."""
    at, deed_id = before or (None, None)
    rows = await connection.fetch(
        f"SELECT {_DEED} FROM payment_audit WHERE ($1::text IS NULL OR user_id = $1) "  # noqa: S608 - constant
        "AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::uuid)) ORDER BY at DESC, id DESC LIMIT $4",
        user_id, at, deed_id, limit,
    )  # fmt: skip
    return [_deed(row) for row in rows]


_DEED = "id::text, action, actor_id, actor_name, user_id, about, reason, before, after, at"


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _deed(row: asyncpg.Record) -> Deed:
    parsed = {name: row[name] and msgspec.json.decode(row[name]) for name in ("before", "after")}
    return msgspec.convert({**row, **parsed}, type=Deed)
