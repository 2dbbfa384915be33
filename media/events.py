"""What happens to a live stream, told to the rest of the platform after it was committed."""

from typing import ClassVar, Literal

from infra.events import Event

StreamStatus = Literal["created", "live", "interrupted", "ended"]


class StreamChanged(Event, frozen=True, kw_only=True):
    """Base: everything a room or a page needs to show the stream, so that nobody has to ask the database."""

    stream_id: str
    creator_id: str
    creator_name: str
    title: str
    category: str | None
    status: StreamStatus


class StreamCreated(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.created"


class StreamWentLive(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.went_live"


class StreamInterrupted(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.interrupted"


class StreamResumed(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.resumed"


class StreamEnded(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.ended"
    reason: str


STREAM_EVENTS: tuple[type[StreamChanged], ...] = (
    StreamCreated,
    StreamWentLive,
    StreamInterrupted,
    StreamResumed,
    StreamEnded,
)
