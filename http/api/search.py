"""Finding videos: `/videos/search` and, while somebody types, `/videos/suggest`. The rules are in
`media/catalog/search.py`."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from accounts.model import Identity
from api.auth import NO_STORE
from api.channels_log import From, To, moment
from api.errors import problems
from api.shown_videos import ShownVideo, VideoShelf
from infra.errors import Invalid
from infra.stores.search import SearchUnavailable
from media.catalog.search import Found, Suggestion, VideoSearch
from media.catalog.search_query import MAX_QUERY, MAX_TOTAL, Asked, Sort
from media.live.titles import MAX_CATEGORY

LONGEST_SECONDS = 1e7  # far beyond every video, and well inside what the index can compare

Words = Annotated[
    str, QueryParameter(name="q", max_length=MAX_QUERY, description='Words, `"a phrase"`, `-without`; empty: all.')
]
Typed = Annotated[str, QueryParameter(name="q", max_length=MAX_QUERY, description="What was typed so far.")]
CreatorId = Annotated[str | None, QueryParameter(name="creator", max_length=64, description="Only videos of theirs.")]
Category = Annotated[str | None, QueryParameter(max_length=MAX_CATEGORY, description="Only of this category.")]
Premium = Annotated[bool | None, QueryParameter(description="Only those for subscribers, or only the others.")]
Least = Annotated[float | None, QueryParameter(ge=0, le=LONGEST_SECONDS, description="Seconds, included.")]
Most = Annotated[float | None, QueryParameter(ge=0, le=LONGEST_SECONDS, description="Seconds, included.")]
SortBy = Annotated[Sort, QueryParameter(description="`relevance` without words is `newest`.")]
Limit = Annotated[int, QueryParameter(ge=1, le=50, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(max_length=300, description="`next_cursor` of the page before.")]


class Piece(msgspec.Struct, frozen=True):
    """A part of a text; `match`: it is what was looked for."""

    text: str
    match: bool


class SearchResult(msgspec.Struct, frozen=True):
    """A video, and its title and a part of its description in pieces where they matched."""

    video: ShownVideo
    highlights: dict[str, list[Piece]]


class SearchPage(msgspec.Struct, frozen=True):
    """The best first. A page may have fewer than asked for; null in `next_cursor`: that was all."""

    results: list[SearchResult]
    total: Annotated[int, msgspec.Meta(description=f"How many match; {MAX_TOTAL}: at least so many.")]
    next_cursor: str | None


class SuggestionList(msgspec.Struct, frozen=True):
    """At most 8; one with a `video_id` is that video's title."""

    suggestions: list[Suggestion]


async def asked_for(  # noqa: PLR0913 - the filters of a search, each a parameter of its own
    *,
    q: Words = "",
    creator: CreatorId = None,
    category: Category = None,
    premium: Premium = None,
    min_seconds: Least = None,
    max_seconds: Most = None,
    since: From = None,
    until: To = None,
    sort: SortBy = "relevance",
) -> Asked:
    """What is looked for."""
    if min_seconds is not None and max_seconds is not None and min_seconds > max_seconds:
        raise Invalid(fields={"min_seconds": "must not be more than `max_seconds`"})
    return Asked(
        q=q,
        creator=creator,
        category=category,
        premium=premium,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        since=moment("from", since),
        until=moment("to", until),
        sort=sort,
    )


class SearchController(Controller):
    path = "/videos"
    tags = ("Videos",)
    response_headers = NO_STORE

    @get(
        "/search",
        operation_id="searchVideos",
        summary="Videos that match, as far as you may see them",
        responses=problems(SearchUnavailable),
        dependencies={"asked": Provide(asked_for)},
    )
    async def search(
        self,
        asked: NamedDependency[Asked],
        video_search: NamedDependency[VideoSearch],
        shelf: NamedDependency[VideoShelf],
        maybe_identity: NamedDependency[Identity | None],
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> SearchPage:
        found = await video_search.find(asked, maybe_identity, cursor, limit)
        return await shown(found, shelf, maybe_identity)

    @get(
        "/suggest",
        operation_id="suggestVideos",
        summary="What somebody may be typing: titles, creators, tags",
        responses=problems(SearchUnavailable),
    )
    async def suggest(self, video_search: NamedDependency[VideoSearch], q: Typed = "") -> SuggestionList:
        return SuggestionList(await video_search.suggest(q))


async def shown(found: Found, shelf: VideoShelf, who: Identity | None) -> SearchPage:
    """With each video as this person may see it."""
    videos = await shelf.many([hit.video for hit in found.hits], who)
    return SearchPage(
        results=[
            SearchResult(video, {name: [Piece(*piece) for piece in pieces] for name, pieces in hit.highlights.items()})
            for video, hit in zip(videos, found.hits, strict=True)
        ],
        total=found.total,
        next_cursor=found.next_cursor,
    )
