"""What tests of search stand on: a catalogue, an index of it, and questions in one line."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from accounts.model import Identity
from infra.settings import SearchSettings
from infra.stores.mongo import Mongo
from infra.stores.postgres import Postgres
from infra.stores.search import Search, SearchUnavailable, open_search
from media.catalog.details import VideoChange
from media.catalog.indexer import PENDING, Indexer, postgres_lock
from media.catalog.model import Metadata, Video, Visibility
from media.catalog.search import Found, VideoSearch
from media.catalog.search_index import INDICES, VideoIndex
from media.catalog.search_query import Asked
from media.catalog.videos import Catalogue
from tests.media.catalog.conftest import LOW, Clock, person, video_of

BUILD = "build0000000"


class Stage:
    """A catalogue and its search."""

    def __init__(self, catalogue: Catalogue, mongo: Mongo, search: Search, db: Postgres, clock: Clock) -> None:
        self.catalogue = catalogue
        self.mongo = mongo
        self.search = search
        self.clock = clock
        self.now_seconds = 0.0
        self.index = VideoIndex(search)
        self.indexer = Indexer(self.index, mongo, clock, postgres_lock(db))
        self.videos = VideoSearch(search, catalogue, lambda: self.now_seconds)
        self.mara = person()

    async def publish(
        self,
        title: str,
        who: Identity | None = None,
        *,
        name: str = "Mara",
        seconds: float = 100.0,
        visibility: Visibility = "public",
        views: int = 0,
        **details: Any,
    ) -> Video:
        """A video that is ready, and known to search when there is an index; each a minute after the other."""
        self.clock.pass_seconds(60)
        creator = who or self.mara
        draft = video_of(creator, self.clock(), title, visibility)
        draft = Video.from_document({**draft.to_document(), "creator_name": name, **details})
        await self.catalogue.create(draft)
        video = await self.catalogue.finished(draft.id, BUILD, [LOW], Metadata(duration=seconds, file_size=1000))
        if views:
            await self.catalogue.viewed(video.id, 1, views)
        await self.indexer.take(video.id)
        return await self.catalogue.get(video.id)

    async def change(self, video: Video, **fields: Any) -> None:
        who = person(user_id=video.creator_id)
        await self.catalogue.change(who, video.id, VideoChange(**fields))

    async def find(
        self, q: str = "", who: Identity | None = None, *, cursor: str | None = None, limit: int = 20, **asked: Any
    ) -> Found:
        await self.index.refresh()
        return await self.videos.find(Asked(q=q, **asked), who, cursor, limit)

    async def titles(self, q: str = "", who: Identity | None = None, **asked: Any) -> list[str]:
        return [hit.video.title for hit in (await self.find(q, who, **asked)).hits]

    async def suggestions(self, q: str) -> list[str]:
        await self.index.refresh()
        self.now_seconds += 60  # past what is kept
        return [one.text for one in await self.videos.suggest(q)]

    async def indices(self) -> set[str]:
        async with self.search.client() as elastic:
            return set(await elastic.indices.get(index=INDICES, allow_no_indices=True))

    async def pending(self) -> set[str]:
        async with self.mongo.collection(PENDING) as pending:
            return {row["_id"] for row in await pending.find({}).to_list()}


@asynccontextmanager
async def open_stage(
    settings: SearchSettings, catalogue: Catalogue, mongo: Mongo, db: Postgres, clock: Clock
) -> AsyncIterator[Stage]:
    """With no index yet, and nothing noted. The server may be away."""
    async with open_search(settings) as search:
        stage = Stage(catalogue, mongo, search, db, clock)
        async with mongo.collection(PENDING) as pending:
            await pending.delete_many({})
        with contextlib.suppress(SearchUnavailable):
            for name in await stage.indices():
                await stage.index.drop(name)
        yield stage
