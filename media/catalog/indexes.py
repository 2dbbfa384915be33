"""The indexes of the catalogue's collections, made when a process starts."""

import asyncio

from pymongo.errors import PyMongoError

from infra.errors import Unavailable
from infra.logs import get_logger
from infra.stores.mongo import Mongo
from media.catalog import history, likes, repository

PAUSE_SECONDS = 5.0
ALL = {
    repository.VIDEOS: repository.INDEXES,
    likes.LIKES: likes.INDEXES,
    history.HISTORY: history.INDEXES,
}

log = get_logger(__name__)


async def make_indexes(mongo: Mongo) -> None:
    """Again is fine. Raises `MongoUnavailable`."""
    for name, indexes in ALL.items():
        async with mongo.collection(name) as collection:
            for keys, options in indexes:
                await collection.create_index(keys, **options)


async def keep_making_indexes(mongo: Mongo) -> None:
    """Until they are made: a process starts also while MongoDB is away."""
    while True:
        try:
            return await make_indexes(mongo)
        except (Unavailable, PyMongoError) as failure:  # an index that cannot be made must not end the process
            log.error("catalog.no_indexes", why=type(failure).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
