"""A recording's chat in step with it, under `/videos/{id}/chat`. The rules are in `realtime/archive/replay.py`."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from accounts.model import Identity
from api.auth import NO_STORE
from api.errors import problems
from infra.errors import Unauthenticated
from media.catalog.errors import VideoNotFound
from media.errors import NotPlayableYet, PremiumOnly
from realtime.archive.replay import MAX_LINES, Replay

MAX_SECONDS = 1_000_000
From = Annotated[float, QueryParameter(ge=0, le=MAX_SECONDS, description="Position in the video to begin at.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LINES, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next_cursor` of the page before.")]


class ChatLine(msgspec.Struct, frozen=True):
    """An entry of the room as it was sent (docs/events.md: `message`, `announcement`), and where in the video."""

    at_seconds: float
    entry: dict[str, Any]


class ChatPage(msgspec.Struct, frozen=True):
    """Lines in order; a page may have fewer than asked for. With another `revision` than before something was removed
    or brought back: ask again for what you show."""

    lines: list[ChatLine]
    next_cursor: str | None
    revision: int


class ReplayController(Controller):
    path = "/videos"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get(
        "/{video_id:str}/chat",
        operation_id="getVideoChat",
        summary="What was said while the stream was live",
        responses=problems(VideoNotFound, Unauthenticated, PremiumOnly, NotPlayableYet),
    )
    async def chat(
        self,
        video_id: FromPath[str],
        replay: NamedDependency[Replay],
        maybe_identity: NamedDependency[Identity | None],
        from_seconds: From = 0.0,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ChatPage:
        page = await replay.page(video_id, maybe_identity, from_seconds, cursor, limit)
        lines = [ChatLine(line.at_seconds, line.entry) for line in page.lines]
        return ChatPage(lines, page.next_cursor, page.revision)
