"""MongoDB: open, ping, close. Video metadata and analytics; nothing else knows how to connect.

Writes are acknowledged by a majority and its journals, and reads see only what a majority has: the weaker defaults
lose acknowledged writes at a failover (https://jepsen.io/analyses/mongodb-4.2.6).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from infra.errors import Unavailable
from infra.settings import MongoSettings

Document = dict[str, Any]
Collection = AsyncCollection[Document]

# What a dead, restarting, electing or overloaded server raises.
LOST = (ConnectionFailure, ExecutionTimeout, WTimeoutError)
ATTEMPT_SECONDS = 0.05
POOL_SIZE = 50  # connections a process may hold
READ_PREFERENCES = {
    "primary": ReadPreference.PRIMARY,
    "primaryPreferred": ReadPreference.PRIMARY_PREFERRED,
    "secondary": ReadPreference.SECONDARY,
    "secondaryPreferred": ReadPreference.SECONDARY_PREFERRED,
    "nearest": ReadPreference.NEAREST,
}


class MongoUnavailable(Unavailable):
    code = "service.mongo"
    message = "The video catalogue does not answer just now. Try again in a moment."


class Mongo:
    """One database; every use is one `async with mongo.collection(name)` or `mongo.analytics(name)`."""

    def __init__(self, database: AsyncDatabase[Document], settings: MongoSettings) -> None:
        self._database = database
        self._settings = settings

    @asynccontextmanager
    async def collection(self, name: str) -> AsyncIterator[Collection]:
        """Reads what was written last; a lost connection inside the block raises `MongoUnavailable`."""
        try:
            yield self._database[name]
        except PyMongoError as error:
            raise _translated(error) from error

    @asynccontextmanager
    async def analytics(self, name: str) -> AsyncIterator[Collection]:
        """For reads that may be a little old: they go where the read preference says, away from the primary."""
        preference = READ_PREFERENCES[self._settings.read_preference]
        async with self.collection(name) as collection:
            yield collection.with_options(read_preference=preference)

    async def ping(self) -> None:
        """Raise `MongoUnavailable` when no primary answers in time."""
        try:
            await self._database.command("ping")
        except PyMongoError as error:
            raise _translated(error) from error


def _translated(error: PyMongoError) -> Exception:
    """Lost or too slow is `MongoUnavailable`; everything else (a duplicate key) is the caller's to understand."""
    return MongoUnavailable() if isinstance(error, LOST) or error.timeout else error


@asynccontextmanager
async def open_mongo(settings: MongoSettings) -> AsyncIterator[Mongo]:
    """Make a client; it connects when first used, so that a process starts while the catalogue is away.

    Leaving the block closes its connections.
    """
    milliseconds = int(settings.timeout_seconds * 1000)
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.url,
        timeoutMS=milliseconds,  # of one operation with its retries
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        maxPoolSize=POOL_SIZE,
        # One watching connection instead of two; a failed operation makes it look again at once.
        serverMonitoringMode="poll",
        tz_aware=True,
        uuidRepresentation="standard",
    )
    try:
        database = client.get_database(
            settings.database,
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        yield Mongo(database, settings)
    finally:
        # pymongo 4.20 leaks the socket of an attempt to connect that `close` cancels, and a failed operation has just
        # started one; a refusal arrives within this time.
        await asyncio.sleep(ATTEMPT_SECONDS)
        await client.close()
