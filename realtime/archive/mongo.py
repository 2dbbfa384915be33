"""The archive itself: one MongoDB document for each entry, for good.

`infra.stores.mongo` has every write acknowledged by a majority.
"""

from collections.abc import Sequence

from pymongo.errors import BulkWriteError

from infra.stores.mongo import Mongo
from realtime.archive.entries import Document, only_duplicates

COLLECTION = "room_entries"
INDEXES = (
    [("stream_id", 1), ("at", 1), ("offset", 1)],  # a room's history by time
    [("stream_id", 1), ("epoch", 1), ("offset", 1)],  # and in its order
    [("stream_id", 1), ("mark", 1)],  # what was removed
)


class MongoArchive:
    """Raises `MongoUnavailable`; then some of the entries may be there, and all may be given again."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._indexed = False

    async def keep(self, documents: Sequence[Document]) -> int:
        """Store what is not there yet; returns how many that were."""
        async with self._mongo.collection(COLLECTION) as entries:
            if not self._indexed:
                for index in INDEXES:
                    await entries.create_index(index)
                self._indexed = True
            try:
                return len((await entries.insert_many(documents, ordered=False)).inserted_ids)
            except BulkWriteError as failure:
                if not only_duplicates(dict(failure.details)):
                    raise
                return int(failure.details["nInserted"])
