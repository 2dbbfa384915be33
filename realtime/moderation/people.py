"""People in a channel, for its moderators: who is banned, who has a role, one person's card, and what they said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from asyncpg import Record

from accounts.model import Identity
from infra import cursors
from infra.clock import Clock
from infra.stores.postgres import Connection, Postgres
from realtime.entries import Person, User
from realtime.moderation import audit, repository
from realtime.moderation.access import admitted, person_here
from realtime.moderation.audit import LogFilter
from realtime.moderation.bodies import Restriction, Ruling
from realtime.moderation.follows import following_since
from realtime.moderation.notes import Note, of_person
from realtime.moderation.repository import SanctionKind, Standing
from realtime.room.rules import Caution

MOST_FOUND = 20
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
MOST_STREAMS = 1000  # of a channel whose chat is searched, the newest


class Banned(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody under a ban or a timeout; `until` is null for a ban."""

    user: Person
    kind: SanctionKind
    until: int | None
    reason: str
    by: Person
    at: int
    action_id: str


class Appointed(msgspec.Struct, frozen=True, kw_only=True):
    user: Person
    role: Literal["moderator", "vip"]
    at: int
    by: Person


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What moderators see of a person. `counts`: how often each action was done about them here."""

    user: User
    account_created_at: int
    following_since: int | None
    restriction: Restriction | None
    warning: Caution | None
    counts: dict[str, int]
    rulings: list[Ruling]
    notes: list[Note]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was; `removed` when nobody else sees it any more."""

    id: str
    stream_id: str
    text: str
    at: int
    removed: bool


class SaidArchive(Protocol):
    """What was said, for good."""

    async def said(
        self, stream_ids: Sequence[str], user_id: str, before: tuple[int, str] | None, limit: int
    ) -> list[Said]:
        """Newest first, after the message `(at, id)`; raises `Unavailable`."""
        ...


class People:
    """Every method asks who asks; raises `ChannelNotFound`, `NotAllowed`."""

    def __init__(self, db: Postgres, archive: SaidArchive, *, clock: Clock) -> None:
        self._db = db
        self._archive = archive
        self._clock = clock

    async def roles(self, identity: Identity, channel_id: str) -> list[Appointed]:
        """Moderators, then VIPs, by name."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT r.user_id, u.display_name, r.role, r.at, r.by_id, b.display_name AS by_name "
                "FROM channel_roles r JOIN users u ON u.id = r.user_id JOIN users b ON b.id = r.by_id "
                "WHERE r.channel_id = $1 ORDER BY r.role, lower(u.display_name), r.user_id",
                channel_id,
            )
        return [
            Appointed(user=_user(row), role=row["role"], at=repository.in_ms(row["at"]), by=_by(row)) for row in rows
        ]

    async def bans(
        self,
        identity: Identity,
        channel_id: str,
        *,
        kind: SanctionKind | None,
        q: str | None,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[Banned], str | None]:
        """Those that hold now, newest first; `q` is the beginning of a name."""
        at, user_id = cursors.decode(cursor, tuple[datetime, UUID]) or (None, None)
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT s.*, u.display_name FROM sanctions s JOIN users u ON u.id = s.user_id "
                "WHERE s.channel_id = $1 AND (s.until IS NULL OR s.until > $2) AND ($3::text IS NULL OR s.kind = $3) "
                "AND ($4::text IS NULL OR lower(u.display_name) LIKE lower($4)) "
                "AND ($5::timestamptz IS NULL OR (s.at, s.user_id) < ($5, $6::uuid)) "
                "ORDER BY s.at DESC, s.user_id DESC LIMIT $7",
                channel_id, self._clock(), kind, prefix(q) if q else None, at, user_id, limit + 1,
            )  # fmt: skip
        shown, next_cursor = cursors.cut(rows, limit, lambda row: (row["at"], row["user_id"]))
        return [_banned(row) for row in shown], next_cursor

    async def find(self, identity: Identity, channel_id: str, q: str) -> list[User]:
        """People whose name begins so, at most `MOST_FOUND`; those it is the whole name of come first."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT id FROM users WHERE lower(display_name) LIKE lower($1) "
                "ORDER BY lower(display_name) <> lower($2), lower(display_name), id LIMIT $3",
                prefix(q), q, MOST_FOUND,
            )  # fmt: skip
            ids = [str(row["id"]) for row in rows]
            found = await repository.people(connection, channel_id, ids)
        return [found[user_id] for user_id in ids]

    async def card(self, identity: Identity, channel_id: str, user_id: str) -> Card:
        """Raises `UnknownUser` too."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            user = await person_here(connection, channel_id, user_id)
            created: datetime = await connection.fetchval("SELECT created_at FROM users WHERE id = $1", user_id)
            standing = await repository.sanction(connection, channel_id, user_id, self._clock())
            return Card(
                user=user,
                account_created_at=repository.in_ms(created),
                following_since=await following_since(connection, channel_id, user_id),
                restriction=restriction_of(standing),
                warning=await repository.caution(connection, channel_id, user_id),
                counts=await _counts(connection, channel_id, user_id),
                rulings=await audit.rulings(connection, channel_id, LogFilter(target=user_id), limit=20),
                notes=await of_person(connection, channel_id, user_id),
            )

    async def said(
        self, identity: Identity, channel_id: str, user_id: str, cursor: str | None, limit: int
    ) -> tuple[list[Said], str | None]:
        """What they said in this channel, newest first; a message is there seconds after it was said."""
        before = cursors.decode(cursor, tuple[Moment, str])
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT id FROM streams WHERE creator_id = $1 ORDER BY created_at DESC LIMIT $2",
                channel_id, MOST_STREAMS,
            )  # fmt: skip
        streams = [str(row["id"]) for row in rows]
        found = await self._archive.said(streams, user_id, before, limit + 1) if streams else []
        return cursors.cut(found, limit, lambda message: (message.at, message.id))


def prefix(text: str) -> str:
    """A pattern for LIKE: what begins with this text, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


def restriction_of(standing: Standing | None) -> Restriction | None:
    if standing is None:
        return None
    return Restriction(kind=standing.kind, until=standing.until, reason=standing.reason)


async def _counts(connection: Connection, channel_id: str, user_id: str) -> dict[str, int]:
    rows = await connection.fetch(
        "SELECT action, count(*) AS n FROM moderation_log WHERE channel_id = $1 AND target_id = $2 GROUP BY action",
        channel_id, user_id,
    )  # fmt: skip
    return {row["action"]: row["n"] for row in rows}


def _user(row: Record) -> Person:
    return Person(id=str(row["user_id"]), name=row["display_name"])


def _by(row: Record) -> Person:
    return Person(id=str(row["by_id"]), name=row["by_name"])


def _banned(row: Record) -> Banned:
    return Banned(
        user=_user(row),
        kind=row["kind"],
        until=None if row["until"] is None else repository.in_ms(row["until"]),
        reason=row["reason"],
        by=_by(row),
        at=repository.in_ms(row["at"]),
        action_id=str(row["action_id"]),
    )
