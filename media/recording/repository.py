"""Recordings in PostgreSQL. Knows SQL and nothing of the rules; every method works in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from infra.stores.postgres import Connection
from media.recording.model import Piece, Track

Shelved = tuple[str, int]  # stream id and number of a connection


@dataclass(frozen=True, slots=True)
class Due:
    """A recording that somebody has to look at."""

    stream_id: str
    state: str
    video_id: str | None
    cut_short: str | None
    attempts: int  # the number of the claim: who has another one has lost it
    failures: int
    first_tried_at: datetime


class RecordingRepository:
    """Rows of the three tables."""

    async def begin(self, connection: Connection, stream_id: str, number: int, now: datetime) -> None:
        """An encoder connected: whoever makes the video waits for its pieces."""
        await connection.execute(
            "INSERT INTO recordings (stream_id, next_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", stream_id, now
        )
        await connection.execute(
            "INSERT INTO recording_connections (stream_id, connection, heard_at) VALUES ($1, $2, $3) "
            "ON CONFLICT DO NOTHING",
            stream_id, number, now,
        )  # fmt: skip

    # --- what the live process tells

    async def add(self, connection: Connection, piece: Piece) -> bool:
        """Store that a piece is there; false when nobody waits for it any more. Again is fine."""
        row = await connection.fetchrow(
            "WITH wanted AS (SELECT 1 FROM recordings WHERE stream_id = $1 AND state IN ('open', 'failed') FOR SHARE), "
            "added AS (INSERT INTO recording_pieces (stream_id, connection, run, first_segment, last_segment, "
            "size_bytes, started_at, tracks) SELECT $1, $2, $3, $4, $5, $6, $7, $8::jsonb FROM wanted "
            "ON CONFLICT DO NOTHING) SELECT count(*) AS waits FROM wanted",
            piece.stream_id, piece.connection, piece.run, piece.first_segment, piece.last_segment, piece.size_bytes,
            piece.started_at, msgspec.json.encode(piece.tracks).decode(),
        )  # fmt: skip
        return row is not None and row["waits"] > 0

    async def last_stored(self, connection: Connection, stream_id: str, number: int) -> dict[int, int]:
        """By run, the last segment that is stored."""
        rows = await connection.fetch(
            "SELECT run, max(last_segment) AS last FROM recording_pieces WHERE stream_id = $1 AND connection = $2 "
            "GROUP BY run",
            stream_id, number,
        )  # fmt: skip
        return {row["run"]: row["last"] for row in rows}

    async def heard(self, connection: Connection, shelves: Sequence[Shelved], now: datetime) -> None:
        """Somebody still holds pieces of these, or will."""
        await connection.execute(
            "UPDATE recording_connections c SET heard_at = $3 FROM unnest($1::uuid[], $2::int[]) AS s(id, number) "
            "WHERE c.stream_id = s.id AND c.connection = s.number",
            [stream_id for stream_id, _ in shelves], [number for _, number in shelves], now,
        )  # fmt: skip

    async def close(self, connection: Connection, stream_id: str, number: int, now: datetime) -> None:
        """All of its pieces are stored."""
        await connection.execute(
            "UPDATE recording_connections SET closed_at = $3 WHERE stream_id = $1 AND connection = $2 "
            "AND closed_at IS NULL",
            stream_id, number, now,
        )  # fmt: skip

    async def cut_short(self, connection: Connection, stream_id: str, why: str) -> None:
        """The first reason stays."""
        await connection.execute(
            "UPDATE recordings SET cut_short = $2 WHERE stream_id = $1 AND cut_short IS NULL", stream_id, why
        )

    async def recorded(self, connection: Connection, stream_ids: Sequence[str]) -> set[str]:
        """Those of which what is sent now is to be recorded."""
        rows = await connection.fetch("SELECT id FROM streams WHERE id = ANY($1::uuid[]) AND record", list(stream_ids))
        return {str(row["id"]) for row in rows}

    # --- what the worker does

    async def claim(self, connection: Connection, now: datetime, until: datetime, patience: timedelta) -> Due | None:
        """The next one that is due, which nobody else sees before `until`: its stream has ended, and all pieces are
        there or nobody who has them was heard of for so long. It counts as failed until it is told otherwise."""
        row = await connection.fetchrow(
            "UPDATE recordings SET next_at = $2, attempts = attempts + 1, failures = failures + 1, "
            "first_tried_at = coalesce(first_tried_at, $1) WHERE stream_id = ("
            "SELECT r.stream_id FROM recordings r JOIN streams s ON s.id = r.stream_id "
            "WHERE r.state <> 'done' AND r.next_at <= $1 AND s.status = 'ended' AND NOT EXISTS ("
            "SELECT 1 FROM recording_connections c WHERE c.stream_id = r.stream_id AND r.state = 'open' "
            "AND c.closed_at IS NULL AND c.heard_at > $3) "
            "ORDER BY r.next_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED) "
            "RETURNING stream_id, state, video_id, cut_short, attempts, failures, first_tried_at",
            now, until, now - patience,
        )  # fmt: skip
        if row is None:
            return None
        video_id = str(row["video_id"]) if row["video_id"] else None
        return Due(
            str(row["stream_id"]),
            row["state"],
            video_id,
            row["cut_short"],
            row["attempts"],
            row["failures"],
            row["first_tried_at"],
        )

    async def hold(self, connection: Connection, stream_id: str, attempt: int, until: datetime) -> bool:
        """Go on for longer; false when somebody else has it."""
        status: str = await connection.execute(
            "UPDATE recordings SET next_at = $3 WHERE stream_id = $1 AND attempts = $2", stream_id, attempt, until
        )
        return status == "UPDATE 1"

    async def forgive(self, connection: Connection, due: Due) -> None:
        """What went wrong does not count."""
        await connection.execute(
            "UPDATE recordings SET failures = greatest(failures - 1, 0) WHERE stream_id = $1 AND attempts = $2",
            due.stream_id, due.attempts,
        )  # fmt: skip

    async def failed(self, connection: Connection, due: Due, video_id: str, until: datetime) -> bool:
        """It is given up; pieces are kept so long. False when somebody else has this recording now."""
        status: str = await connection.execute(
            "UPDATE recordings SET state = 'failed', video_id = $3, next_at = $4 "
            "WHERE stream_id = $1 AND attempts = $2 AND state = 'open'",
            due.stream_id, due.attempts, video_id, until,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def again(self, connection: Connection, video_id: str, now: datetime) -> bool:
        """Try what failed once more; also true when that was said before, and it is not made yet."""
        status: str = await connection.execute(
            "UPDATE recordings SET state = 'open', next_at = $2, attempts = 0, failures = 0, first_tried_at = NULL "
            "WHERE video_id = $1 AND state = 'failed'",
            video_id, now,
        )  # fmt: skip
        if status == "UPDATE 1":
            return True
        wanted = "SELECT EXISTS (SELECT 1 FROM recordings WHERE video_id = $1 AND state = 'open')"
        return bool(await connection.fetchval(wanted, video_id))

    async def spent(self, connection: Connection, due: Due) -> bool:
        """Nobody asked for a second try in time; false when somebody just did."""
        status: str = await connection.execute(
            "UPDATE recordings SET state = 'spent' WHERE stream_id = $1 AND state IN ('failed', 'spent')", due.stream_id
        )
        return status == "UPDATE 1"

    async def pieces(self, connection: Connection, stream_id: str) -> list[Piece]:
        """In the order they were sent."""
        rows = await connection.fetch(
            "SELECT * FROM recording_pieces WHERE stream_id = $1 ORDER BY started_at, run, first_segment",
            stream_id,
        )
        return [
            Piece(
                stream_id=str(row["stream_id"]),
                connection=row["connection"],
                run=row["run"],
                first_segment=row["first_segment"],
                last_segment=row["last_segment"],
                size_bytes=row["size_bytes"],
                started_at=row["started_at"],
                tracks=tuple(msgspec.json.decode(row["tracks"], type=list[Track])),
            )
            for row in rows
        ]

    async def made(self, connection: Connection, due: Due, video_id: str, next_at: datetime) -> bool:
        """The video has a file of its own; false when somebody else has this recording now."""
        status: str = await connection.execute(
            "UPDATE recordings SET state = 'made', video_id = $3, next_at = $4, attempts = 0 "
            "WHERE stream_id = $1 AND attempts = $2 AND state = 'open'",
            due.stream_id, due.attempts, video_id, next_at,
        )  # fmt: skip
        return status == "UPDATE 1"

    async def done(self, connection: Connection, stream_id: str) -> None:
        """Nothing is left of it but that it was."""
        await connection.execute("UPDATE recordings SET state = 'done' WHERE stream_id = $1", stream_id)
        await connection.execute("DELETE FROM recording_connections WHERE stream_id = $1", stream_id)
