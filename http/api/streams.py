"""Live streams under `/streams`: start, find, play, stop. The rules are in `media/live/`."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter, SkipValidation
from msgspec import Meta

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from api.playback import with_cookies
from infra.errors import Unauthenticated
from media.delivery.playback import Playback
from media.errors import (
    CreatorsOnly,
    NothingToPlayYet,
    NotYourStream,
    PremiumOnly,
    StreamAlreadyOpen,
    StreamIsOver,
    StreamNotFound,
    TextRefused,
)
from media.events import Audience, StreamStatus
from media.live.listing import page_of
from media.live.state import Latency, Stream
from media.live.streams import KEEP, Ingest, Streams
from media.live.titles import MAX_CATEGORY, MAX_TITLE
from media.ports import Health, HealthWarning
from realtime.ports import ViewerCounts

START_EXAMPLE = {"title": "A morning by the sea", "category": "Nature", "latency": "low"}

# A protocol: there is no class to check what is passed in against.
Viewers = NamedDependency[SkipValidation[ViewerCounts]]
StreamId = FromPath[str]
Limit = Annotated[int, QueryParameter(ge=1, le=50, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next_cursor` of the page before.")]


class StartStream(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
    latency: Latency
    category: Annotated[str, Meta(max_length=MAX_CATEGORY)] | None = None
    record: bool = True
    visibility: Audience = "public"


class DescribeStream(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays; a category of null is none. `record` holds for what is sent from then on."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)] | msgspec.UnsetType = msgspec.UNSET
    category: Annotated[str, Meta(max_length=MAX_CATEGORY)] | msgspec.UnsetType | None = msgspec.UNSET
    record: bool | msgspec.UnsetType = msgspec.UNSET


class StreamCreator(msgspec.Struct, frozen=True):
    """Who broadcasts."""

    id: str
    display_name: str


class LiveStream(msgspec.Struct, frozen=True, kw_only=True):
    """A live stream as everybody may see it."""

    id: str
    title: str
    category: str | None
    latency: Latency
    status: StreamStatus
    creator: StreamCreator
    viewers: int
    peak_viewers: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    record: bool  # becomes a video when it has ended
    visibility: Audience


class IngestAddress(msgspec.Struct, frozen=True):
    """What the encoder needs. The key is shown in this one answer and cannot be read again."""

    url: str
    key: str


class StartedStream(LiveStream, frozen=True, kw_only=True):
    """A new stream, with the address to send pictures to."""

    ingest: IngestAddress


class StreamPage(msgspec.Struct, frozen=True):
    """What is live and interrupted now, most viewers first."""

    streams: list[LiveStream]
    next_cursor: str | None


class EncoderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the encoder does, a few seconds ago at most."""

    bitrate_kbps: float
    fps: float
    keyframe_interval_seconds: float
    width: int
    height: int
    video_codec: str
    audio_codec: str
    drift_ms: float
    connected_at: datetime
    warnings: list[HealthWarning]


class MyStream(msgspec.Struct, frozen=True):
    """The own stream that is not over yet."""

    stream: LiveStream | None
    health: EncoderHealth | None


class Manifest(msgspec.Struct, frozen=True):
    """Where players begin, and when to ask again for cookies that last."""

    url: str
    expires_at: datetime
    renew_seconds: float


class NewKey(msgspec.Struct, frozen=True):
    """The key that replaces the one before."""

    ingest: IngestAddress


class StreamController(Controller):
    path = "/streams"
    tags = ("Streams",)
    response_headers = NO_STORE

    @post(
        "/start",
        guards=[signed_in],
        operation_id="startStream",
        summary="Open a live stream",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, CreatorsOnly, StreamAlreadyOpen, body=True),
    )
    async def start(
        self,
        data: Annotated[
            StartStream, Body(examples=[Example(summary="as a person would send it", value=START_EXAMPLE)])
        ],
        streams: NamedDependency[Streams],
        identity: NamedDependency[Identity],
    ) -> StartedStream:
        started = await streams.start(
            identity, data.title, data.category, data.latency, record=data.record, visibility=data.visibility
        )
        shown = live_stream(started.stream, viewers=0, peak_viewers=0)
        return StartedStream(**msgspec.structs.asdict(shown), ingest=ingest_address(started.ingest))

    @get("/", operation_id="listStreams", summary="What is live now", responses=problems())
    async def list_live(
        self,
        streams: NamedDependency[Streams],
        viewers: Viewers,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> StreamPage:
        on_air = await streams.list_live()
        page = page_of(on_air, await viewers.counts([stream.id for stream in on_air]), cursor, limit)
        peaks = await viewers.peaks([stream.id for stream, _ in page.streams])
        shown = [live_stream(stream, count, peaks.get(stream.id, 0)) for stream, count in page.streams]
        return StreamPage(shown, page.next_cursor)

    @get(
        "/mine",
        guards=[signed_in],
        operation_id="getMyStream",
        summary="The own stream that is not over yet",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, CreatorsOnly),
    )
    async def mine(
        self,
        streams: NamedDependency[Streams],
        viewers: Viewers,
        identity: NamedDependency[Identity],
    ) -> MyStream:
        stream, health = await streams.mine(identity)
        return MyStream(
            await watched(stream, viewers) if stream else None,
            encoder_health(health) if health else None,
        )

    @get("/{stream_id:str}", operation_id="getStream", summary="One live stream", responses=problems(StreamNotFound))
    async def get_one(self, stream_id: StreamId, streams: NamedDependency[Streams], viewers: Viewers) -> LiveStream:
        return await watched(await streams.get(stream_id), viewers)

    @get(
        "/{stream_id:str}/manifest",
        operation_id="getManifest",
        summary="Where to play the stream; the answer's cookies open it, and asking again renews them",
        responses=problems(StreamNotFound, NothingToPlayYet, StreamIsOver, Unauthenticated, PremiumOnly),
    )
    async def manifest(
        self,
        stream_id: StreamId,
        streams: NamedDependency[Streams],
        playback: NamedDependency[Playback],
        maybe_identity: NamedDependency[Identity | None],
    ) -> Response[Manifest]:
        stream = await streams.get(stream_id)
        opened = playback.of_stream(stream, maybe_identity)
        url = await streams.manifest_url(stream)
        return with_cookies(Manifest(url, opened.expires_at, opened.renew_seconds), opened)

    @patch(
        "/{stream_id:str}",
        guards=[signed_in],
        operation_id="describeStream",
        summary="Change title, category or whether to record, while live too",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StreamNotFound, NotYourStream, StreamIsOver, TextRefused, body=True),
    )
    async def describe(
        self,
        stream_id: StreamId,
        data: Annotated[
            DescribeStream, Body(examples=[Example(summary="another title", value={"title": "An evening by the sea"})])
        ],
        streams: NamedDependency[Streams],
        viewers: Viewers,
        identity: NamedDependency[Identity],
    ) -> LiveStream:
        described = await streams.describe(
            stream_id,
            identity,
            title=None if data.title is msgspec.UNSET else data.title,
            category=KEEP if data.category is msgspec.UNSET else data.category,
            record=None if data.record is msgspec.UNSET else data.record,
        )
        return await watched(described, viewers)

    @post(
        "/{stream_id:str}/stop",
        status_code=200,
        guards=[signed_in],
        operation_id="stopStream",
        summary="End the stream for everybody",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StreamNotFound, NotYourStream),
    )
    async def stop(
        self,
        stream_id: StreamId,
        streams: NamedDependency[Streams],
        viewers: Viewers,
        identity: NamedDependency[Identity],
    ) -> LiveStream:
        return await watched(await streams.stop(stream_id, identity), viewers)

    @post(
        "/{stream_id:str}/key",
        status_code=200,
        guards=[signed_in],
        operation_id="resetStreamKey",
        summary="Replace the stream key; the encoder that uses the old one is disconnected",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, StreamNotFound, NotYourStream, StreamIsOver),
    )
    async def reset_key(
        self, stream_id: StreamId, streams: NamedDependency[Streams], identity: NamedDependency[Identity]
    ) -> NewKey:
        return NewKey(ingest_address(await streams.reset_key(stream_id, identity)))


async def watched(stream: Stream, viewers: ViewerCounts) -> LiveStream:
    """The stream with its viewers of this moment and the most there were."""
    counts, peaks = await viewers.counts([stream.id]), await viewers.peaks([stream.id])
    return live_stream(stream, counts.get(stream.id, 0), peaks.get(stream.id, 0))


def live_stream(stream: Stream, viewers: int, peak_viewers: int) -> LiveStream:
    return LiveStream(
        id=stream.id,
        title=stream.title,
        category=stream.category,
        latency=stream.latency,
        status=stream.status,
        creator=StreamCreator(stream.creator_id, stream.creator_name),
        viewers=viewers,
        peak_viewers=max(viewers, peak_viewers),
        created_at=stream.created_at,
        started_at=stream.started_at,
        ended_at=stream.ended_at,
        record=stream.record,
        visibility=stream.visibility,
    )


def ingest_address(ingest: Ingest) -> IngestAddress:
    return IngestAddress(ingest.url, ingest.key)


def encoder_health(health: Health) -> EncoderHealth:
    """The report without what only we need."""
    return msgspec.convert(health, EncoderHealth, from_attributes=True)
