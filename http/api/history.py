"""What one has watched, under `/history`. It is kept by `media/catalog/watching.py`."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from accounts.model import Identity
from api.auth import KNOWN_USER, NEEDS_USER, NO_STORE
from api.errors import problems
from api.identity import signed_in
from api.shown_videos import ShownVideo, VideoShelf
from media.catalog.library import Library
from media.catalog.sight import may_see

Limit = Annotated[int, QueryParameter(ge=1, le=50, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=300, description="`next_cursor` of the page before.")]


class HistoryEntry(msgspec.Struct, frozen=True):
    """A video, and how far it was watched."""

    video: ShownVideo
    position_seconds: float
    finished: bool
    watched_at: datetime


class HistoryPage(msgspec.Struct, frozen=True):
    """The latest first. Videos that are gone or hidden are left out, so a page may have fewer than asked for."""

    entries: list[HistoryEntry]
    next_cursor: str | None


class HistoryController(Controller):
    path = "/history"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get(
        "/",
        guards=[signed_in],
        operation_id="listHistory",
        summary="What you have watched",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def listed(
        self,
        library: NamedDependency[Library],
        shelf: NamedDependency[VideoShelf],
        identity: NamedDependency[Identity],
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> HistoryPage:
        watched, next_cursor = await library.history.latest(identity.user_id, cursor, limit)
        found = await library.catalogue.many([one.video_id for one in watched])
        seen = await shelf.many([video for video in found if may_see(video, identity)], identity)
        by_id = {video.id: video for video in seen}
        entries = [
            HistoryEntry(by_id[one.video_id], one.position_seconds, one.finished, one.watched_at)
            for one in watched
            if one.video_id in by_id
        ]
        return HistoryPage(entries, next_cursor)

    @delete(
        "/",
        guards=[signed_in],
        operation_id="clearHistory",
        summary="Forget all you have watched",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def clear(self, library: NamedDependency[Library], identity: NamedDependency[Identity]) -> None:
        await library.history.forget(identity.user_id)

    @delete(
        "/{video_id:str}",
        guards=[signed_in],
        operation_id="forgetWatched",
        summary="Forget that you have watched a video",
        security=KNOWN_USER,
        responses=problems(*NEEDS_USER),
    )
    async def forget(
        self, video_id: FromPath[str], library: NamedDependency[Library], identity: NamedDependency[Identity]
    ) -> None:
        await library.history.forget(identity.user_id, video_id)
