"""Channels in PostgreSQL: SQL and nothing of the rules. Every function works in the caller's transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Record

from infra.stores.postgres import Connection
from realtime.entries import Pin, RoomRole, RoomSettings, User
from realtime.moderation.bodies import Ruling
from realtime.moderation.capabilities import role_in
from realtime.moderation.deeds import Deed, Values, change_of
from realtime.moderation.errors import ChannelNotFound
from realtime.room.rules import Caution, Patch, Sanction

SanctionKind = Literal["ban", "timeout"]


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What is on top of which room."""

    stream_id: str
    pin: Pin


class ShieldBefore(msgspec.Struct, frozen=True, kw_only=True):
    """What the shield found when it went up."""

    settings: RoomSettings
    automod: Values


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's own row."""

    id: str
    revision: int = 0
    settings: RoomSettings = RoomSettings()
    automod: Values = msgspec.field(default_factory=dict)
    shield_before: ShieldBefore | None = None
    pinned: Pinned | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The sanction somebody is under; `action_id` is the ban's or timeout's own."""

    kind: SanctionKind
    until: int | None
    reason: str
    action_id: str
    by_name: str
    at: int


def moment(at: int) -> datetime:
    """Unix milliseconds as a time."""
    return datetime.fromtimestamp(at / 1000, UTC)


def in_ms(at: datetime) -> int:
    """Back; rounded, as `timestamp()` of a whole millisecond may lie a hair below it."""
    return round(at.timestamp() * 1000)


def is_id(text: str) -> bool:
    """Whether this can be an id in a table at all."""
    try:
        return str(UUID(text)) == text  # one spelling, as it is compared with ids from tables
    except ValueError:
        return False


def as_json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def from_json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


async def lock(connection: Connection, channel_id: str, now: datetime) -> Channel:
    """The channel, which nobody else can change until the transaction ends; made when it is not there yet.

    Raises `ChannelNotFound` for an id that is nobody's.
    """
    if not is_id(channel_id):
        raise ChannelNotFound
    query = "SELECT * FROM channels WHERE channel_id = $1 FOR UPDATE"
    row = await connection.fetchrow(query, channel_id)
    if row is None:
        try:
            async with connection.transaction():  # a savepoint: the failure must not end the caller's
                await connection.execute(
                    "INSERT INTO channels (channel_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    channel_id, now,
                )  # fmt: skip
        except asyncpg.ForeignKeyViolationError:
            raise ChannelNotFound from None
        row = await connection.fetchrow(query, channel_id)
    return _channel(channel_id, row)


async def channel(connection: Connection, channel_id: str) -> Channel:
    """The channel as it is; one that never decided anything is a fresh one."""
    return _channel(channel_id, await connection.fetchrow("SELECT * FROM channels WHERE channel_id = $1", channel_id))


def _channel(channel_id: str, row: Record | None) -> Channel:
    if row is None:
        return Channel(id=channel_id)
    shield, pinned = row["shield_before"], row["pinned"]
    return Channel(
        id=channel_id,
        revision=row["revision"],
        settings=msgspec.json.decode(row["settings"], type=RoomSettings),
        automod=from_json(row["automod"]),
        shield_before=msgspec.json.decode(shield, type=ShieldBefore) if shield else None,
        pinned=msgspec.json.decode(pinned, type=Pinned) if pinned else None,
    )


async def set_revision(connection: Connection, channel_id: str, revision: int, now: datetime) -> None:
    await connection.execute(
        "UPDATE channels SET revision = $2, updated_at = $3 WHERE channel_id = $1", channel_id, revision, now
    )


async def set_settings(connection: Connection, channel_id: str, settings: RoomSettings) -> None:
    await connection.execute("UPDATE channels SET settings = $2 WHERE channel_id = $1", channel_id, as_json(settings))


async def set_automod(connection: Connection, channel_id: str, automod: Values) -> None:
    await connection.execute("UPDATE channels SET automod = $2 WHERE channel_id = $1", channel_id, as_json(automod))


async def set_shield_before(connection: Connection, channel_id: str, before: ShieldBefore | None) -> None:
    await connection.execute(
        "UPDATE channels SET shield_before = $2 WHERE channel_id = $1", channel_id, as_json(before)
    )


async def set_pinned(connection: Connection, channel_id: str, pinned: Pinned | None) -> None:
    await connection.execute("UPDATE channels SET pinned = $2 WHERE channel_id = $1", channel_id, as_json(pinned))


async def apply(connection: Connection, deed: Deed) -> None:
    """Write what the deed's patch says into the tables of what holds now."""
    patch = deed.patch
    if patch.settings is not None:
        await set_settings(connection, deed.channel_id, patch.settings)
    if patch.role is not None:
        await _apply_role(connection, deed, *patch.role)
    if patch.sanction is not None:
        await _apply_sanction(connection, deed, *patch.sanction)
    if patch.lift is not None:
        await connection.execute(
            "DELETE FROM sanctions WHERE channel_id = $1 AND user_id = $2", deed.channel_id, patch.lift
        )
    await _apply_caution(connection, deed, patch)


async def _apply_role(connection: Connection, deed: Deed, user_id: str, role: str) -> None:
    if role == "viewer":
        await connection.execute(
            "DELETE FROM channel_roles WHERE channel_id = $1 AND user_id = $2", deed.channel_id, user_id
        )
        return
    await connection.execute(
        "INSERT INTO channel_roles (channel_id, user_id, role, by_id, at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (channel_id, user_id) DO UPDATE SET role = $3, by_id = $4, at = $5",
        deed.channel_id, user_id, role, deed.actor.id, moment(deed.at),
    )  # fmt: skip


async def _apply_sanction(connection: Connection, deed: Deed, user_id: str, sanction: Sanction) -> None:
    until = None if sanction.until is None else moment(sanction.until)
    await connection.execute(
        "INSERT INTO sanctions (channel_id, user_id, kind, until, reason, by_id, by_name, at, action_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (channel_id, user_id) DO UPDATE SET "
        "kind = $3, until = $4, reason = $5, by_id = $6, by_name = $7, at = $8, action_id = $9",
        deed.channel_id, user_id, "ban" if until is None else "timeout", until, sanction.reason, deed.actor.id,
        deed.actor.name, moment(deed.at), deed.id,
    )  # fmt: skip


async def _apply_caution(connection: Connection, deed: Deed, patch: Patch) -> None:
    if patch.caution is not None:
        user_id, caution = patch.caution
        await connection.execute(
            "INSERT INTO cautions (channel_id, user_id, id, reason, at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (channel_id, user_id) DO UPDATE SET id = $3, reason = $4, at = $5",
            deed.channel_id, user_id, caution.id, caution.reason, moment(deed.at),
        )  # fmt: skip
    if patch.acknowledge is not None:
        await connection.execute(
            "DELETE FROM cautions WHERE channel_id = $1 AND user_id = $2", deed.channel_id, patch.acknowledge
        )


async def insert_row(connection: Connection, deed: Deed, revision: int, correlation_id: str) -> None:
    """The deed's row of the log."""
    await connection.execute(
        "INSERT INTO moderation_log (id, channel_id, revision, stream_id, action, actor_id, actor, target_id, target, "
        "message_id, reason, snapshot, before, after, change, changes_private, undoes, correlation_id, at) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        deed.id, deed.channel_id, revision, deed.stream_id, deed.action, deed.actor.id, as_json(deed.actor),
        deed.target.id if deed.target else None, as_json(deed.target), deed.message_id, deed.reason,
        as_json(deed.snapshot), as_json(deed.before), as_json(deed.after),
        msgspec.json.encode(change_of(deed, revision)), deed.patch.private is not None, deed.undoes, correlation_id,
        moment(deed.at),
    )  # fmt: skip


async def person(connection: Connection, channel_id: str, user_id: str) -> User | None:
    """An account as the channel sees it, or None when there is none."""
    return (await people(connection, channel_id, [user_id])).get(user_id)


async def people(connection: Connection, channel_id: str, user_ids: Sequence[str]) -> dict[str, User]:
    """`{id: User}` of those who have an account."""
    rows = await connection.fetch(
        "SELECT u.id, u.display_name, u.role AS platform_role, r.role FROM users u "
        "LEFT JOIN channel_roles r ON r.channel_id = $1 AND r.user_id = u.id WHERE u.id = ANY($2::uuid[])",
        channel_id, [user_id for user_id in user_ids if is_id(user_id)],
    )  # fmt: skip
    return {(user := _user(channel_id, row)).id: user for row in rows}


def _user(channel_id: str, row: Record) -> User:
    user_id, role = str(row["id"]), row["role"]
    given: dict[str, RoomRole] = {user_id: role} if role else {}
    return User(id=user_id, name=row["display_name"], role=role_in(channel_id, given, user_id, row["platform_role"]))


async def sanction(connection: Connection, channel_id: str, user_id: str, now: datetime) -> Standing | None:
    """The ban or timeout that holds now."""
    row = await connection.fetchrow(
        "SELECT * FROM sanctions WHERE channel_id = $1 AND user_id = $2 AND (until IS NULL OR until > $3)",
        channel_id, user_id, now,
    )  # fmt: skip
    if row is None:
        return None
    return Standing(
        kind=row["kind"],
        until=None if row["until"] is None else in_ms(row["until"]),
        reason=row["reason"],
        action_id=str(row["action_id"]),
        by_name=row["by_name"],
        at=in_ms(row["at"]),
    )


async def caution(connection: Connection, channel_id: str, user_id: str) -> Caution | None:
    """The warning that was not acknowledged yet."""
    row = await connection.fetchrow(
        "SELECT id, reason FROM cautions WHERE channel_id = $1 AND user_id = $2", channel_id, user_id
    )
    return Caution(id=str(row["id"]), reason=row["reason"]) if row else None


async def count_role(connection: Connection, channel_id: str, role: str) -> int:
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM channel_roles WHERE channel_id = $1 AND role = $2", channel_id, role
        )
    )


async def moderated_by(connection: Connection, user_id: str, limit: int) -> list[Record]:
    """Rows `id, display_name, role, live_stream_id`: the own channel of a creator or admin, then the others by name."""
    return list(
        await connection.fetch(
            "SELECT u.id, u.display_name, CASE WHEN u.id = $1 THEN 'creator' ELSE 'moderator' END AS role, "
            "s.id AS live_stream_id FROM users u "
            "LEFT JOIN streams s ON s.creator_id = u.id AND s.status IN ('live', 'interrupted') "
            "WHERE (u.id = $1 AND u.role IN ('creator', 'admin')) OR u.id IN "
            "(SELECT channel_id FROM channel_roles WHERE user_id = $1 AND role = 'moderator') "
            "ORDER BY u.id <> $1, lower(u.display_name), u.id LIMIT $2",
            user_id, limit,
        )
    )  # fmt: skip


RULING = (
    "l.id, l.channel_id, l.revision, l.stream_id, l.action, l.actor, l.target, l.message_id, l.reason, l.snapshot, "
    "l.before, l.after, l.at, l.undoes, u.id AS undone_by"
)
FROM_LOG = "FROM moderation_log l LEFT JOIN moderation_log u ON u.undoes = l.id"


async def ruling(connection: Connection, channel_id: str, action_id: str) -> Ruling | None:
    """One row of the channel's log."""
    if not is_id(action_id):
        return None
    row = await connection.fetchrow(
        f"SELECT {RULING} {FROM_LOG} WHERE l.channel_id = $1 AND l.id = $2", channel_id, action_id
    )
    return ruling_from(row) if row else None


async def ruling_at(connection: Connection, channel_id: str, revision: int) -> Ruling | None:
    row = await connection.fetchrow(
        f"SELECT {RULING} {FROM_LOG} WHERE l.channel_id = $1 AND l.revision = $2", channel_id, revision
    )
    return ruling_from(row) if row else None


def ruling_from(row: Record) -> Ruling:
    return Ruling(
        id=str(row["id"]),
        revision=row["revision"],
        channel_id=str(row["channel_id"]),
        stream_id=row["stream_id"],
        action=row["action"],
        actor=msgspec.json.decode(row["actor"], type=User),
        target=msgspec.json.decode(row["target"], type=User) if row["target"] else None,
        message_id=row["message_id"],
        reason=row["reason"],
        snapshot=from_json(row["snapshot"]),
        before=from_json(row["before"]),
        after=from_json(row["after"]),
        at=in_ms(row["at"]),
        undoes=str(row["undoes"]) if row["undoes"] else None,
        undone_by=str(row["undone_by"]) if row["undone_by"] else None,
    )
