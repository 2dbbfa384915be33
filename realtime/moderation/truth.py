"""The truth about a channel's rules, for rooms."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Raw

from infra.clock import Clock
from infra.stores.postgres import Connection, Postgres
from realtime.moderation import repository, terms_table
from realtime.moderation.deeds import decode_change
from realtime.room.rules import Caution, Change, Private, RolesGiven, Rules, Sanction

MOST_CHANGES = 200


class ChannelTruth:
    """`realtime.room.rules.ChannelRules` over PostgreSQL. Each answer is of one moment."""

    def __init__(self, db: Postgres, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def rules(self, channel_id: str) -> Rules:
        """All rules at their newest revision, without sanctions that are over; raises `Unavailable`."""
        if not repository.is_id(channel_id):
            return Rules()
        async with self._moment() as connection:
            channel = await repository.channel(connection, channel_id)
            return Rules(
                revision=channel.revision,
                settings=channel.settings,
                roles=await _roles(connection, channel_id),
                sanctions=await self._sanctions(connection, channel_id),
                cautions=await _cautions(connection, channel_id),
                private=await _private(connection, channel_id),
            )

    async def after(self, channel_id: str, revision: int) -> Sequence[Change]:
        """The changes after that revision, in order, at most `MOST_CHANGES`; raises `Unavailable`.

        One that is about AutoMod or terms brings those of now: they are not kept in the log.
        """
        if not repository.is_id(channel_id):
            return []
        async with self._moment() as connection:
            rows = await connection.fetch(
                "SELECT change, changes_private FROM moderation_log WHERE channel_id = $1 AND revision > $2 "
                "ORDER BY revision LIMIT $3",
                channel_id, revision, MOST_CHANGES,
            )  # fmt: skip
            private = await _private(connection, channel_id) if any(row["changes_private"] for row in rows) else None
        return [_change(row["change"], private if row["changes_private"] else None) for row in rows]

    @asynccontextmanager
    async def _moment(self) -> AsyncIterator[Connection]:
        async with (
            self._db.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def _sanctions(self, connection: Connection, channel_id: str) -> dict[str, Sanction]:
        rows = await connection.fetch(
            "SELECT user_id, until, reason FROM sanctions WHERE channel_id = $1 AND (until IS NULL OR until > $2)",
            channel_id, self._clock(),
        )  # fmt: skip
        return {
            str(row["user_id"]): Sanction(
                until=None if row["until"] is None else repository.in_ms(row["until"]), reason=row["reason"]
            )
            for row in rows
        }


def _change(stored: bytes, private: Private | None) -> Change:
    change = decode_change(stored)
    if private is None:
        return change
    return msgspec.structs.replace(change, patch=msgspec.structs.replace(change.patch, private=private))


async def _roles(connection: Connection, channel_id: str) -> RolesGiven:
    rows = await connection.fetch("SELECT user_id, role FROM channel_roles WHERE channel_id = $1", channel_id)
    return {str(row["user_id"]): row["role"] for row in rows}


async def _cautions(connection: Connection, channel_id: str) -> dict[str, Caution]:
    rows = await connection.fetch("SELECT user_id, id, reason FROM cautions WHERE channel_id = $1", channel_id)
    return {str(row["user_id"]): Caution(id=str(row["id"]), reason=row["reason"]) for row in rows}


async def _private(connection: Connection, channel_id: str) -> Private:
    automod = await connection.fetchval("SELECT automod FROM channels WHERE channel_id = $1", channel_id)
    return Private(
        automod=Raw((automod or "{}").encode()),
        terms=Raw(await terms_table.as_rules(connection, channel_id)),
    )
