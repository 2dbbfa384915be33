"""Videos under `/videos`: find, see, describe, delete, like, add captions and a poster. The rules are in
`media/catalog/`; uploads, playback and search have controllers of their own."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import AnyRequest, problems
from api.identity import signed_in
from api.shown_videos import ShownVideo, VideoPage, VideoShelf
from media.catalog import captions, posters
from media.catalog.details import MAX_DESCRIPTION, MAX_LABEL, MAX_TAG, MAX_TAGS, VideoChange
from media.catalog.errors import (
    CaptionsInvalid,
    CaptionsNotFound,
    NotYourVideo,
    PosterInvalid,
    TooManyCaptions,
    VideoNotFound,
)
from media.catalog.library import Library
from media.catalog.model import VideoStatus, Visibility
from media.catalog.sight import require_sight
from media.errors import TextRefused
from media.live.titles import MAX_CATEGORY, MAX_TITLE

CHANGE_EXAMPLE = {"title": "A morning by the sea", "tags": ["sea", "calm"], "visibility": "public"}
OWNERS = (*NEEDS_USER, VideoNotFound, NotYourVideo)

Limit = Annotated[int, QueryParameter(ge=1, le=50, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=300, description="`next_cursor` of the page before.")]
CreatorId = Annotated[str | None, QueryParameter(name="creator", max_length=64, description="Only videos of theirs.")]
Status = Annotated[VideoStatus | None, QueryParameter(description="Only those in this state.")]
Label = Annotated[str, QueryParameter(max_length=4 * MAX_LABEL, description="What the language is called.")]


class ChangeVideo(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays; a category of null is none."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    tags: Annotated[list[Annotated[str, Meta(max_length=4 * MAX_TAG)]], Meta(max_length=MAX_TAGS)] | UnsetType = UNSET
    category: Annotated[str, Meta(max_length=MAX_CATEGORY)] | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET


class Liked(msgspec.Struct, frozen=True):
    """Whether you do, and how many do."""

    liked: bool
    like_count: int


class VideoController(Controller):
    path = "/videos"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get("/", operation_id="listVideos", summary="The newest videos, of all or of one creator", responses=problems())
    async def newest(
        self,
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        maybe_identity: NamedDependency[Identity | None],
        creator: CreatorId = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> VideoPage:
        page = await library.catalogue.newest(creator, cursor, limit)
        return VideoPage(await shelf.many(page.videos, maybe_identity), page.next_cursor)

    @get(
        "/mine",
        guards=[signed_in],
        operation_id="listMyVideos",
        summary="All videos of your own",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def mine(
        self,
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
        status: Status = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> VideoPage:
        page = await library.catalogue.mine(identity, status, cursor, limit)
        return VideoPage(await shelf.many(page.videos, identity), page.next_cursor)

    @get("/{video_id:str}", operation_id="getVideo", summary="A video", responses=problems(VideoNotFound))
    async def one(
        self,
        video_id: FromPath[str],
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        maybe_identity: NamedDependency[Identity | None],
    ) -> ShownVideo:
        video = require_sight(await library.catalogue.get(video_id), maybe_identity)
        return await shelf.one(video, maybe_identity)

    @patch(
        "/{video_id:str}",
        guards=[signed_in],
        operation_id="changeVideo",
        summary="Describe a video, or change who may see it",
        security=KNOWN_USER,
        responses=problems(*OWNERS, TextRefused, body=True),
    )
    async def change(
        self,
        video_id: FromPath[str],
        data: Annotated[
            ChangeVideo, Body(examples=[Example(summary="as a person would send it", value=CHANGE_EXAMPLE)])
        ],
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
    ) -> ShownVideo:
        change = VideoChange(**msgspec.structs.asdict(data))
        return await shelf.one(await library.catalogue.change(identity, video_id, change), identity)

    @delete(
        "/{video_id:str}",
        guards=[signed_in],
        operation_id="deleteVideo",
        summary="Delete a video and all its files",
        security=KNOWN_USER,
        responses=problems(*OWNERS),
    )
    async def remove(
        self, video_id: FromPath[str], library: NamedDependency[Library], identity: NamedDependency[Identity]
    ) -> None:
        await library.catalogue.delete(identity, video_id)


class LikeController(Controller):
    path = "/videos/{video_id:str}/like"
    tags = ("Videos",)
    response_headers = NO_STORE

    @put(
        "/",
        guards=[signed_in],
        operation_id="likeVideo",
        summary="Like a video",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, VideoNotFound),
    )
    async def like(
        self, video_id: FromPath[str], library: NamedDependency[Library], identity: NamedDependency[Identity]
    ) -> Liked:
        video = require_sight(await library.catalogue.get(video_id), identity)
        return Liked(True, await library.likes.like(identity.user_id, video))

    @delete(
        "/",
        status_code=200,
        guards=[signed_in],
        operation_id="unlikeVideo",
        summary="Like it no more",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, VideoNotFound),
    )
    async def unlike(
        self, video_id: FromPath[str], library: NamedDependency[Library], identity: NamedDependency[Identity]
    ) -> Liked:
        video = require_sight(await library.catalogue.get(video_id), identity)
        return Liked(False, await library.likes.unlike(identity.user_id, video))


class AttachmentController(Controller):
    """Files as bodies: a form of another site cannot send these types."""

    path = "/videos/{video_id:str}"
    tags = ("Videos",)
    response_headers = NO_STORE

    @put(
        "/captions/{language:str}",
        guards=[signed_in],
        operation_id="putCaptions",
        summary="Add captions, a WebVTT file, or replace those of the language",
        security=KNOWN_USER,
        responses=problems(*OWNERS, CaptionsInvalid, TooManyCaptions, TextRefused, body=True),
        opt={"content_types": ("text/vtt",)},
        request_max_body_size=captions.LARGEST_BYTES,
    )
    async def put_captions(
        self,
        request: AnyRequest,
        video_id: FromPath[str],
        language: FromPath[str],
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
        label: Label = "",
    ) -> ShownVideo:
        file = await request.body()
        video = await library.attachments.put_captions(identity, video_id, language, label, file)
        return await shelf.one(video, identity)

    @delete(
        "/captions/{language:str}",
        status_code=200,
        guards=[signed_in],
        operation_id="removeCaptions",
        summary="Remove captions",
        security=KNOWN_USER,
        responses=problems(*OWNERS, CaptionsNotFound),
    )
    async def remove_captions(
        self,
        video_id: FromPath[str],
        language: FromPath[str],
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
    ) -> ShownVideo:
        return await shelf.one(await library.attachments.remove_captions(identity, video_id, language), identity)

    @put(
        "/poster",
        guards=[signed_in],
        operation_id="putPoster",
        summary="Choose the picture that stands for the video",
        security=KNOWN_USER,
        responses=problems(*OWNERS, PosterInvalid, body=True),
        opt={"content_types": ("image/jpeg", "image/png", "image/webp")},
        request_max_body_size=posters.LARGEST_BYTES,
    )
    async def put_poster(
        self,
        request: AnyRequest,
        video_id: FromPath[str],
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
    ) -> ShownVideo:
        return await shelf.one(await library.attachments.put_poster(identity, video_id, await request.body()), identity)
