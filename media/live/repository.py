"""Live streams in PostgreSQL. Knows SQL and nothing of the rules; every method works in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from infra.stores.postgres import Connection
from media.live.state import Stream

FIELDS = (
    "s.id, s.creator_id, u.display_name AS creator_name, s.playback_id, s.title, s.category, s.latency, s.status, "
    "s.created_at, s.started_at, s.connected_at, s.interrupted_at, s.ended_at, s.end_reason, s.connections, "
    "s.described_at, s.record, s.visibility"
)
NAMES = tuple(field.name for field in fields(Stream))
FROM = "FROM streams s JOIN users u ON u.id = s.creator_id"
MAX_OPEN = 1000  # more live streams than a first page can ever rank usefully; keeps one answer bounded


class StreamRepository:
    """Rows of `streams` as `Stream`, with the creator's present name."""

    async def insert(self, connection: Connection, stream: Stream, key_hash: bytes) -> bool:
        """Store a new stream; False when its creator already has an open one (waits for a rival to commit)."""
        status: str = await connection.execute(
            "INSERT INTO streams (id, creator_id, playback_id, key_hash, title, category, latency, status, created_at, "
            "record, visibility) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
            "ON CONFLICT (creator_id) WHERE status <> 'ended' DO NOTHING",
            stream.id, stream.creator_id, stream.playback_id, key_hash, stream.title, stream.category, stream.latency,
            stream.status, stream.created_at, stream.record, stream.visibility,
        )  # fmt: skip
        return status == "INSERT 0 1"

    async def get(self, connection: Connection, stream_id: str) -> Stream | None:
        return _stream(await connection.fetchrow(f"SELECT {FIELDS} {FROM} WHERE s.id = $1", stream_id))

    async def lock(self, connection: Connection, stream_id: str) -> Stream | None:
        """The stream, which nobody else can change until the transaction ends."""
        return _stream(await connection.fetchrow(f"SELECT {FIELDS} {FROM} WHERE s.id = $1 FOR UPDATE OF s", stream_id))

    async def save(self, connection: Connection, stream: Stream) -> None:
        """Write back what the state machine may change."""
        await connection.execute(
            "UPDATE streams SET status = $2, started_at = $3, interrupted_at = $4, ended_at = $5, end_reason = $6, "
            "connections = $7, connected_at = $8, title = $9, category = $10, described_at = $11, "
            "record = $12 WHERE id = $1",
            stream.id, stream.status, stream.started_at, stream.interrupted_at, stream.ended_at, stream.end_reason,
            stream.connections, stream.connected_at, stream.title, stream.category, stream.described_at,
            stream.record,
        )  # fmt: skip

    async def open_of(self, connection: Connection, creator_id: str) -> Stream | None:
        """The stream of this creator that is not over yet."""
        return _stream(
            await connection.fetchrow(
                f"SELECT {FIELDS} {FROM} WHERE s.creator_id = $1 AND s.status <> 'ended'", creator_id
            )
        )

    async def on_air(self, connection: Connection) -> list[Stream]:
        """Live and interrupted streams, the newest `MAX_OPEN`."""
        return _streams(
            await connection.fetch(
                f"SELECT {FIELDS} {FROM} WHERE s.status IN ('live', 'interrupted') "
                "ORDER BY s.started_at DESC, s.id LIMIT $1",
                MAX_OPEN,
            )
        )

    async def all_open(self, connection: Connection) -> list[Stream]:
        """Every stream that is not over, for the sweeper."""
        return _streams(await connection.fetch(f"SELECT {FIELDS} {FROM} WHERE s.status <> 'ended'"))

    async def by_key(self, connection: Connection, key_hash: bytes) -> tuple[Stream, bytes] | None:
        """The stream with this key, and the stored hash."""
        row = await connection.fetchrow(f"SELECT {FIELDS}, s.key_hash {FROM} WHERE s.key_hash = $1", key_hash)
        stream = _stream(row)
        return (stream, row["key_hash"]) if row and stream else None

    async def replace_key(self, connection: Connection, stream_id: str, key_hash: bytes) -> None:
        await connection.execute("UPDATE streams SET key_hash = $2 WHERE id = $1", stream_id, key_hash)

    async def open_key_hashes(self, connection: Connection, stream_ids: Sequence[str]) -> dict[str, bytes]:
        """`{stream_id: key_hash}` of those that are not over."""
        rows = await connection.fetch(
            "SELECT id, key_hash FROM streams WHERE id = ANY($1::uuid[]) AND status <> 'ended'", list(stream_ids)
        )
        return {str(row["id"]): row["key_hash"] for row in rows}


def _stream(row: Any) -> Stream | None:
    if row is None:
        return None
    values: dict[str, Any] = {name: row[name] for name in NAMES}
    values |= {"id": str(row["id"]), "creator_id": str(row["creator_id"])}
    return Stream(**values)


def _streams(rows: Sequence[Any]) -> list[Stream]:
    return [stream for row in rows if (stream := _stream(row))]
