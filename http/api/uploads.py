"""Uploads under `/videos` and `/uploads`: a file in parts that go straight to storage, or as one form. The rules are in
`media/vod/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from litestar import Controller, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import Body, FromPath, HeaderParameter
from msgspec import UNSET, Meta, UnsetType

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import AnyRequest, problems
from api.identity import signed_in
from api.shown_videos import ShownVideo, shown
from api.upload_form import FILE, UploadForm
from infra.errors import Invalid
from infra.settings import VodSettings
from media.catalog.details import MAX_DESCRIPTION, MAX_TAG
from media.catalog.errors import VideoNotFound
from media.catalog.model import Visibility
from media.live.titles import MAX_CATEGORY, MAX_TITLE
from media.vod import errors
from media.vod.upload_model import FORM_FIELDS_BYTES, NewUpload, Progress
from media.vod.uploads import Uploads

FORM = "multipart/form-data"
MOST_SIGNED = 100  # parts in one answer
SHA256 = r"^[0-9a-f]{64}$"

Fields = TypeVar("Fields")
Sha256 = Annotated[str, Meta(pattern=SHA256, description="SHA-256 in hex, lower case.")]
VideoId = FromPath[str]
RequestKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text; the same text within 24 hours gets the same answer and begins nothing new.",
    ),
]


class OpenUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a creator says of a video. `content_type` is not believed: what the file is, its bytes say."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
    file_name: Annotated[str, Meta(max_length=1000)]
    size_bytes: Annotated[int, Meta(ge=1, le=5 << 40)]
    description: Annotated[str, Meta(max_length=2 * MAX_DESCRIPTION)] = ""
    tags: Annotated[list[Annotated[str, Meta(max_length=4 * MAX_TAG)]], Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )
    category: Annotated[str, Meta(max_length=MAX_CATEGORY)] | None = None
    visibility: Visibility = "public"
    content_type: Annotated[str, Meta(max_length=200)] | None = None


class ToSign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: its number, from 1 on, and what its bytes will be."""

    number: Annotated[int, Meta(ge=1, le=10_000)]
    sha256: Sha256


class SignParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parts: Annotated[list[ToSign], Meta(min_length=1, max_length=MOST_SIGNED)]


class CompleteUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sha256` of the whole file, if the sender knows it."""

    sha256: Sha256 | None = None


class Received(msgspec.Struct, frozen=True):
    """A part that is there; `sha256` as it was announced."""

    number: int
    size_bytes: int
    sha256: str | None


class UploadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All parts are `part_bytes` long, but the last."""

    state: Literal["open", "stored", "aborted"]
    file_name: str
    part_bytes: int
    parts: int
    size_bytes: int
    received: list[Received]
    expires_at: datetime


class NewVideo(msgspec.Struct, frozen=True):
    """`upload` unless the file came along."""

    video: ShownVideo
    upload: UploadAnswer | UnsetType = UNSET


class PartUrl(msgspec.Struct, frozen=True):
    """PUT exactly the announced bytes there, with exactly these headers."""

    number: int
    url: str
    headers: dict[str, str]


class PartUrls(msgspec.Struct, frozen=True):
    urls: list[PartUrl]
    expires_at: datetime


class OpenedVideo(msgspec.Struct, frozen=True):
    video: ShownVideo
    upload: UploadAnswer


class Quota(msgspec.Struct, frozen=True):
    used_bytes: int
    limit_bytes: int


class UnfinishedUploads(msgspec.Struct, frozen=True):
    """What one can go on with, newest first."""

    uploads: list[OpenedVideo]
    quota: Quota


def text(longest: int | None = None) -> Schema:
    return Schema(type=OpenAPIType.STRING, max_length=longest)


FIELDS: Mapping[str, Schema] = {
    "title": Schema(type=OpenAPIType.STRING, min_length=1, max_length=MAX_TITLE),
    "description": text(),
    "tags": Schema(type=OpenAPIType.ARRAY, items=text()),
    "category": text(MAX_CATEGORY),
    "visibility": Schema(type=OpenAPIType.STRING, enum=list(get_args(Visibility))),
}
AS_JSON = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        **FIELDS,
        "file_name": text(1000),
        "size_bytes": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=5 << 40),
        "content_type": text(200),
    },
    required=["title", "file_name", "size_bytes"],
    additional_properties=False,
)
AS_FORM = Schema(
    type=OpenAPIType.OBJECT,
    properties={**FIELDS, FILE: Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)},
    required=["title", FILE],
)


@dataclass
class EitherBody(Operation):
    """Litestar describes one kind of body for an address; this one takes two."""

    def __post_init__(self) -> None:
        content = {"application/json": OpenAPIMediaType(AS_JSON), FORM: OpenAPIMediaType(AS_FORM)}
        self.request_body = RequestBody(content, "A resumable upload, or the fields and last the file.", required=True)


class NewVideoController(Controller):
    """The one address that takes a body of any size: its router lifts the limit."""

    path = "/videos"
    tags = ("Uploads",)
    response_headers = NO_STORE

    @post(
        "/",
        guards=[signed_in],
        operation_id="openUpload",
        operation_class=EitherBody,
        summary="Begin to upload a video, or send it at once as a form",
        security=KNOWN_USER,
        opt={"content_types": ("application/json", FORM)},
        responses=problems(
            *NEEDS_USER, errors.PublishersOnly, errors.UploadTooLarge, errors.QuotaExceeded, errors.TooManyUploads,
            errors.RequestKeyReused, errors.NotAVideo, errors.FormRefused, errors.UploadTooSlow, errors.UploadsBusy,
            errors.UploadAborted, errors.UploadIsAForm,
            body=True,
        ),
    )  # fmt: skip
    async def open(
        self,
        request: AnyRequest,
        uploads: NamedDependency[Uploads],
        edge_url: NamedDependency[str],
        identity: NamedDependency[Identity],
        request_key: RequestKey = None,
    ) -> NewVideo:
        kind, options = request.content_type
        if kind != FORM:
            opened = await uploads.open(identity, as_wanted(converted(await request.json(), OpenUpload)), request_key)
            return NewVideo(shown(opened.video, edge_url, identity), upload_answer(opened.upload))
        form = UploadForm(request.stream(), options.get("boundary", ""))
        wanted = as_wanted(form_fields(await form.fields(), form.file_name))
        announced = request.headers.get("content-length", "")
        at_most = int(announced) if announced.isdigit() else None
        video = await uploads.store(identity, wanted, form.file(), at_most=at_most, request_key=request_key)
        return NewVideo(shown(video, edge_url, identity))


class UploadController(Controller):
    tags = ("Uploads",)
    response_headers = NO_STORE

    @get(
        "/videos/{video_id:str}/upload",
        guards=[signed_in],
        operation_id="getUpload",
        summary="What is there of an upload",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, VideoNotFound),
    )
    async def state(
        self, video_id: VideoId, uploads: NamedDependency[Uploads], identity: NamedDependency[Identity]
    ) -> UploadAnswer:
        return upload_answer(await uploads.state(identity, video_id))

    @post(
        "/videos/{video_id:str}/upload/parts",
        status_code=200,
        guards=[signed_in],
        operation_id="signParts",
        summary="Addresses to send parts to",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, VideoNotFound, errors.UploadIsStored, errors.UploadAborted, errors.UploadIsAForm, body=True
        ),
    )
    async def sign(
        self,
        video_id: VideoId,
        data: Annotated[SignParts, Body()],
        uploads: NamedDependency[Uploads],
        identity: NamedDependency[Identity],
    ) -> PartUrls:
        sums = {part.number: bytes.fromhex(part.sha256) for part in data.parts}
        if len(sums) < len(data.parts):
            raise Invalid(fields={"parts": "names a part twice"})
        signed = await uploads.sign(identity, video_id, sums)
        return PartUrls([PartUrl(one.number, one.url, one.headers) for one in signed.urls], signed.expires_at)

    @post(
        "/videos/{video_id:str}/complete",
        status_code=200,
        guards=[signed_in],
        operation_id="completeUpload",
        summary="All parts are sent: make the video",
        security=KNOWN_USER,
        responses=problems(
            *NEEDS_USER, VideoNotFound, errors.UploadLost, errors.UploadIncomplete, errors.ChecksumMismatch,
            errors.NotAVideo, errors.UploadAborted, errors.UploadIsAForm,
            body=True,
        ),
    )  # fmt: skip
    async def complete(
        self,
        video_id: VideoId,
        uploads: NamedDependency[Uploads],
        edge_url: NamedDependency[str],
        identity: NamedDependency[Identity],
        data: Annotated[CompleteUpload | None, Body(description="May be left out.")] = None,
    ) -> ShownVideo:
        sha256 = bytes.fromhex(data.sha256) if data and data.sha256 else None
        return shown(await uploads.complete(identity, video_id, sha256), edge_url, identity)

    @delete(
        "/videos/{video_id:str}/upload",
        guards=[signed_in],
        operation_id="abortUpload",
        summary="Give an upload up",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, VideoNotFound, errors.UploadIsStored),
    )
    async def abort(
        self, video_id: VideoId, uploads: NamedDependency[Uploads], identity: NamedDependency[Identity]
    ) -> None:
        await uploads.abort(identity, video_id)

    @get(
        "/uploads",
        guards=[signed_in],
        operation_id="listUploads",
        summary="Unfinished uploads, and what the account's uploads take",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, errors.PublishersOnly),
    )
    async def unfinished(
        self,
        uploads: NamedDependency[Uploads],
        edge_url: NamedDependency[str],
        identity: NamedDependency[Identity],
    ) -> UnfinishedUploads:
        found = await uploads.unfinished(identity)
        return UnfinishedUploads(
            [OpenedVideo(shown(one.video, edge_url, identity), upload_answer(one.upload)) for one in found.uploads],
            Quota(found.usage.used_bytes, found.usage.limit_bytes),
        )


def large_forms(settings: VodSettings) -> Router:
    """Where the body of a form may be as long as a file may be."""
    return Router(
        "/",
        route_handlers=[NewVideoController],
        request_max_body_size=settings.upload_max_bytes + FORM_FIELDS_BYTES,
    )


def converted(body: Any, kind: type[Fields]) -> Fields:
    """What Litestar does with a body of one kind: raises `ValidationException` that names the field."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as wrong:
        message, _, path = str(wrong).partition(" - at `$.")
        problem = {"message": message, "key": path.rstrip("`") or "data"}
        raise ValidationException(extra=[problem]) from wrong


def form_fields(fields: Mapping[str, list[str]], file_name: str) -> OpenUpload:
    """The fields of a form as if they had come as JSON; `tags` may come several times."""
    known = {"title", "description", "tags", "category", "visibility"}
    wrong = {name: "comes twice" for name, values in fields.items() if len(values) > 1 and name != "tags"}
    wrong |= {name: "is not a known field" for name in fields if name not in known}
    if wrong:
        raise Invalid(fields=wrong)
    single: dict[str, Any] = {name: values[0] for name, values in fields.items() if name != "tags"}
    tags = [tag for tag in fields.get("tags", ()) if tag.strip()]
    return converted({**single, "tags": tags, "file_name": file_name[:1000], "size_bytes": 1}, OpenUpload)


def as_wanted(said: OpenUpload) -> NewUpload:
    return NewUpload(
        title=said.title,
        file_name=said.file_name,
        size_bytes=said.size_bytes,
        description=said.description,
        tags=said.tags,
        category=said.category,
        visibility=said.visibility,
    )


def upload_answer(progress: Progress) -> UploadAnswer:
    upload, sums = progress.upload, progress.sums
    received = [
        Received(part.number, part.size_bytes, sums[part.number].hex() if part.number in sums else None)
        for part in sorted(progress.received, key=lambda part: part.number)
    ]
    return UploadAnswer(
        state=upload.state if upload.state in ("open", "stored") else "aborted",
        file_name=upload.file_name,
        part_bytes=upload.part_bytes,
        parts=upload.parts,
        size_bytes=upload.size_bytes,
        received=received,
        expires_at=upload.expires_at,
    )
