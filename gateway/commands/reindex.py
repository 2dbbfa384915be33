"""`footlight reindex`: build the index of videos anew, while the old one is searched. Safe at any time."""

import argparse
import sys
from contextlib import AsyncExitStack

from infra.clock import system_clock
from infra.settings import Settings
from infra.stores.mongo import open_mongo
from infra.stores.postgres import open_postgres
from infra.stores.search import open_search
from media.catalog.indexer import Indexer, postgres_lock
from media.catalog.search_index import VideoIndex


async def run(_: argparse.Namespace, settings: Settings) -> int:
    """Build, switch, and say how many videos there are. Raises `AlreadyBuilding` while somebody else builds."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_postgres(settings.postgres))
        mongo = await stack.enter_async_context(open_mongo(settings.mongo))
        search = await stack.enter_async_context(open_search(settings.search))
        read = await Indexer(VideoIndex(search), mongo, system_clock, postgres_lock(db)).rebuild()
    sys.stdout.write(f"read {read} videos; the new index is in place\n")
    return 0
