"""Videos as answers show them: the document without what is ours, with what the asker has to do with it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from accounts.model import Identity
from media.catalog.history import Watched
from media.catalog.library import Library
from media.catalog.model import Captions, Failure, Recording, Rendition, Video, VideoStatus, Visibility
from media.catalog.sight import may_change


class VideoCreator(msgspec.Struct, frozen=True):
    """Whose it is."""

    id: str
    display_name: str


class ShownMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the file. `thumbnails` are addresses, the poster first; `duration` is in seconds."""

    duration: float
    file_size: int
    thumbnails: list[str]
    storyboard: str | None
    width: int
    height: int
    fps: float
    checksum_sha256: str | None


class ShownVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video. `failure` and `stored_bytes` are for its owner and admins, `liked` and `resume_seconds` for who signed
    in."""

    id: str
    title: str
    description: str
    tags: list[str]
    category: str | None
    creator: VideoCreator
    visibility: Visibility
    status: VideoStatus
    playable: bool
    playback_urls: list[Rendition]
    captions: list[Captions]
    metadata: ShownMetadata
    view_count: int
    like_count: int
    recording: Recording | None
    created_at: datetime
    published_at: datetime | None
    updated_at: datetime
    revision: int
    failure: Failure | UnsetType | None = UNSET
    stored_bytes: int | UnsetType = UNSET
    liked: bool | UnsetType = UNSET
    resume_seconds: float | UnsetType = UNSET


class VideoPage(msgspec.Struct, frozen=True):
    """Some videos, and where to go on (null: that was all)."""

    videos: list[ShownVideo]
    next_cursor: str | None


class VideoShelf:
    """Shows videos to somebody."""

    def __init__(self, library: Library, edge_url: str) -> None:
        self._library = library
        self._edge_url = edge_url.rstrip("/")

    async def one(self, video: Video, who: Identity | None) -> ShownVideo:
        """With what they like and where they stopped. Raises `MongoUnavailable`."""
        return (await self.many([video], who))[0]

    async def many(self, videos: Sequence[Video], who: Identity | None) -> list[ShownVideo]:
        """The same for several, with two questions for all of them."""
        if who is None or not videos:
            return [shown(video, self._edge_url, None) for video in videos]
        video_ids = [video.id for video in videos]
        liked = await self._library.likes.of(who.user_id, video_ids)
        watched = await self._library.history.of(who.user_id, video_ids)
        return [
            shown(video, self._edge_url, who, liked=video.id in liked, watched=watched.get(video.id))
            for video in videos
        ]


def shown(
    video: Video, edge_url: str, who: Identity | None, *, liked: bool = False, watched: Watched | None = None
) -> ShownVideo:
    """The video for this person."""
    told = msgspec.structs.asdict(video)
    for own in ("creator_id", "creator_name", "upload_url", "build", "announced", "failure", "metadata"):
        del told[own]
    metadata = msgspec.structs.asdict(video.metadata)
    stored_bytes = metadata.pop("stored_bytes")
    metadata["thumbnails"] = [f"{edge_url}{path}" for path in video.metadata.thumbnails]
    may_know = may_change(video, who)
    return ShownVideo(
        **told,
        metadata=ShownMetadata(**metadata),
        creator=VideoCreator(video.creator_id, video.creator_name),
        playable=video.is_playable,
        failure=video.failure if may_know else UNSET,
        stored_bytes=stored_bytes if may_know else UNSET,
        liked=UNSET if who is None else liked,
        resume_seconds=UNSET if who is None else watched.resume_seconds if watched else 0.0,
    )
