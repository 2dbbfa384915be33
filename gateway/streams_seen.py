"""What the dashboard of earnings shows beside a stream's revenue: who watched and how much was said.

Implements `payments.figures.StreamsSeen` from the streams and their time lines. Without MongoDB the streams are there
and those figures are unknown: nobody should miss what they earned because a chart is away.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.logs import get_logger
from infra.stores.mongo import Mongo, MongoUnavailable
from infra.stores.postgres import Postgres
from media.live.timeline import READINGS
from payments.figures import StreamSeen

log = get_logger(__name__)


class ChartedStreams:
    """Streams with the figures of their charts. Raises `PostgresUnavailable`."""

    def __init__(self, db: Postgres, mongo: Mongo) -> None:
        self._db = db
        self._mongo = mongo

    async def seen(self, creator_id: str, since: datetime, until: datetime, limit: int) -> Sequence[StreamSeen]:
        """Streams that went live between these, the newest first."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(
                "SELECT id::text, title, started_at, ended_at FROM streams WHERE creator_id = $1 "
                "AND started_at >= $2 AND started_at < $3 ORDER BY created_at DESC LIMIT $4",
                creator_id, since, until, limit,
            )  # fmt: skip
        charts = await self._charts([row["id"] for row in rows])
        return [_seen({**row, **charts.get(row["id"], {})}) for row in rows]

    async def _charts(self, stream_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        if not stream_ids:
            return {}
        steps: list[dict[str, Any]] = [
            {"$match": {"stream_id": {"$in": list(stream_ids)}}},
            {
                "$group": {
                    "_id": "$stream_id", "peak": {"$max": "$peak"}, "average": {"$avg": "$viewers"},
                    "first": {"$min": "$entries"}, "last": {"$max": "$entries"},
                }
            },
        ]  # fmt: skip
        try:
            async with self._mongo.analytics(READINGS) as collection:
                found = await (await collection.aggregate(steps)).to_list()
        except MongoUnavailable:
            log.info("earnings.charts_away")
            return {}
        return {one["_id"]: one for one in found}


def _seen(row: Mapping[str, Any]) -> StreamSeen:
    first, last, average = row.get("first"), row.get("last"), row.get("average")
    return StreamSeen(
        id=row["id"],
        title=row["title"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        peak_viewers=row.get("peak"),
        average_viewers=None if average is None else round(average, 1),
        # What was said before the first reading was said while nothing was on air, or in its first ten seconds.
        messages=None if first is None or last is None else last - first,
    )
