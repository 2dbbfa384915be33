"""The nouns of the catalogue: a video as it stands in MongoDB, and the decisions that need nothing else."""

from datetime import datetime
from typing import Any, Literal, Self

import msgspec

Visibility = Literal["public", "unlisted", "premium", "private"]
VideoStatus = Literal["uploading", "processing", "ready", "failed", "deleting"]


class Rendition(msgspec.Struct, frozen=True):
    """One quality that can be played. `url` is the path of its playlist below the edge's address."""

    resolution: str  # "480p"
    url: str
    width: int = 0
    height: int = 0
    bitrate_bps: int = 0


class Captions(msgspec.Struct, frozen=True):
    """A WebVTT file. `path` below the edge's address, behind the same cookies as the video."""

    language: str  # BCP 47, lower case
    label: str
    path: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the file. `thumbnails`: paths below the edge's address, the poster first.

    `storyboard` is the path of a WebVTT file whose cues name sprites; `checksum_sha256` is of the source, in hex.
    """

    duration: float = 0.0  # seconds
    file_size: int = 0  # bytes of the source
    thumbnails: list[str] = []
    storyboard: str | None = None
    width: int = 0
    height: int = 0
    fps: float = 0.0
    checksum_sha256: str | None = None
    stored_bytes: int = 0  # what all renditions take


class Failure(msgspec.Struct, frozen=True):
    """Why there is no video, in words for its creator; `retryable` offers the button."""

    code: str
    message: str
    retryable: bool
    at: datetime


class Span(msgspec.Struct, frozen=True):
    """A part of a recording: what happened at `at` is seen `position_seconds` into the video."""

    at: datetime
    position_seconds: float
    duration_seconds: float


class Recording(msgspec.Struct, frozen=True):
    """The live stream a video was recorded from."""

    stream_id: str
    spans: list[Span] = []


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """One video. The fields up to `created_at` are those of the design; `id` is `_id` in MongoDB.

    `build` names the folder of what can be played (`vod/<id>/<build>/`), None until something can. `revision` grows
    with every change that search or a page may show; `announced` is false until the bus has heard of the last one.
    """

    id: str
    creator_id: str
    title: str
    description: str = ""
    upload_url: str | None = None  # key of the source in the object store
    playback_urls: list[Rendition] = []
    view_count: int = 0
    metadata: Metadata = Metadata()
    created_at: datetime

    creator_name: str
    tags: list[str] = []
    category: str | None = None
    visibility: Visibility = "public"
    status: VideoStatus = "uploading"
    build: str | None = None
    like_count: int = 0
    captions: list[Captions] = []
    failure: Failure | None = None
    recording: Recording | None = None
    published_at: datetime | None = None  # when it could first be played; lists are ordered by it
    updated_at: datetime
    revision: int = 1
    announced: bool = False

    @property
    def is_playable(self) -> bool:
        return self.build is not None and self.status in ("processing", "ready")

    @property
    def is_listed(self) -> bool:
        """Whether others find it in lists and search."""
        return self.is_playable and self.visibility in ("public", "premium")

    @property
    def manifest_path(self) -> str | None:
        return f"/vod/{self.id}/{self.build}/index.m3u8" if self.build else None

    def to_document(self) -> dict[str, Any]:
        """As MongoDB keeps it: plain values, datetimes as they are."""
        document: dict[str, Any] = msgspec.to_builtins(self, builtin_types=(datetime,))
        return {"_id": document.pop("id"), **document}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Fields of a later version are left out of account."""
        return msgspec.convert({"id": document["_id"], **document}, type=cls)
