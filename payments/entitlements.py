"""Rights in PostgreSQL, and what they come to for a person: written, taken back, and carried over to accounts.

`users` is locked before the rights are read, by whoever changes them and by the sweeper. So of two changes at once the
second reads what the first wrote, and what `accounts` says always is what all rows together come to. An operator's
grant (`footlight grant`) is no right: accounts keeps it beside these (`users.granted_tier`) and neither overwrites the
other. What an administrator gives away is a right, with the source `comp:<id>`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import asyncpg

from accounts.model import Tier
from infra.clock import Clock
from infra.logs import get_logger
from infra.stores.postgres import Connection
from payments.model import Right
from payments.rights import next_change, standing

LOCK = 0x526967  # "Rig"

log = get_logger(__name__)

_RIGHT = "user_id, scope, source, level, starts_at, until, in_grace"


class People(Protocol):
    """The part of accounts that rights need."""

    async def hold(self, connection: Connection, user_id: str) -> bool: ...

    async def entitle(self, connection: Connection, user_id: str, tier: Tier, channels: dict[str, int]) -> bool: ...


class Rights:
    """Who may do what, until when. All of it in the caller's transaction; nudge the outbox after the commit.

    What is changed reaches sessions before the commit: change rights last. When something fails afterwards, do the
    whole again (the inbox does): sessions follow what is written then, whatever that is. Where nobody does it again
    they stay ahead until they are refreshed.
    """

    def __init__(self, people: People, clock: Clock) -> None:
        self._people = people
        self._clock = clock

    async def put(self, connection: Connection, *rights: Right) -> None:
        """Write rights over what the same source gave the same user before; unknown users are passed over."""
        for user_id in sorted({right.user_id for right in rights}):
            if not await self._people.hold(connection, user_id):
                log.error("rights.of_nobody", user_id=user_id)
                continue
            await self._write(connection, [right for right in rights if right.user_id == user_id])
            await self._project(connection, user_id)

    async def withdraw(self, connection: Connection, *sources: str) -> list[str]:
        """Take back what gifts or comps gave, as if they had never been; returns whom that concerns."""
        rows = await connection.fetch(
            "SELECT DISTINCT user_id FROM rights WHERE source = ANY($1) ORDER BY user_id", sources
        )
        holders = [str(row["user_id"]) for row in rows]
        for user_id in holders:
            await self._people.hold(connection, user_id)
            await connection.execute("DELETE FROM rights WHERE source = ANY($1) AND user_id = $2", sources, user_id)
            await self._project(connection, user_id)
        return holders

    async def of(self, connection: Connection, user_id: str) -> list[Right]:
        """Every row of a user, ended ones too, the newest first."""
        rows = await connection.fetch(
            f"SELECT {_RIGHT} FROM rights WHERE user_id = $1 ORDER BY starts_at DESC, source", user_id  # noqa: S608
        )  # fmt: skip
        return [_right(row) for row in rows]

    async def refresh(self, connection: Connection, user_id: str) -> bool:
        """Let accounts follow what time has changed; whether that was news. What another is at is left to it."""
        is_ours = await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock($1, hashtext($2)) "
            "AND EXISTS (SELECT FROM right_changes WHERE user_id = $2::uuid AND due_at <= $3)",
            LOCK, user_id, self._clock(),
        )  # fmt: skip
        return is_ours and await self._people.hold(connection, user_id) and await self._project(connection, user_id)

    async def due(self, connection: Connection, limit: int) -> list[str]:
        """Users for whom time has changed something since, those waiting longest first."""
        rows = await connection.fetch(
            "SELECT user_id FROM right_changes WHERE due_at <= $1 ORDER BY due_at LIMIT $2", self._clock(), limit
        )
        return [str(row["user_id"]) for row in rows]

    async def _write(self, connection: Connection, rights: Sequence[Right]) -> None:
        await connection.executemany(
            f"INSERT INTO rights ({_RIGHT}) VALUES ($1, $2, $3, $4, $5, $6, $7) "  # noqa: S608 - constant
            "ON CONFLICT (user_id, scope, source) DO UPDATE SET level = excluded.level, "
            "starts_at = excluded.starts_at, until = excluded.until, in_grace = excluded.in_grace",
            [
                (one.user_id, one.scope, one.source, one.level, one.starts_at, one.until, one.in_grace)
                for one in rights
            ],
        )  # fmt: skip

    async def _project(self, connection: Connection, user_id: str) -> bool:
        rights, now = await self.of(connection, user_id), self._clock()
        await self._wake(connection, user_id, next_change(rights, now))
        come_to = standing(rights, now)
        return await self._people.entitle(connection, user_id, come_to.tier, come_to.channels)

    async def _wake(self, connection: Connection, user_id: str, due_at: datetime | None) -> None:
        if due_at is None:
            await connection.execute("DELETE FROM right_changes WHERE user_id = $1", user_id)
            return
        await connection.execute(
            "INSERT INTO right_changes (user_id, due_at) VALUES ($1, $2) "
            "ON CONFLICT (user_id) DO UPDATE SET due_at = excluded.due_at",
            user_id, due_at,
        )  # fmt: skip


def _right(row: asyncpg.Record) -> Right:
    return Right(
        user_id=str(row["user_id"]), scope=row["scope"], source=row["source"], level=row["level"],
        starts_at=row["starts_at"], until=row["until"], in_grace=row["in_grace"],
    )  # fmt: skip
