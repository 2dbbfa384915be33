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


class StreamDescribed(StreamChanged, frozen=True, kw_only=True):
    """Another title or category; the status is as it was."""

    topic: ClassVar[str] = "stream.described"
    previous_title: str
    previous_category: str | None


class StreamEnded(StreamChanged, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stream.ended"
    reason: str


class StreamKeyReset(Event, frozen=True, kw_only=True):
    """The key of an open stream was replaced: whoever publishes with the old one must be disconnected.

    Not among `STREAM_EVENTS`: nothing that a viewer sees has changed. The key itself never travels.
    """

    topic: ClassVar[str] = "stream.key_reset"
    stream_id: str
    creator_id: str


STREAM_EVENTS: tuple[type[StreamChanged], ...] = (
    StreamCreated,
    StreamWentLive,
    StreamInterrupted,
    StreamResumed,
    StreamDescribed,
    StreamEnded,
)
