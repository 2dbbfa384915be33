"""Reading the moderation log: pages, the export, and figures of each moderator."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from accounts.model import Identity
from infra import cursors
from infra.stores.postgres import Connection, Postgres
from realtime.entries import Person, User
from realtime.moderation.access import admitted
from realtime.moderation.bodies import Ruling
from realtime.moderation.repository import FROM_LOG, RULING, ruling_from

BATCH = 500  # rows an export holds at a time
Format = Literal["csv", "json"]
COLUMNS = (
    "revision", "at", "action", "actor_id", "actor_name", "actor_role", "target_id", "target_name", "message_id",
    "reason", "snapshot", "before", "after", "stream_id", "id", "undoes", "undone_by",
)  # fmt: skip
# What people did about themselves, and what was bought.
NOBODY_MODERATED = ("acknowledge", "paid_message", "paid_withdrawn", "gift", "gift_withdrawn")
# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: all that is given must hold. `since` is included, `until` is not."""

    actor: str | None = None
    target: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How many of each action one moderator did."""

    moderator: Person
    counts: dict[str, int]
    total: int


class Audit:
    """For who may see it: moderators, and for the export the broadcaster and admins."""

    def __init__(self, db: Postgres) -> None:
        self._db = db

    async def page(
        self, identity: Identity, channel_id: str, wanted: LogFilter, cursor: str | None, limit: int
    ) -> tuple[list[Ruling], str | None]:
        """Newest first. Raises `ChannelNotFound`, `NotAllowed`, `Invalid` for a cursor that is not ours."""
        before = cursors.decode(cursor, int)
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            found = await rulings(connection, channel_id, wanted, before=before, limit=limit + 1)
        return cursors.cut(found, limit, lambda ruling: ruling.revision)

    async def export(
        self, identity: Identity, channel_id: str, wanted: LogFilter, form: Format
    ) -> AsyncIterator[bytes]:
        """The rows oldest first, as text in pieces; raises `ChannelNotFound`, `NotAllowed` before the first."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "own")
        return _as_csv(self._all(channel_id, wanted)) if form == "csv" else _as_json(self._all(channel_id, wanted))

    async def _all(self, channel_id: str, wanted: LogFilter) -> AsyncIterator[list[Ruling]]:
        """Batches; no connection is held while the client is slow to take one."""
        after = 0
        while True:
            async with self._db.connection() as connection:
                batch = await rulings(connection, channel_id, wanted, after=after, limit=BATCH)
            if batch:
                yield batch
                after = batch[-1].revision
            if len(batch) < BATCH:
                return

    async def figures(self, identity: Identity, channel_id: str, period: LogFilter) -> list[Figures]:
        """The busiest first, at most 200. What is in `NOBODY_MODERATED` is not counted."""
        async with self._db.connection() as connection:
            await admitted(connection, channel_id, identity, "see_private")
            rows = await connection.fetch(
                "SELECT actor_id, (array_agg(actor->>'name' ORDER BY revision DESC))[1] AS name, action, "
                "count(*) AS n FROM moderation_log WHERE channel_id = $1 AND action <> ALL($4) "
                "AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3) "
                "GROUP BY actor_id, action",
                channel_id, period.since, period.until, NOBODY_MODERATED,
            )  # fmt: skip
        names = {row["actor_id"]: row["name"] for row in rows}
        counts: dict[str, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["actor_id"], {})[row["action"]] = row["n"]
        return _busiest_first(names, counts)


def _busiest_first(names: Mapping[str, str], counts: Mapping[str, dict[str, int]]) -> list[Figures]:
    figures = [
        Figures(moderator=Person(id=actor_id, name=names[actor_id]), counts=done, total=sum(done.values()))
        for actor_id, done in counts.items()
    ]
    return sorted(figures, key=lambda one: (-one.total, one.moderator.name))[:200]


async def rulings(
    connection: Connection,
    channel_id: str,
    wanted: LogFilter,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> list[Ruling]:
    """Rows before a revision newest first, or with `after` those after it oldest first."""
    order = "DESC" if after is None else "ASC"
    rows = await connection.fetch(
        f"SELECT {RULING} {FROM_LOG} WHERE l.channel_id = $1 "
        "AND ($2::text IS NULL OR l.actor_id = $2) AND ($3::text IS NULL OR l.target_id = $3) "
        "AND ($4::text IS NULL OR l.action = $4) AND ($5::timestamptz IS NULL OR l.at >= $5) "
        "AND ($6::timestamptz IS NULL OR l.at < $6) AND ($7::bigint IS NULL OR l.revision < $7) "
        f"AND ($8::bigint IS NULL OR l.revision > $8) ORDER BY l.revision {order} LIMIT $9",
        channel_id, wanted.actor, wanted.target, wanted.action, wanted.since, wanted.until, before, after, limit,
    )  # fmt: skip
    return [ruling_from(row) for row in rows]


async def _as_json(batches: AsyncIterator[list[Ruling]]) -> AsyncIterator[bytes]:
    """One array, a row to a line."""
    yield b"["
    between = b"\n"
    async for batch in batches:
        for ruling in batch:
            yield between + msgspec.json.encode(ruling)
            between = b",\n"
    yield b"\n]\n"


async def _as_csv(batches: AsyncIterator[list[Ruling]]) -> AsyncIterator[bytes]:
    """RFC 4180 with a header; times are ISO 8601."""
    yield _csv_lines([COLUMNS])
    async for batch in batches:
        yield _csv_lines([cells(ruling) for ruling in batch])


def _csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def cells(ruling: Ruling) -> list[str]:
    """A row of the CSV; no cell is a formula."""
    actor, target = ruling.actor, ruling.target
    at = datetime.fromtimestamp(ruling.at / 1000, UTC).isoformat(timespec="milliseconds")
    values: list[object] = [
        ruling.revision, at, ruling.action, actor.id, actor.name, actor.role, *_of(target), ruling.message_id,
        ruling.reason, _json(ruling.snapshot), _json(ruling.before), _json(ruling.after), ruling.stream_id, ruling.id,
        ruling.undoes, ruling.undone_by,
    ]  # fmt: skip
    return [harmless("" if value is None else str(value)) for value in values]


def harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _of(target: User | None) -> tuple[str | None, str | None]:
    return (target.id, target.name) if target else (None, None)


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
