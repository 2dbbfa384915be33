"""A channel's blocked and allowed terms in PostgreSQL. Every function works in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from asyncpg import Record

from infra.stores.postgres import Connection
from realtime.moderation.repository import in_ms

TermKind = Literal["blocked", "allowed"]
TermAction = Literal["hold", "refuse"]

FIELDS = "t.id, t.text, t.kind, t.action, t.public, t.by_id, u.display_name AS by_name, t.at"
FROM = "FROM channel_terms t JOIN users u ON u.id = t.by_id"


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A row, for moderators; `at` in Unix milliseconds."""

    id: str
    text: str
    kind: TermKind
    action: TermAction
    public: bool
    by_id: str
    by_name: str
    at: int


async def as_rules(connection: Connection, channel_id: str) -> bytes:
    """All of them as AutoMod reads them (`realtime.moderation.terms.Term`): a JSON array, oldest first."""
    written: str = await connection.fetchval(
        "SELECT coalesce(jsonb_agg(jsonb_build_object('text', text, 'kind', kind, 'action', action, 'visibility', "
        "CASE WHEN public THEN 'public' ELSE 'private' END) ORDER BY at, id), '[]')::text "
        "FROM channel_terms WHERE channel_id = $1",
        channel_id,
    )
    return written.encode()


async def count(connection: Connection, channel_id: str) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM channel_terms WHERE channel_id = $1", channel_id))


async def add(connection: Connection, channel_id: str, term: Term, at: datetime) -> bool:
    """Store a new one; False when the channel has it already."""
    status: str = await connection.execute(
        "INSERT INTO channel_terms (id, channel_id, text, kind, action, public, by_id, at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel_id, kind, text) DO NOTHING",
        term.id, channel_id, term.text, term.kind, term.action, term.public, term.by_id, at,
    )  # fmt: skip
    return status == "INSERT 0 1"


async def remove(connection: Connection, channel_id: str, term_id: str) -> Term | None:
    """Forget one; what it was, or None when there was none."""
    row = await connection.fetchrow(
        "WITH t AS (DELETE FROM channel_terms WHERE channel_id = $1 AND id = $2 RETURNING *) "  # noqa: S608 - constants
        f"SELECT {FIELDS} FROM t JOIN users u ON u.id = t.by_id",
        channel_id, term_id,
    )  # fmt: skip
    return _term(row) if row else None


async def newest(
    connection: Connection, channel_id: str, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Term]:
    """A page, newest first, after the row that `before` names."""
    at, term_id = before or (None, None)
    rows = await connection.fetch(
        f"SELECT {FIELDS} {FROM} WHERE t.channel_id = $1 "
        "AND ($2::timestamptz IS NULL OR (t.at, t.id) < ($2, $3::uuid)) ORDER BY t.at DESC, t.id DESC LIMIT $4",
        channel_id, at, term_id, limit,
    )  # fmt: skip
    return [_term(row) for row in rows]


async def texts(connection: Connection, channel_id: str) -> list[Record]:
    """What AutoMod needs of all of them."""
    rows: list[Record] = await connection.fetch(
        "SELECT text, kind, action, public FROM channel_terms WHERE channel_id = $1", channel_id
    )
    return rows


async def public(connection: Connection, channel_id: str) -> Sequence[str]:
    """The blocked terms that everybody may know."""
    rows = await connection.fetch(
        "SELECT text FROM channel_terms WHERE channel_id = $1 AND public AND kind = 'blocked' ORDER BY text",
        channel_id,
    )
    return [row["text"] for row in rows]


def _term(row: Record) -> Term:
    return Term(
        id=str(row["id"]),
        text=row["text"],
        kind=row["kind"],
        action=row["action"],
        public=row["public"],
        by_id=str(row["by_id"]),
        by_name=row["by_name"],
        at=in_ms(row["at"]),
    )
