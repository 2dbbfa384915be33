"""The nouns of uploads, and the decisions that need nothing else."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from infra.settings import VodSettings
from media.catalog.details import clean_description, clean_tags
from media.catalog.model import Video, Visibility
from media.live.titles import DIRECTION_MARKS, REFUSED_CATEGORIES, clean_category, clean_title
from media.vod.errors import QuotaExceeded, TooManyUploads, UploadTooLarge
from media.vod.parts import MOST_PARTS, SMALLEST_PART_BYTES, ReceivedPart, part_count
from media.vod.scratch import largest_source

State = Literal["open", "stored", "refused", "aborted"]

MAX_FILE_NAME = 200
NAMELESS = "video"
# A part is held in memory on its way through us, so it is as short as S3 takes them: at most 48 GiB this way.
FORM_PART_BYTES = SMALLEST_PART_BYTES
FORM_MOST_BYTES = FORM_PART_BYTES * MOST_PARTS
FORM_FIELDS_BYTES = 64 * 1024  # what a form may have besides the file


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """What a creator wants to upload. `size_bytes` is 0 for a form, whose file is as long as it turns out to be."""

    title: str
    file_name: str
    size_bytes: int = 0
    description: str = ""
    tags: Sequence[str] = ()
    category: str | None = None
    visibility: Visibility = "public"

    def cleaned(self) -> "NewUpload":
        """With texts as we keep them. Raises `TextRefused`."""
        return msgspec.structs.replace(
            self,
            title=clean_title(self.title),
            file_name=clean_file_name(self.file_name),
            description=clean_description(self.description),
            tags=clean_tags(self.tags),
            category=clean_category(self.category),
        )

    def sum(self) -> bytes:
        """Tells two wishes apart."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `uploads`; `key` is the name in the object store."""

    video_id: str
    creator_id: str
    key: str
    multipart_id: str | None
    is_form: bool
    file_name: str
    size_bytes: int
    part_bytes: int
    sha256: bytes | None
    state: State
    settled: bool
    request_sum: bytes | None
    created_at: datetime
    expires_at: datetime

    @property
    def parts(self) -> int:
        return part_count(self.size_bytes, self.part_bytes)


class Progress(msgspec.Struct, frozen=True):
    """An upload and what is there of it; `sums` are the SHA-256 its parts were signed with."""

    upload: Upload
    received: Sequence[ReceivedPart]
    sums: dict[int, bytes]


class Opened(msgspec.Struct, frozen=True):
    """A video that is being uploaded."""

    video: Video
    upload: Progress


class Usage(msgspec.Struct, frozen=True):
    """What the uploads of an account take."""

    used_bytes: int
    limit_bytes: int
    unfinished: int = 0


class SignedPart(msgspec.Struct, frozen=True):
    """Where one part goes, by PUT, with exactly these headers."""

    number: int
    url: str
    headers: dict[str, str]


class Signed(msgspec.Struct, frozen=True):
    """URLs that are good until `expires_at`."""

    urls: list[SignedPart]
    expires_at: datetime


class Unfinished(msgspec.Struct, frozen=True):
    """All one can go on with."""

    uploads: list[Opened]
    usage: Usage


def clean_file_name(name: str) -> str:
    """What is worth showing of a file's name: the last step of a path, without what hides or turns text.

    Never refused, and never used for anything but showing it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        character
        for character in last
        if character not in DIRECTION_MARKS and unicodedata.category(character) not in REFUSED_CATEGORIES
    )
    return kept.strip()[:MAX_FILE_NAME].strip() or NAMELESS


def largest_upload(settings: VodSettings) -> int:
    """No file is taken that our transcoders could never hold."""
    return min(settings.upload_max_bytes, largest_source(settings.scratch_bytes))


def room_for(wanted_bytes: int, usage: Usage, settings: VodSettings) -> None:
    """Whether one more upload of this size may begin. Raises `UploadTooLarge`, `TooManyUploads`, `QuotaExceeded`."""
    if wanted_bytes > (largest := largest_upload(settings)):
        raise UploadTooLarge(max_bytes=largest)
    if usage.unfinished >= settings.open_uploads:
        raise TooManyUploads(limit=settings.open_uploads)
    if usage.used_bytes + wanted_bytes > usage.limit_bytes:
        raise QuotaExceeded(used_bytes=usage.used_bytes, limit_bytes=usage.limit_bytes)


def form_reserves(announced_bytes: int | None, usage: Usage, settings: VodSettings) -> int:
    """How much a form sets aside: what its request announced, or all that may be when it announced nothing."""
    largest = min(largest_upload(settings), FORM_MOST_BYTES)
    if announced_bytes is None:
        return max(1, min(largest, usage.limit_bytes - usage.used_bytes))
    if announced_bytes > largest + FORM_FIELDS_BYTES:
        raise UploadTooLarge(max_bytes=largest)
    return max(1, min(announced_bytes, largest))


def as_uploading(video_id: str, wanted: NewUpload, creator_id: str, creator_name: str, now: datetime) -> Video:
    """The document of a video that is on its way."""
    now -= timedelta(microseconds=now.microsecond % 1000)  # as exact as MongoDB keeps it
    return Video(
        id=video_id,
        creator_id=creator_id,
        creator_name=creator_name,
        title=wanted.title,
        description=wanted.description,
        tags=list(wanted.tags),
        category=wanted.category,
        visibility=wanted.visibility,
        created_at=now,
        updated_at=now,
    )
