"""The chat of a live stream beside its recording, in step: what is read from the archive as it stands now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from accounts.model import Identity
from infra import cursors
from infra.clock import milliseconds
from media.catalog.model import Video
from media.recording.clock import end_of, position_of, seen_from
from realtime.archive.reader import PublicArchive

MAX_LINES = 200
# Of a cursor: a millisecond, and how many of its entries were read. What the database can count is far beyond both.
Read = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]

# The video, if this person may watch it; raises what they are refused for.
Watched = Callable[[str, Identity | None], Awaitable[Video]]


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """An entry of the room, and where in the video it was said."""

    at_seconds: float
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """`revision` grows with every removal: with another one, lines that one has may be gone."""

    lines: list[ReplayLine]
    next_cursor: str | None
    revision: int


class Replay:
    """Raises `MongoUnavailable`, and what `watched` raises."""

    def __init__(self, archive: PublicArchive, watched: Watched) -> None:
        self._archive = archive
        self._watched = watched

    async def page(
        self,
        video_id: str,
        who: Identity | None,
        from_seconds: float = 0.0,
        cursor: str | None = None,
        limit: int = 100,
    ) -> ReplayPage:
        """What was said from there on, in order; with a cursor, what follows the page it came with.

        A video that is not a recording has no chat. Raises `Invalid` for a cursor that is not ours.
        """
        after = cursors.decode(cursor, tuple[Read, Read])
        video = await self._watched(video_id, who)
        if video.recording is None or not video.recording.spans:
            return ReplayPage([], None, 0)
        spans = sorted(video.recording.spans, key=lambda span: span.at)
        since = seen_from(spans, from_seconds)
        said = await self._archive.said(
            video.recording.stream_id,
            milliseconds(since) if since else 0,
            milliseconds(end_of(spans)),
            after,
            min(limit, MAX_LINES),
        )
        lines = []
        for entry in said.entries:
            position = position_of(spans, datetime.fromtimestamp(entry["at"] / 1000, UTC))
            if position is not None:
                lines.append(ReplayLine(round(position, 3), entry))
        return ReplayPage(lines, cursors.encode(said.next) if said.next else None, said.revision)
