"""What happens to a live stream, told to the rest of the platform after it was committed."""

from typing import ClassVar, Literal

from infra.events import Event

StreamStatus = Literal["created", "live", "interrupted", "ended"]
Audience = Literal["public", "premium"]


class StreamChanged(Event, frozen=True, kw_only=True):
    """Base: everything a room or a page needs to show the stream, so that nobody has to ask the database."""

    stream_id: str
    creator_id: str
    creator_name: str
    title: str
    category: str | None
    status: StreamStatus
    visibility: Audience = "public"


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


class VideoChanged(Event, frozen=True, kw_only=True):
    """Something that search, lists or pages show of the video is new; `revision` as in the document.

    Says what to look at, not what it is: who needs more reads the document. Published after each change and, when
    that was lost, again (`media/catalog/announcing.py`); a gap in `revision` means nothing.
    """

    topic: ClassVar[str] = "video.changed"
    video_id: str
    creator_id: str
    revision: int


class VideoDeleted(Event, frozen=True, kw_only=True):
    """Nobody may see it any more. Files, index and edges follow."""

    topic: ClassVar[str] = "video.deleted"
    video_id: str
    creator_id: str
    revision: int


class VideoProgress(Event, frozen=True, kw_only=True):
    """How far the making of a video is, at most once a second for each: for its creator's open pages, kept nowhere.

    `done` is 0 to 1; `eta_seconds` is None while it cannot be told; `playable` from the first rendition on.
    """

    topic: ClassVar[str] = "video.progress"
    video_id: str
    creator_id: str
    status: Literal["uploading", "processing", "ready", "failed"]
    stage: Literal["queued", "checking", "encoding", "finishing", "done", "failed"]
    done: float
    eta_seconds: float | None
    playable: bool
    attempt: int = 1
    message: str | None = None


class TranscodeRequested(Event, frozen=True, kw_only=True):
    """There is work for the transcoders. A nudge: the work itself stands in PostgreSQL, and is found without it too."""

    topic: ClassVar[str] = "transcode.requested"
    video_id: str
