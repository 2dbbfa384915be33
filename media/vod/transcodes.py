"""Asking for videos to be made: what the API does with the work, inside its own transactions.

`Transcodes` implements `media.vod.ports.Transcoding` for our own transcoders. Whoever calls it nudges the outbox after
the transaction; the event is only a nudge, the work stands in the table.
"""

import secrets
import string

from infra.clock import Clock
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.stores.postgres import Connection
from media.events import TranscodeRequested
from media.vod.ports import Source
from media.vod.task_repository import TaskRepository
from media.vod.tasks import first_task

BUILD_LETTERS = string.ascii_lowercase + string.digits
BUILD_LENGTH = 12
POSTER_LENGTH = 16
# A worker that has not heard of the end yet writes for at most its lease (600 s) and the calls in hand.
LEFT_SECONDS = 900.0

log = get_logger(__name__)


def new_build() -> str:
    """The name of a folder that never was."""
    return _random(BUILD_LENGTH)


def new_poster() -> str:
    """What no one can guess: posters are the one thing served without a cookie."""
    return _random(POSTER_LENGTH)


def build_folder(video_id: str, build: str) -> str:
    """The key prefix of everything that is made of a video in one build."""
    return f"vod/{video_id}/{build}/"


def poster_key(video_id: str, poster: str) -> str:
    return f"posters/{video_id}/{poster}.jpg"


class Transcodes:
    """Requests, second tries and ends of the work, each in the caller's transaction."""

    def __init__(self, outbox: Outbox, clock: Clock, *, left_seconds: float = LEFT_SECONDS) -> None:
        self._outbox = outbox
        self._clock = clock
        self._left_seconds = left_seconds
        self._repository = TaskRepository()

    async def request(self, connection: Connection, source: Source) -> None:
        """Make a video of it. Asked twice for one video, it is done once."""
        if await self._repository.insert(connection, source, new_build(), new_poster()):
            await self._repository.add(connection, source.video_id, [first_task(source.size_bytes)])
            await self._nudge(connection, source.video_id)
            log.info("transcode.requested", video_id=source.video_id, size_bytes=source.size_bytes)

    async def again(self, connection: Connection, video_id: str) -> bool:
        """Begin anew what failed, in a new build; false when there is nothing that failed."""
        row = await self._repository.lock(connection, video_id)
        if row is None or row["state"] not in ("failing", "failed"):
            return False
        await self._repository.leave(connection, _files_of(row), self._left_seconds)
        await self._repository.start_over(connection, video_id, new_build(), new_poster())
        await self._repository.add(connection, video_id, [first_task(row["size_bytes"])])
        await self._nudge(connection, video_id)
        log.info("transcode.again", video_id=video_id)
        return True

    async def is_under_way(self, connection: Connection, video_id: str) -> bool:
        row = await self._repository.lock(connection, video_id)
        return row is not None and row["state"] == "running"

    async def cancel(self, connection: Connection, video_id: str) -> None:
        """Stop, and forget: workers notice at their next heartbeat, what they still write is deleted afterwards."""
        row = await self._repository.lock(connection, video_id)
        if row is None:
            return
        await self._repository.leave(connection, _files_of(row), self._left_seconds)
        await self._repository.delete(connection, video_id)
        log.info("transcode.cancelled", video_id=video_id, was=row["state"])

    async def _nudge(self, connection: Connection, video_id: str) -> None:
        await self._outbox.add(connection, TranscodeRequested(at=self._clock(), video_id=video_id))


def _files_of(row: dict[str, str]) -> tuple[str, str]:
    video_id = str(row["video_id"])
    return build_folder(video_id, row["build"]), poster_key(video_id, row["poster"])


def _random(length: int) -> str:
    return "".join(secrets.choice(BUILD_LETTERS) for _ in range(length))
