"""Trying a failed video again. The rules are in `media/vod/retrying.py`."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from api.shown_videos import ShownVideo, VideoShelf
from media.catalog.errors import NotYourVideo, VideoNotFound
from media.vod.errors import VideoNotFailed
from media.vod.retrying import Retrying


class RetryController(Controller):
    path = "/videos/{video_id:str}/retry"
    tags = ("Videos",)
    response_headers = NO_STORE

    @post(
        "/",
        status_code=202,
        guards=[signed_in],
        operation_id="retryVideo",
        summary="Try again what failed",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER, VideoNotFound, NotYourVideo, VideoNotFailed),
    )
    async def retry(
        self,
        video_id: FromPath[str],
        retrying: NamedDependency[Retrying],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
    ) -> ShownVideo:
        return await shelf.one(await retrying.retry(identity, video_id), identity)
