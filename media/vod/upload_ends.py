"""How uploads end: stored, refused or aborted, and what must follow from it.

The state in PostgreSQL is the decision, made once under the row's lock. What follows outside the database (objects, the
document) is done after the commit and, when a crash or an outage came between, again until it is done (`settle`).
"""

from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec

from infra.clock import Clock
from infra.logs import get_logger
from infra.stores.objects import NoSuchObject
from infra.stores.postgres import Connection, Postgres
from media.catalog.errors import VideoNotFound
from media.catalog.model import Failure, Video
from media.catalog.videos import Catalogue
from media.vod.errors import ChecksumMismatch, NotAVideo, UploadAborted, UploadIncomplete, UploadLost
from media.vod.magic import container_of
from media.vod.parts import PART_BYTES, missing
from media.vod.ports import Source, Transcoding
from media.vod.upload_model import State, Upload, clean_file_name
from media.vod.upload_repository import UploadRepository
from media.vod.upload_storage import UploadStorage, agrees

MISSING_SHOWN = 1000

log = get_logger(__name__)


class UploadEnds:
    """Every step may be repeated, and by anybody at once: the answer is what is true, not what was tried."""

    def __init__(
        self,
        *,
        db: Postgres,
        repository: UploadRepository,
        storage: UploadStorage,
        catalogue: Catalogue,
        transcoding: Transcoding,
        clock: Clock,
        nudge: Callable[[], None],
    ) -> None:
        self._db = db
        self._repository = repository
        self._storage = storage
        self._catalogue = catalogue
        self._transcoding = transcoding
        self._clock = clock
        self._nudge = nudge

    async def finish(self, upload: Upload, sha256: bytes | None) -> Upload:
        """Close, compare, look, and store or refuse. The upload as it stands then, by us or by who was quicker.

        A crash after any step is made good by asking again: a multipart upload that is gone means that the object may
        be there, and then the rest is done with that.
        """
        async with self._db.connection() as connection:
            sums = await self._repository.sums(connection, upload.video_id)
        absent: list[int] = []
        if (received := await self._storage.received(upload)) is not None:
            absent = missing(upload.size_bytes, upload.part_bytes, received, sums)
            if not absent:
                await self._storage.close(upload, received, sums)
        # Also when parts are absent: while somebody else closes it, SeaweedFS removes them one by one, the object first
        # being there.
        found = await self._storage.found(upload.key)
        if found is None and absent:
            raise UploadIncomplete(missing=absent[:MISSING_SHOWN], missing_count=len(absent))
        if found is None:
            return await self._vanished(upload.video_id)
        if not agrees(found, upload, sums):
            raise ChecksumMismatch
        try:
            head = await self._storage.head(upload.key)
        except NoSuchObject:
            return await self._vanished(upload.video_id)
        if container_of(head, upload.size_bytes) is None:
            return await self._close(upload, "refused", sums, sha256)
        return await self._close(upload, "stored", sums, sha256)

    async def settle(self, upload: Upload) -> Video | None:
        """Do outside the database what follows from how an upload ended. The video, or None when there is none (left).

        Again is fine, and by anybody.
        """
        try:
            video = await self._told(upload)
        except VideoNotFound:
            video = None
        if not upload.settled:
            async with self._db.connection() as connection:
                await self._repository.settled(connection, upload.video_id)
        return video

    async def give_up(self, video_id: str) -> None:
        """Abort what is open; everything else stays."""
        async with self._db.transaction() as connection:
            await self._repository.close(connection, video_id, "aborted", self._clock())
            upload = await self._repository.get(connection, video_id)
        if upload is not None and upload.state == "aborted" and not upload.settled:
            await self.settle(upload)

    async def adopt(self, connection: Connection, source: Source, file_name: str) -> None:
        """Count a file that is in the store already as stored, and request its transcode, in the caller's transaction.

        Never refused for want of room. Twice is once. The document is the caller's, as is `nudge` after the commit.
        """
        now = self._clock()
        upload = Upload(
            video_id=source.video_id, creator_id=source.creator_id, key=source.key, multipart_id=None, is_form=False,
            file_name=clean_file_name(file_name), size_bytes=source.size_bytes,
            part_bytes=source.part_bytes or PART_BYTES,
            sha256=source.sha256, state="stored", settled=False, request_sum=None, created_at=now, expires_at=now,
        )  # fmt: skip
        if await self._repository.insert(connection, upload):
            await self._transcoding.request(connection, source)

    async def remove_source(self, video_id: str) -> None:
        """The video is being deleted: its file goes, and no longer counts. Again is fine."""
        async with self._db.transaction() as connection:
            await self._repository.close(connection, video_id, "aborted", self._clock())
            upload = await self._repository.get(connection, video_id)
        if upload is None:
            return
        await self._storage.remove(upload.key, upload.multipart_id)
        async with self._db.connection() as connection:
            await self._repository.delete(connection, video_id)

    async def _vanished(self, video_id: str) -> Upload:
        """Who refused or aborted it meanwhile removed the object; if nobody did, it is lost."""
        async with self._db.connection() as connection:
            upload = await self._repository.get(connection, video_id)
        if upload is None:
            raise VideoNotFound
        if upload.state == "open":
            raise UploadLost
        return upload

    async def _close(self, upload: Upload, state: State, sums: Mapping[int, bytes], sha256: bytes | None) -> Upload:
        """Whoever locks the row first decides; storing and requesting the transcode are one transaction."""
        async with self._db.transaction() as connection:
            present = await self._repository.lock(connection, upload.video_id)
            if present is None:
                raise VideoNotFound
            if present.state != "open":
                return present
            await self._repository.close(connection, upload.video_id, state, self._clock(), sha256)
            if state == "stored":
                source = Source(
                    video_id=upload.video_id,
                    creator_id=upload.creator_id,
                    key=upload.key,
                    size_bytes=upload.size_bytes,
                    part_bytes=upload.part_bytes,
                    part_sums=tuple(sums[number] for number in sorted(sums)),
                    sha256=sha256 or upload.sha256,
                )
                await self._transcoding.request(connection, source)
        self._nudge()
        log.info("upload.closed", video_id=upload.video_id, state=state, size_bytes=upload.size_bytes)
        return msgspec.structs.replace(present, state=state)

    async def _told(self, upload: Upload) -> Video | None:
        if upload.state == "stored":
            return await self._catalogue.stored(upload.video_id, upload.key, upload.size_bytes)
        if upload.settled:
            return await self._catalogue.get(upload.video_id)
        await self._storage.remove(upload.key, upload.multipart_id)
        if upload.state == "aborted":
            await self._catalogue.discard(upload.video_id)
            return None
        failure = Failure(NotAVideo.code, NotAVideo.message, retryable=False, at=self._clock())
        return await self._catalogue.failed(upload.video_id, failure)


def checked(video_id: str) -> str:
    """Raises `VideoNotFound` for what cannot be an id."""
    try:
        return str(UUID(video_id))
    except ValueError:
        raise VideoNotFound from None


def outcome(upload: Upload, video: Video | None) -> Video:
    """What the sender hears of an upload that is closed and settled.

    Raises `UploadAborted`, `NotAVideo`, and `VideoNotFound` when the video was deleted since.
    """
    if upload.state == "aborted":
        raise UploadAborted
    if upload.state == "refused":
        raise NotAVideo
    if video is None:
        raise VideoNotFound
    return video
