"""Watching a video: where to play it, the cookies that open it, and the beat by which the player renews them."""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath
from msgspec import Meta

from accounts.model import Identity
from api.auth import NO_STORE
from api.errors import problems
from infra.errors import Unauthenticated, Unavailable
from media.catalog.errors import VideoNotFound
from media.catalog.library import Library
from media.catalog.model import Captions, Video, VideoStatus
from media.catalog.views import Viewer
from media.catalog.watching import Watching
from media.delivery.playback import Playback
from media.delivery.signing import Pass
from media.errors import NotPlayableYet, PremiumOnly

T = TypeVar("T")

REFUSALS = (VideoNotFound, Unauthenticated, PremiumOnly, NotPlayableYet)
LONGEST_VIDEO_SECONDS = 60 * 60 * 48
DEVICE = r"^[A-Za-z0-9_-]{8,64}$"
BEAT_EXAMPLE = {"position_seconds": 61.5, "playing": True, "device": "5f4dcc3b5aa765d61d8327deb882cf99"}


class ShownCaptions(msgspec.Struct, frozen=True):
    language: str
    label: str
    url: str


class PlaybackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`duration_seconds` is the whole video's, also while only its beginning can be played (`status: processing`)."""

    manifest_url: str
    expires_at: datetime
    renew_seconds: float
    resume_seconds: float | None
    duration_seconds: float
    storyboard_url: str | None
    captions: list[ShownCaptions]
    status: VideoStatus


class Beat(msgspec.Struct, forbid_unknown_fields=True):
    """Where the player is. `device` names a browser, so that who is not signed in counts once."""

    position_seconds: Annotated[float, Meta(ge=0, le=LONGEST_VIDEO_SECONDS)]
    playing: bool
    device: Annotated[str, Meta(pattern=DEVICE)]


class BeatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`counted`: this viewer is among the views of these 24 hours."""

    expires_at: datetime
    renew_seconds: float
    counted: bool


class PlaybackController(Controller):
    path = "/videos"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get(
        "/{video_id:str}/playback",
        operation_id="getPlayback",
        summary="Where to play the video; the answer's cookies open it",
        responses=problems(*REFUSALS),
    )
    async def playback(
        self,
        video_id: FromPath[str],
        library: NamedDependency[Library],
        playback: NamedDependency[Playback],
        edge_url: NamedDependency[str],
        maybe_identity: NamedDependency[Identity | None],
    ) -> Response[PlaybackAnswer]:
        video = await library.catalogue.get(video_id)
        opened = playback.of_video(video, maybe_identity)
        answer = PlaybackAnswer(
            manifest_url=f"{edge_url}{video.manifest_path}",
            expires_at=opened.expires_at,
            renew_seconds=opened.renew_seconds,
            resume_seconds=await resume_of(library, video, maybe_identity),
            duration_seconds=video.metadata.duration,
            storyboard_url=f"{edge_url}{video.metadata.storyboard}" if video.metadata.storyboard else None,
            captions=[shown_captions(each, edge_url) for each in video.captions],
            status=video.status,
        )
        return with_cookies(answer, opened)

    @post(
        "/{video_id:str}/watch",
        status_code=200,
        operation_id="watchVideo",
        summary="Say where the player is, every few seconds: renews the cookies, keeps the place, counts the view",
        responses=problems(*REFUSALS, body=True),
    )
    async def watch(
        self,
        video_id: FromPath[str],
        data: Annotated[Beat, Body(examples=[Example(summary="a minute in", value=BEAT_EXAMPLE)])],
        library: NamedDependency[Library],
        playback: NamedDependency[Playback],
        watching: NamedDependency[Watching],
        client_address: NamedDependency[str],
        maybe_identity: NamedDependency[Identity | None],
    ) -> Response[BeatAnswer]:
        video = await library.catalogue.get(video_id)
        opened = playback.of_video(video, maybe_identity)
        viewer = Viewer(maybe_identity.user_id if maybe_identity else None, data.device, client_address)
        counted = await watching.beat(video, viewer, data.position_seconds, playing=data.playing)
        answer = BeatAnswer(expires_at=opened.expires_at, renew_seconds=opened.renew_seconds, counted=counted)
        return with_cookies(answer, opened)


async def resume_of(library: Library, video: Video, viewer: Identity | None) -> float | None:
    """Where they stopped; None when nobody knows. That the history is away keeps nobody from watching."""
    if viewer is None:
        return None
    try:
        watched = (await library.history.of(viewer.user_id, [video.id])).get(video.id)
    except Unavailable:
        return None
    return watched.resume_seconds if watched else None


def shown_captions(captions: Captions, edge_url: str) -> ShownCaptions:
    return ShownCaptions(captions.language, captions.label, f"{edge_url}{captions.path}")


def with_cookies(answer: T, opened: Pass) -> Response[T]:
    """The answer, and the cookies that open the edge. `Lax`: the edge is of one site with us."""
    cookies = [
        Cookie(
            name, value=value, path=opened.path, domain=opened.domain, max_age=opened.seconds, secure=True,
            httponly=True, samesite="lax",
        )
        for name, value in opened.cookies.items()
    ]  # fmt: skip
    return Response(answer, cookies=cookies)
