"""The life of a live stream as pure decisions: created -> live <-> interrupted -> ended.

Nothing here reads a clock or a database: every function takes the stream and the moment and gives back the stream as
it is then, the very same object when nothing changes. Who calls them holds the row's lock (`streams.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from media.errors import StreamIsOver
from media.events import (
    Audience,
    StreamChanged,
    StreamDescribed,
    StreamEnded,
    StreamInterrupted,
    StreamResumed,
    StreamStatus,
    StreamWentLive,
)

Latency = Literal["low", "standard"]
EndReason = Literal["stopped_by_creator", "stopped_by_admin", "encoder_gone", "never_started"]
Change = Literal["went_live", "interrupted", "resumed", "ended"]

NEVER_STARTED_AFTER = timedelta(hours=12)  # a creator may prepare a stream in the morning for the evening

# Every change of status there is. An encoder that connects to a live stream (the live process died and its successor
# was quicker than the sweeper) changes nothing that anybody sees.
CHANGES: Mapping[tuple[StreamStatus, StreamStatus], Change] = {
    ("created", "live"): "went_live",
    ("live", "interrupted"): "interrupted",
    ("interrupted", "live"): "resumed",
    ("created", "ended"): "ended",
    ("live", "ended"): "ended",
    ("interrupted", "ended"): "ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One live stream. `playback_id` is its public name in URLs; the key is not here, nobody can read it back."""

    id: str
    creator_id: str
    creator_name: str
    playback_id: str
    title: str
    category: str | None
    latency: Latency
    status: StreamStatus
    created_at: datetime
    started_at: datetime | None = None
    connected_at: datetime | None = None
    interrupted_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    connections: int = 0
    described_at: datetime | None = None
    record: bool = True  # what is sent while this is so becomes a video
    visibility: Audience = "public"

    @property
    def is_over(self) -> bool:
        return self.status == "ended"

    @property
    def changed_at(self) -> datetime:
        """Since when status, title and category are what they are; the `at` of the event that told it."""
        moments = (self.created_at, self.connected_at, self.interrupted_at, self.ended_at, self.described_at)
        return max(moment for moment in moments if moment)


def connect(stream: Stream, now: datetime) -> Stream:
    """An encoder sends pictures. Raises `StreamIsOver`: an ended stream never comes back."""
    if stream.is_over:
        raise StreamIsOver(stream_id=stream.id)
    return replace(
        stream,
        status="live",
        started_at=stream.started_at or now,
        connected_at=now,
        interrupted_at=None,
        connections=stream.connections + 1,
    )


def drop(stream: Stream, now: datetime) -> Stream:
    """The encoder is gone; it may come back. Late news about a stream that is not live changes nothing."""
    return replace(stream, status="interrupted", interrupted_at=now) if stream.status == "live" else stream


def heal(stream: Stream, now: datetime) -> Stream:
    """The encoder of the last connection publishes after all: what said that it was gone was wrong."""
    if stream.status != "interrupted":
        return stream
    return replace(stream, status="live", connected_at=now, interrupted_at=None)


def end(stream: Stream, reason: EndReason, now: datetime) -> Stream:
    """Over for good. The first reason stays."""
    return stream if stream.is_over else replace(stream, status="ended", ended_at=now, end_reason=reason)


def describe(stream: Stream, title: str, category: str | None, now: datetime) -> Stream:
    """Another title and category. Raises `StreamIsOver`: what a stream was called stays."""
    if stream.is_over:
        raise StreamIsOver(stream_id=stream.id)
    if (stream.title, stream.category) == (title, category):
        return stream
    return replace(stream, title=title, category=category, described_at=now)


def record(stream: Stream, *, record: bool) -> Stream:
    """Record what is sent from now on, or not. Raises `StreamIsOver`."""
    if stream.is_over:
        raise StreamIsOver(stream_id=stream.id)
    return stream if stream.record == record else replace(stream, record=record)


def overdue(stream: Stream, now: datetime, reconnect: timedelta) -> EndReason | None:
    """Why the stream must end by itself now, or None while it may go on."""
    if stream.status == "interrupted" and stream.interrupted_at and now - stream.interrupted_at >= reconnect:
        return "encoder_gone"
    if stream.status == "created" and now - stream.created_at >= NEVER_STARTED_AFTER:
        return "never_started"
    return None


def end_if_overdue(stream: Stream, now: datetime, reconnect: timedelta) -> Stream:
    """The stream, ended when it is overdue."""
    reason = overdue(stream, now, reconnect)
    return end(stream, reason, now) if reason else stream


def change_between(before: Stream, after: Stream) -> Change | None:
    """The name of what happened, or None when the status is the same."""
    return None if before.status == after.status else CHANGES[before.status, after.status]


class Shown(TypedDict):
    """What every event of a stream tells."""

    stream_id: str
    creator_id: str
    creator_name: str
    title: str
    category: str | None
    status: StreamStatus
    visibility: Audience


def shown(stream: Stream) -> Shown:
    """The part of a stream that rooms and pages show."""
    return {
        "stream_id": stream.id,
        "creator_id": stream.creator_id,
        "creator_name": stream.creator_name,
        "title": stream.title,
        "category": stream.category,
        "status": stream.status,
        "visibility": stream.visibility,
    }


def event_of(before: Stream, after: Stream, at: datetime) -> StreamChanged | None:
    """What the rest of the platform is told about a change."""
    match change_between(before, after):
        case "went_live":
            return StreamWentLive(at=at, **shown(after))
        case "interrupted":
            return StreamInterrupted(at=at, **shown(after))
        case "resumed":
            return StreamResumed(at=at, **shown(after))
        case "ended":
            return StreamEnded(at=at, reason=str(after.end_reason), **shown(after))
        case None if (before.title, before.category) != (after.title, after.category):
            return StreamDescribed(
                at=at, previous_title=before.title, previous_category=before.category, **shown(after)
            )
        case None:
            return None
