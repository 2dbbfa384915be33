"""The index of videos: how it is shaped, what is written, and how a new one takes the place of the old.

Two aliases. `videos` is what is searched; `videos-next` is on an index that is being built, and only then there. Every
write goes to both, at the version of the document's revision, so that no late one overwrites a newer one, whoever comes
first; and writes go through the aliases, so that none makes an index of its own by writing to one that is gone.

Who writes looks for the aliases first and reads the document afterwards; who builds puts the alias there first and
reads the documents afterwards. So each change is read by at least one of them for each index.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.search import OVERLOADED, Search, SearchUnavailable
from media.catalog.model import Video

ALIAS, NEXT = "videos", "videos-next"
INDICES = "videos-2*"  # `videos-<year>...`: not the aliases
GONE = 2**53  # the version of what is deleted for good: above every revision
ATTEMPTS = 5
# `boolean`: what a match is worth depends on its field alone and not on what else is in the index. So a list that is
# paged by score stays in order while videos come and go, and of equal matches the newest is first.
TEXT = {"type": "text", "analyzer": "words", "similarity": "boolean"}
SETTINGS: Mapping[str, Any] = {
    "refresh_interval": "1s",
    "analysis": {
        "analyzer": {"words": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}},
        "normalizer": {"folded": {"type": "custom", "filter": ["lowercase", "asciifolding"]}},
    },
}
MAPPINGS: Mapping[str, Any] = {
    "dynamic": "strict",
    "properties": {
        "id": {"type": "keyword"},
        "title": TEXT,
        "description": TEXT,
        "tags": {**TEXT, "fields": {"folded": {"type": "keyword", "normalizer": "folded"}}},
        "creator_name": {**TEXT, "fields": {"folded": {"type": "keyword", "normalizer": "folded"}}},
        "creator_id": {"type": "keyword"},
        "category": {"type": "keyword", "normalizer": "folded"},
        "listed": {"type": "boolean"},
        "premium": {"type": "boolean"},
        "duration_seconds": {"type": "float"},
        "published_at": {"type": "date", "format": "epoch_millis"},
        "view_count": {"type": "long"},
    },
}
log = get_logger(__name__)


class IndexMissing(SearchUnavailable):
    """The server answers and has no index: it is new, or lost what it had. Somebody must build it."""


class IndexRefused(FootlightError):
    code = "search.refused"
    message = "The search server refused a document."


def entry_of(video: Video) -> dict[str, Any]:
    """What search knows of a video that can be played."""
    return {
        "id": video.id,
        "title": video.title,
        "description": video.description,
        "tags": video.tags,
        "creator_name": video.creator_name,
        "creator_id": video.creator_id,
        "category": video.category,
        "listed": video.is_listed,
        "premium": video.visibility == "premium",
        "duration_seconds": video.metadata.duration,
        "published_at": int((video.published_at or video.created_at).timestamp() * 1000),
        "view_count": video.view_count,
    }


def operations_of(video_id: str, video: Video | None) -> list[dict[str, Any]]:
    """A bulk request's lines that make search know of this state of a video; None: there is none any more.

    What is not to be found is written as an entry that nobody finds, and stays until the next build. A deletion would
    be forgotten after a while with its version, and makes an index of its own when its alias is gone: Elasticsearch
    heeds `require_alias` for writes only.
    """
    known = video is not None and video.is_playable
    entry = entry_of(video) if video is not None and known else {"id": video_id, "listed": False}
    return [{"index": _at(video_id, GONE if video is None else video.revision)}, entry]


def _at(video_id: str, version: int) -> dict[str, Any]:
    return {"_id": video_id, "version": version, "version_type": "external_gte"}


def name_of_index(now: datetime, word: str) -> str:
    """Not taken by anybody who builds at the same time: it ends in a random word."""
    return f"videos-{now:%Y%m%d%H%M%S}-{word}"


class VideoIndex:
    """Every method raises `SearchUnavailable`."""

    def __init__(self, search: Search) -> None:
        self._search = search

    async def aliases(self) -> dict[str, str]:
        """Which index each of the two aliases is on."""
        async with self._search.client() as elastic:
            found = await elastic.indices.get(index=INDICES, allow_no_indices=True)
        return {alias: name for name, index in found.items() for alias in index.get("aliases", {})}

    async def targets(self) -> list[str]:
        """The aliases to write to. Ask before reading what is written. Raises `IndexMissing` without an index."""
        known = await self.aliases()
        if ALIAS not in known:
            raise IndexMissing
        return [alias for alias in (ALIAS, NEXT) if alias in known]

    async def write(self, targets: Sequence[str], states: Mapping[str, Video | None]) -> bool:
        """Bring these videos up to date; False when a target was taken away meanwhile: then ask and read again."""
        operations = [line for video_id, video in states.items() for line in operations_of(video_id, video)]
        for target in targets:
            if not await self._bulk(target, operations):
                return False
        return True

    async def _bulk(self, target: str, operations: Sequence[dict[str, Any]]) -> bool:
        async with self._search.client() as elastic:
            answer = await elastic.bulk(index=target, operations=operations, require_alias=True)
        if not answer["errors"]:
            return True
        return judged(target, (next(iter(item.values())) for item in answer["items"]))

    # --- a new one in the place of the old

    async def begin(self, name: str) -> None:
        """An empty index that gets all writes. One that another build left, or another one builds, is thrown away."""
        async with self._search.client() as elastic:
            found = await elastic.indices.get(index=INDICES, allow_no_indices=True)
            for left in [left for left, index in found.items() if ALIAS not in index.get("aliases", {})]:
                await elastic.indices.delete(index=left, ignore_unavailable=True)
            await elastic.indices.create(index=name, settings=SETTINGS, mappings=MAPPINGS, aliases={NEXT: {}})

    async def put_in_place(self, name: str) -> str | None:
        """Search this one from now on, in one step; the name of the one before.

        Raises `NotFoundError` when this one is gone, or not the one being built.
        """
        old = (await self.aliases()).get(ALIAS)
        actions: list[dict[str, Any]] = [
            {"add": {"index": name, "alias": ALIAS}},
            {"remove": {"index": name, "alias": NEXT, "must_exist": True}},
        ]
        if old is not None and old != name:
            actions.append({"remove": {"index": old, "alias": ALIAS}})
        async with self._search.client() as elastic:
            await elastic.indices.refresh(index=name)
            await elastic.indices.update_aliases(actions=actions)
        return old

    async def drop(self, name: str) -> None:
        async with self._search.client() as elastic:
            await elastic.indices.delete(index=name, ignore_unavailable=True)

    async def refresh(self) -> None:
        """Make what was written be found now, and not within a second."""
        async with self._search.client() as elastic:
            await elastic.indices.refresh(index=ALIAS)


def judged(target: str, answers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether all is written that should be: a newer version there is as wanted.

    Raises `SearchUnavailable` when a part is to be sent again, `IndexRefused` for what will never be taken.
    """
    for answer in answers:
        error = answer.get("error")
        if error is None or answer["status"] == 409:
            continue
        if error["type"] == "index_not_found_exception":
            return False
        if answer["status"] in OVERLOADED:
            raise SearchUnavailable
        log.error("search.refused", target=target, video_id=answer.get("_id"), why=error["type"])
        raise IndexRefused(video_id=str(answer.get("_id")))
    return True
