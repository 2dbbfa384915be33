"""Asking to be let back in: one open request for each ban, answered by a moderator."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Record

from accounts.model import Identity
from infra import cursors
from infra.clock import Clock, NewId
from infra.errors import NotFound
from infra.stores.postgres import Connection, Postgres
from realtime.entries import Person
from realtime.moderation import repository, sanctions
from realtime.moderation.access import acting, actor_of, admitted, person_here
from realtime.moderation.actions import Moderation
from realtime.moderation.bodies import Unban
from realtime.moderation.deeds import Deed
from realtime.moderation.errors import AlreadySo, NotBanned, UnbanRequestOpen
from realtime.moderation.record import Held

RequestStatus = Literal["pending", "approved", "denied"]


class RequestGone(NotFound):
    code = "unban.not_found"
    message = "There is no such request."


class UnbanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Times in Unix milliseconds; `resolution` is what the moderator answered."""

    id: str
    user: Person
    text: str
    at: int
    status: RequestStatus
    resolved_by: Person | None
    resolved_at: int | None
    resolution: str | None


class UnbanRequests:
    """Approving lifts the ban, in the same transaction."""

    def __init__(self, db: Postgres, moderation: Moderation, *, clock: Clock, new_id: NewId) -> None:
        self._db = db
        self._moderation = moderation
        self._clock = clock
        self._new_id = new_id

    async def ask(self, identity: Identity, channel_id: str, text: str) -> UnbanRequest:
        """Raises `NotBanned`, `UnbanRequestOpen`, also when the same ban was denied already."""
        async with self._db.transaction() as connection:
            user = await person_here(connection, channel_id, identity.user_id)
            ban = await repository.sanction(connection, channel_id, user.id, self._clock())
            if ban is None or ban.kind != "ban":
                raise NotBanned
            if await _asked_about(connection, ban.action_id):
                raise UnbanRequestOpen("You have asked about this ban already.")
            try:
                row = await connection.fetchrow(
                    "INSERT INTO unban_requests (id, channel_id, user_id, user_name, ban_id, text, at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
                    self._new_id(), channel_id, user.id, user.name, ban.action_id, text, self._clock(),
                )  # fmt: skip
            except asyncpg.UniqueViolationError:
                raise UnbanRequestOpen from None
        return _request(row)

    async def mine(self, identity: Identity, channel_id: str) -> list[UnbanRequest]:
        """One's own, newest first; at most 20."""
        if not repository.is_id(channel_id):
            return []
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM unban_requests WHERE channel_id = $1 AND user_id = $2 ORDER BY at DESC LIMIT 20",
                channel_id, identity.user_id,
            )  # fmt: skip
        return [_request(row) for row in rows]

    async def page(
        self, identity: Identity, channel_id: str, status: RequestStatus | None, cursor: str | None, limit: int
    ) -> tuple[list[UnbanRequest], str | None]:
        """Newest first. Raises `NotAllowed`, `Invalid` for a cursor that is not ours."""
        at, request_id = cursors.decode(cursor, tuple[datetime, UUID]) or (None, None)
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT * FROM unban_requests WHERE channel_id = $1 AND ($2::text IS NULL OR status = $2) "
                "AND ($3::timestamptz IS NULL OR (at, id) < ($3, $4::uuid)) ORDER BY at DESC, id DESC LIMIT $5",
                channel_id, status, at, request_id, limit + 1,
            )  # fmt: skip
        shown, next_cursor = cursors.cut(rows, limit, lambda row: (row["at"], row["id"]))
        return [_request(row) for row in shown], next_cursor

    async def resolve(
        self, identity: Identity, channel_id: str, request_id: str, *, approve: bool, text: str
    ) -> UnbanRequest:
        """Raises `NotAllowed`, `RequestGone`, `AlreadySo` when it was answered before."""
        if not repository.is_id(request_id):
            raise RequestGone
        resolved: Any = None

        async def decide(held: Held) -> Sequence[Deed]:
            nonlocal resolved
            moderator = await acting(held.connection, channel_id, identity, "moderate", self._clock())
            row = await _locked(held.connection, channel_id, request_id)
            by = Person(id=moderator.id, name=moderator.name)
            resolved = await held.connection.fetchrow(
                "UPDATE unban_requests SET status = $2, resolved_by = $3, resolved_at = $4, resolution = $5 "
                "WHERE id = $1 RETURNING *",
                request_id, "approved" if approve else "denied", repository.as_json(by), self._clock(), text,
            )  # fmt: skip
            return await self._lifted(held, identity, str(row["user_id"]), text) if approve else []

        await self._moderation.records.decide(channel_id, decide)
        return _request(resolved)

    async def _lifted(self, held: Held, identity: Identity, user_id: str, text: str) -> Sequence[Deed]:
        """The deed that lifts the ban, unless somebody did already."""
        stream_id = await self._moderation.open_stream_in(held.connection, held.channel.id)
        command = Unban(stream_id=stream_id or "", user_id=user_id, reason=text)
        scene = await self._moderation.scene(held, actor_of(identity), command)
        try:
            return (await sanctions.unban(scene, command)).deeds
        except AlreadySo:
            return []


async def _asked_about(connection: Connection, ban_id: str) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM unban_requests WHERE ban_id = $1)", ban_id))


async def _locked(connection: Connection, channel_id: str, request_id: str) -> Record:
    row = await connection.fetchrow(
        "SELECT * FROM unban_requests WHERE channel_id = $1 AND id = $2 FOR UPDATE", channel_id, request_id
    )
    if row is None:
        raise RequestGone
    if row["status"] != "pending":
        raise AlreadySo("This request was answered already.")
    return row


def _request(row: Record | None) -> UnbanRequest:
    if row is None:
        raise RequestGone
    by, at = row["resolved_by"], row["resolved_at"]
    return UnbanRequest(
        id=str(row["id"]),
        user=Person(id=str(row["user_id"]), name=row["user_name"]),
        text=row["text"],
        at=repository.in_ms(row["at"]),
        status=row["status"],
        resolved_by=msgspec.json.decode(by, type=Person) if by else None,
        resolved_at=None if at is None else repository.in_ms(at),
        resolution=row["resolution"],
    )
