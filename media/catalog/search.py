"""Search over videos. Elasticsearch says which; what is shown, and whether, the catalogue says at that moment."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

import msgspec
from elasticsearch import AsyncElasticsearch, NotFoundError

from accounts.model import Identity
from infra.stores.search import Search
from media.catalog.model import Video
from media.catalog.search_index import ALIAS, IndexMissing
from media.catalog.search_query import (
    CREATORS,
    FEW,
    SUGGESTIONS,
    Asked,
    Body,
    Place,
    Terms,
    decode_place,
    encode_place,
    pieces_of,
    search_body,
    suggest_bodies,
    terms_of,
    typed_of,
)
from media.catalog.sight import is_owner

KEPT, KEPT_SECONDS = 2000, 30.0  # prefixes whose suggestions are kept: everybody types the same first letters

Pieces = list[tuple[str, bool]]
Kind = Literal["title", "creator_name", "tags"]


class Lookup(Protocol):
    """The catalogue, as far as search needs it."""

    async def many(self, video_ids: Sequence[str]) -> list[Video]: ...


class Hit(msgspec.Struct, frozen=True):
    """A video and where its texts matched: pieces of (text, whether it matched), by field."""

    video: Video
    highlights: dict[str, Pieces] = {}


class Found(msgspec.Struct, frozen=True):
    """A page; it may have fewer than asked for. `total` is exact below `MAX_TOTAL`."""

    hits: list[Hit]
    total: int
    next_cursor: str | None


class Suggestion(msgspec.Struct, frozen=True):
    """What somebody may be typing. `video_id`: it is that video's title; None: words to search for."""

    text: str
    video_id: str | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A text of the index and the video that had it."""

    kind: Kind
    text: str
    video_id: str


class VideoSearch:
    """Raises `SearchUnavailable` when the server is away or has no index, `MongoUnavailable`, and `Invalid` for a
    cursor that is not of this search."""

    def __init__(self, search: Search, catalogue: Lookup, seconds: Callable[[], float]) -> None:
        self._search = search
        self._catalogue = catalogue
        self._seconds = seconds
        self._kept: dict[str, tuple[float, list[Candidate]]] = {}

    async def find(self, asked: Asked, who: Identity | None, cursor: str | None = None, limit: int = 20) -> Found:
        """A page of what this person may find, without what is asked for but hidden from them."""
        terms, viewer_id = terms_of(asked.q), who.user_id if who else None
        place = decode_place(cursor, asked, terms, viewer_id)
        if terms.silent:
            return Found([], 0, None)
        answer, tolerant = await self._ask(asked, terms, viewer_id, place, limit)
        hits = answer["hits"]["hits"]
        shown = hits[:limit]
        more = len(hits) > limit
        return Found(
            hits=await self._read(shown, who),
            total=answer["hits"]["total"]["value"],
            next_cursor=encode_place(asked, viewer_id, shown[-1]["sort"], tolerant=tolerant) if more else None,
        )

    async def _ask(
        self, asked: Asked, terms: Terms, viewer_id: str | None, place: Place | None, limit: int
    ) -> tuple[Any, bool]:
        """As it is written; and when that finds next to nothing, with misspelt words. A list goes on as it began."""
        tolerant = place.tolerant if place else False
        async with self._index() as elastic:
            body = search_body(asked, terms, viewer_id, place, limit, tolerant=tolerant)
            answer = await elastic.search(index=ALIAS, body=body)
            if place is None and terms.words and answer["hits"]["total"]["value"] < FEW:
                tolerant = True
                body = search_body(asked, terms, viewer_id, place, limit, tolerant=tolerant)
                answer = await elastic.search(index=ALIAS, body=body)
        return answer, tolerant

    async def _read(self, found: Sequence[Mapping[str, Any]], who: Identity | None) -> list[Hit]:
        """The videos as they are now, if this person finds them now."""
        marked = {hit["_id"]: hit.get("highlight", {}) for hit in found}
        videos = await self._catalogue.many(list(marked))
        return [Hit(video, highlights_of(video, marked[video.id])) for video in videos if may_find(video, who)]

    async def suggest(self, q: str) -> list[Suggestion]:
        """At most `SUGGESTIONS`, each text once."""
        typed = typed_of(q)
        if not typed:
            return []
        candidates = await self._candidates(typed)
        ids = list(dict.fromkeys(candidate.video_id for candidate in candidates))
        videos = {video.id: video for video in await self._catalogue.many(ids)} if ids else {}
        return chosen([one for one in candidates if is_true(one, videos.get(one.video_id))])

    async def _candidates(self, typed: str) -> list[Candidate]:
        now = self._seconds()
        kept = self._kept.get(typed)
        if kept and now < kept[0]:
            return kept[1]
        candidates = await self._suggested(typed)
        if len(self._kept) >= KEPT:
            self._kept = {key: value for key, value in self._kept.items() if now < value[0]}
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[typed] = (now + KEPT_SECONDS, candidates)
        return candidates

    async def _suggested(self, typed: str) -> list[Candidate]:
        searches: list[Body] = []
        for body in suggest_bodies(typed):
            searches += [{"index": ALIAS}, body]
        async with self._index() as elastic:
            answers = await elastic.msearch(searches=searches)
        kinds: tuple[Kind, ...] = ("title", "creator_name", "tags")
        found: list[Candidate] = []
        for kind, answer in zip(kinds, answers["responses"], strict=True):
            if answer.get("status", 200) != 200:  # each search of the bundle has its own answer
                raise IndexMissing
            found += candidates_of(kind, answer["hits"]["hits"], typed)
        return found

    @asynccontextmanager
    async def _index(self) -> AsyncIterator[AsyncElasticsearch]:
        async with self._search.client() as elastic:
            try:
                yield elastic
            except NotFoundError as missing:
                raise IndexMissing from missing


def may_find(video: Video, who: Identity | None) -> bool:
    """What is listed, and one's own. Others' unlisted videos are for who has the link, for admins too."""
    return video.is_listed or (video.is_playable and is_owner(video, who))


def highlights_of(video: Video, marked: Mapping[str, Sequence[str]]) -> dict[str, Pieces]:
    """Cut at the marks; not of texts that were changed since they were indexed."""
    pieces = {name: pieces_of(texts[0]) for name, texts in marked.items() if texts}
    now = {"title": video.title, "description": video.description}
    return {name: found for name, found in pieces.items() if "".join(text for text, _ in found) in now.get(name, "")}


def candidates_of(kind: Kind, hits: Sequence[Mapping[str, Any]], typed: str) -> list[Candidate]:
    """The texts that matched, each once; of several tags those that begin so."""
    found: dict[str, Candidate] = {}
    for hit in hits:
        value = hit["_source"].get(kind)
        for text in value if isinstance(value, list) else [value]:
            if kind != "tags" or typed_of(text).startswith(typed):
                found.setdefault(text.casefold(), Candidate(kind, text, hit["_id"]))
    return list(found.values())


def is_true(candidate: Candidate, video: Video | None) -> bool:
    """Whether everybody may read this text of this video now."""
    if video is None or not video.is_listed:
        return False
    value = getattr(video, candidate.kind)
    return bool(candidate.text in value if candidate.kind == "tags" else candidate.text == value)


def chosen(candidates: Sequence[Candidate]) -> list[Suggestion]:
    """Creators and tags first, for they are few words for many videos; titles fill the rest."""
    wanted: dict[str, Suggestion] = {}
    short = [one for one in candidates if one.kind == "creator_name"][:CREATORS]
    short += [one for one in candidates if one.kind == "tags"][:CREATORS]
    for one in [*short, *(one for one in candidates if one.kind == "title")]:
        wanted.setdefault(one.text.casefold(), Suggestion(one.text, one.video_id if one.kind == "title" else None))
    return list(wanted.values())[:SUGGESTIONS]
