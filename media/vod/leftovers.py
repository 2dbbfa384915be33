"""Deletes what nobody needs any more: folders of builds that were given up, replaced or whose video is deleted.

What is to go was written down in the transaction that made it useless, with a time by which every worker has heard of
it. So nothing is found by listing the whole store, and nothing is forgotten by a crash.
"""

from infra.logs import get_logger
from infra.stores.objects import Objects
from infra.stores.postgres import Postgres
from media.vod.task_repository import TaskRepository

BATCH = 20
KEYS_A_CALL = 1000  # as many as S3 lists and deletes at once

log = get_logger(__name__)


class Leftovers:
    """Any number may sweep at once: deleting twice is fine."""

    def __init__(self, db: Postgres, objects: Objects) -> None:
        self._db = db
        self._objects = objects
        self._repository = TaskRepository()

    async def sweep(self) -> int:
        """Delete what is due; how many files there were. Raises `PostgresUnavailable`, `ObjectsUnavailable`."""
        async with self._db.connection() as connection:
            due = await self._repository.leftovers(connection, BATCH)
        deleted = 0
        for prefix, due_at in due:
            deleted += await self._delete(prefix)
            async with self._db.connection() as connection:
                await self._repository.forget_leftover(connection, prefix, due_at)
        if deleted:
            log.info("leftovers.deleted", files=deleted, folders=len(due))
        return deleted

    async def _delete(self, prefix: str) -> int:
        """Files whose key begins so. The first page again and again: what was deleted is not listed."""
        deleted = 0
        while True:
            page = await self._objects.call("list_objects_v2", Prefix=prefix, MaxKeys=KEYS_A_CALL)
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if not keys:
                return deleted
            answer = await self._objects.call("delete_objects", Delete={"Objects": keys, "Quiet": True})
            if errors := answer.get("Errors"):
                log.error("leftovers.kept", prefix=prefix, files=len(errors), code=errors[0].get("Code"))
                return deleted
            deleted += len(keys)
