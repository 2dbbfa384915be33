"""Uploads in PostgreSQL. Knows SQL and nothing of the rules; every method works in the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.stores.postgres import Connection
from media.vod.upload_model import State, Upload

SELECT = (
    "SELECT video_id, creator_id, object_key AS key, multipart_id, is_form, file_name, size_bytes, part_bytes, sha256, "
    "state, settled, request_sum, created_at, expires_at FROM uploads"
)
BATCH = 100  # rows a sweep takes at once


class UploadRepository:
    """Rows of `uploads` as `Upload`, and of `upload_parts`."""

    async def lock_account(self, connection: Connection, user_id: str) -> None:
        """Until the transaction ends nobody else begins an upload of this account."""
        await connection.execute("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)

    async def usage(self, connection: Connection, user_id: str) -> tuple[int, int]:
        """Bytes taken (or set aside), and how many uploads are open."""
        row = await connection.fetchrow(
            "SELECT coalesce(sum(size_bytes), 0)::bigint AS used, count(*) FILTER (WHERE state = 'open') AS unfinished "
            "FROM uploads WHERE creator_id = $1 AND state IN ('open', 'stored')",
            user_id,
        )
        return (row["used"], row["unfinished"]) if row else (0, 0)

    async def by_request(self, connection: Connection, user_id: str, key: str, since: datetime) -> Upload | None:
        """What was opened with this key; one from before `since` no longer counts and loses it."""
        await connection.execute(
            "UPDATE uploads SET request_key = NULL WHERE creator_id = $1 AND request_key = $2 AND created_at < $3",
            user_id, key, since,
        )  # fmt: skip
        return _upload(await connection.fetchrow(f"{SELECT} WHERE creator_id = $1 AND request_key = $2", user_id, key))

    async def insert(self, connection: Connection, upload: Upload, request_key: str | None = None) -> bool:
        """False when there is one for this video."""
        closed_at = None if upload.state == "open" else upload.created_at
        status: str = await connection.execute(
            "INSERT INTO uploads (video_id, creator_id, object_key, multipart_id, is_form, file_name, size_bytes, "
            "part_bytes, sha256, state, settled, request_sum, created_at, expires_at, closed_at, request_key) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
            "ON CONFLICT (video_id) DO NOTHING",
            upload.video_id, upload.creator_id, upload.key, upload.multipart_id, upload.is_form, upload.file_name,
            upload.size_bytes, upload.part_bytes, upload.sha256, upload.state, upload.settled, upload.request_sum,
            upload.created_at, upload.expires_at, closed_at, request_key,
        )  # fmt: skip
        return status == "INSERT 0 1"

    async def get(self, connection: Connection, video_id: str) -> Upload | None:
        return _upload(await connection.fetchrow(f"{SELECT} WHERE video_id = $1", video_id))

    async def lock(self, connection: Connection, video_id: str) -> Upload | None:
        """The upload, which nobody else can change until the transaction ends."""
        return _upload(await connection.fetchrow(f"{SELECT} WHERE video_id = $1 FOR UPDATE", video_id))

    async def open_of(self, connection: Connection, user_id: str) -> list[Upload]:
        """What can be gone on with, newest first."""
        rows = await connection.fetch(
            f"{SELECT} WHERE creator_id = $1 AND state = 'open' AND NOT is_form "
            "AND multipart_id IS NOT NULL ORDER BY created_at DESC, video_id",
            user_id,
        )
        return _uploads(rows)

    async def begun(self, connection: Connection, video_id: str, multipart_id: str, expires_at: datetime) -> bool:
        """Name the multipart upload; false when it has one, or is no longer open."""
        status: str = await connection.execute(
            "UPDATE uploads SET multipart_id = $2, expires_at = $3 "
            "WHERE video_id = $1 AND multipart_id IS NULL AND state = 'open'",
            video_id, multipart_id, expires_at,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def extend(self, connection: Connection, video_id: str, expires_at: datetime) -> bool:
        """False when it is no longer open."""
        status: str = await connection.execute(
            "UPDATE uploads SET expires_at = $2 WHERE video_id = $1 AND state = 'open'", video_id, expires_at
        )
        return status == "UPDATE 1"

    async def measured(self, connection: Connection, video_id: str, size_bytes: int, sha256: bytes) -> bool:
        """A form's file is this long; false when it is no longer open."""
        status: str = await connection.execute(
            "UPDATE uploads SET size_bytes = $2, sha256 = $3 WHERE video_id = $1 AND state = 'open'",
            video_id, size_bytes, sha256,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def close(
        self, connection: Connection, video_id: str, state: State, at: datetime, sha256: bytes | None = None
    ) -> None:
        """Stored, refused or aborted. An upload that did not succeed gives its request key free."""
        await connection.execute(
            "UPDATE uploads SET state = $2, closed_at = $3, settled = false, sha256 = coalesce($4, sha256), "
            "request_key = CASE WHEN $2 = 'aborted' THEN NULL ELSE request_key END "
            "WHERE video_id = $1 AND state = 'open'",
            video_id, state, at, sha256,
        )  # fmt: skip

    async def settled(self, connection: Connection, video_id: str) -> None:
        await connection.execute("UPDATE uploads SET settled = true WHERE video_id = $1", video_id)

    async def delete(self, connection: Connection, video_id: str) -> None:
        await connection.execute("DELETE FROM uploads WHERE video_id = $1", video_id)

    # --- parts

    async def put_sums(self, connection: Connection, video_id: str, sums: Mapping[int, bytes]) -> None:
        """The last word about a part counts."""
        await connection.execute(
            "INSERT INTO upload_parts (video_id, number, sha256) SELECT $1, * FROM unnest($2::int[], $3::bytea[]) "
            "ON CONFLICT (video_id, number) DO UPDATE SET sha256 = excluded.sha256",
            video_id, list(sums.keys()), list(sums.values()),
        )  # fmt: skip

    async def sums(self, connection: Connection, video_id: str) -> dict[int, bytes]:
        """`{number: SHA-256}`, by number."""
        rows = await connection.fetch(
            "SELECT number, sha256 FROM upload_parts WHERE video_id = $1 ORDER BY number", video_id
        )
        return {row["number"]: row["sha256"] for row in rows}

    # --- for the sweeper

    async def overdue(self, connection: Connection, now: datetime) -> list[Upload]:
        rows = await connection.fetch(
            f"{SELECT} WHERE state = 'open' AND expires_at < $1 ORDER BY expires_at LIMIT {BATCH}",
            now,
        )
        return _uploads(rows)

    async def unsettled(self, connection: Connection, closed_before: datetime) -> list[Upload]:
        rows = await connection.fetch(
            f"{SELECT} WHERE state <> 'open' AND NOT settled AND closed_at < $1 ORDER BY closed_at LIMIT {BATCH}",
            closed_before,
        )
        return _uploads(rows)

    async def forget(self, connection: Connection, closed_before: datetime) -> None:
        """Rows that nobody needs any more."""
        await connection.execute(
            "DELETE FROM uploads WHERE state = 'aborted' AND settled AND closed_at < $1", closed_before
        )

    async def known(self, connection: Connection, multipart_ids: Collection[str]) -> set[str]:
        """Those that an open upload uses."""
        rows = await connection.fetch(
            "SELECT multipart_id FROM uploads WHERE state = 'open' AND multipart_id = ANY($1::text[])",
            list(multipart_ids),
        )
        return {row["multipart_id"] for row in rows}


def _upload(row: Any) -> Upload | None:
    if row is None:
        return None
    return Upload(**{**row, "video_id": str(row["video_id"]), "creator_id": str(row["creator_id"])})


def _uploads(rows: Sequence[Any]) -> list[Upload]:
    return [upload for row in rows if (upload := _upload(row))]
