"""Uploads: from the wish to publish a file to the moment it is stored and its transcoding requested.

PostgreSQL says what is so. An upload is open, and then once and for good stored, refused or aborted; what follows
outside the database (objects, the document) is done after the commit and, when a crash or an outage came between, again
until it is done (`settle`). So each step may be repeated, by anybody: the answer is what is true, not what was tried.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Self

import msgspec

from accounts.model import Identity
from accounts.roles import may_create
from infra.clock import Clock, NewId, new_id, system_clock
from infra.errors import Invalid, Unavailable
from infra.logs import get_logger
from infra.outbox import Outbox
from infra.settings import VodSettings
from infra.stores.objects import Objects
from infra.stores.postgres import Connection, Postgres
from media.catalog.errors import VideoNotFound
from media.catalog.model import Video
from media.catalog.videos import Catalogue
from media.vod.errors import (
    PublishersOnly,
    RequestKeyReused,
    UploadAborted,
    UploadIsAForm,
    UploadIsStored,
)
from media.vod.form_upload import FORM_IDLE, FormUploads, Sent, cleaned_up
from media.vod.parts import ReceivedPart, part_bytes_for, part_count, part_length
from media.vod.ports import Source, Transcoding
from media.vod.upload_ends import UploadEnds, checked, outcome
from media.vod.upload_model import (
    FORM_PART_BYTES,
    NewUpload,
    Opened,
    Progress,
    Signed,
    Unfinished,
    Upload,
    Usage,
    as_uploading,
    form_reserves,
    room_for,
)
from media.vod.upload_repository import UploadRepository
from media.vod.upload_storage import FOLDER, UploadStorage
from media.vod.upload_sweeper import UploadSweeper

URL_SECONDS = 3600
ASKED_AT_ONCE = 8  # uploads whose parts are looked up, as many as storage has threads
OPENING = timedelta(minutes=10)  # an upload that was not begun by then never will be
REQUEST_KEYS_LIVE = timedelta(hours=24)
MISSING_SHOWN = 1000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announced:
    """How long a form said it is; None when it did not."""

    bytes: int | None


class Uploads:
    """The service. Every method raises `Unavailable` when a store does not answer; what was sent is kept then."""

    def __init__(
        self,
        *,
        db: Postgres,
        storage: UploadStorage,
        catalogue: Catalogue,
        transcoding: Transcoding,
        settings: VodSettings,
        clock: Clock,
        new_id: NewId,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        """`nudge`: called after a transcode was requested, so that the outbox does not wait for its poll."""
        self._repository = UploadRepository()
        self.ends = UploadEnds(
            db=db,
            repository=self._repository,
            storage=storage,
            catalogue=catalogue,
            transcoding=transcoding,
            clock=clock,
            nudge=nudge,
        )
        self._db = db
        self._storage = storage
        self._catalogue = catalogue
        self._settings = settings
        self._clock = clock
        self._new_id = new_id
        self._forms = FormUploads(storage)

    @classmethod
    def over(
        cls,
        db: Postgres,
        objects: Objects,
        catalogue: Catalogue,
        transcoding: Transcoding,
        outbox: Outbox,
        settings: VodSettings,
    ) -> Self:
        """The service as the program uses it."""
        return cls(
            db=db,
            storage=UploadStorage(objects),
            catalogue=catalogue,
            transcoding=transcoding,
            settings=settings,
            clock=system_clock,
            new_id=new_id,
            nudge=outbox.nudge,
        )

    def sweeper(self, origins: Sequence[str]) -> UploadSweeper:
        """Ends what nobody ends. Pages of `origins` may send files to storage."""
        return UploadSweeper(self._db, self._storage, self.ends, origins, self._clock)

    # --- the resumable way

    async def open(self, who: Identity, wanted: NewUpload, request_key: str | None = None) -> Opened:
        """Begin. The same `request_key` within 24 hours gets what it got before.

        Raises `PublishersOnly`, `TextRefused`, `UploadTooLarge`, `TooManyUploads`, `QuotaExceeded`, `RequestKeyReused`.
        """
        _publishers_only(who)
        cleaned = wanted.cleaned()
        upload, _ = await self._reserve(who, cleaned, request_key)
        try:
            video, upload = await self._begin(who, cleaned, upload)
        except BaseException:
            await cleaned_up(self._leave_unbegun(upload.video_id))
            raise
        return Opened(video, await self._progress(upload))

    async def state(self, who: Identity, video_id: str) -> Progress:
        """What is there. Raises `VideoNotFound`."""
        return await self._progress(await self._own(who, video_id))

    async def sign(self, who: Identity, video_id: str, parts: Mapping[int, bytes]) -> Signed:
        """URLs for `{number: SHA-256}`, and a new lease of life for the upload. A part may be sent any number of times.

        Raises `VideoNotFound`, `UploadIsStored`, `UploadAborted`, `UploadIsAForm`, `Invalid`.
        """
        now = self._clock()
        async with self._db.transaction() as connection:
            upload = _resumable(_owned(who, await self._repository.lock(connection, checked(video_id))))
            if wrong := sorted(number for number in parts if not 1 <= number <= upload.parts):
                raise Invalid(fields={"parts": f"there is no part {wrong[0]}; they are 1 to {upload.parts}"})
            await self._repository.put_sums(connection, upload.video_id, parts)
            await self._repository.extend(connection, upload.video_id, self._end_of_life(now))
        urls = await self._storage.sign(upload, parts, URL_SECONDS)
        return Signed(urls, now + timedelta(seconds=URL_SECONDS))

    async def complete(self, who: Identity, video_id: str, sha256: bytes | None = None) -> Video:
        """All parts are sent: the video, being processed. Twice is fine, and at once too.

        Raises `VideoNotFound`, `UploadIncomplete`, `ChecksumMismatch`, `NotAVideo`, `UploadAborted`, `UploadLost`.
        """
        upload = await self._own(who, video_id)
        if upload.state == "open":
            upload = await self.ends.finish(_resumable(upload), sha256)
        video = await self.ends.settle(upload)
        return outcome(upload, video)

    async def abort(self, who: Identity, video_id: str) -> None:
        """Give it up; what was sent is removed. Twice is fine. Raises `VideoNotFound`, `UploadIsStored`."""
        upload = await self._own(who, video_id)
        if upload.state == "stored":
            raise UploadIsStored
        await self.ends.give_up(upload.video_id)

    async def unfinished(self, who: Identity) -> Unfinished:
        """What one can go on with, from whatever device. Raises `PublishersOnly`."""
        _publishers_only(who)
        async with self._db.connection() as connection:
            uploads = await self._repository.open_of(connection, who.user_id)
            usage = await self._usage(connection, who.user_id)
        videos = {video.id: video for video in await self._catalogue.many([upload.video_id for upload in uploads])}
        shown = [upload for upload in uploads if upload.video_id in videos]
        found: list[Opened] = []
        for start in range(0, len(shown), ASKED_AT_ONCE):
            some = shown[start : start + ASKED_AT_ONCE]
            progress = await asyncio.gather(*(self._progress(upload) for upload in some))
            found += [Opened(videos[one.upload.video_id], one) for one in progress]
        return Unfinished(found, usage)

    # --- the way of a form

    async def store(
        self,
        who: Identity,
        wanted: NewUpload,
        chunks: AsyncIterator[bytes],
        *,
        at_most: int | None = None,
        request_key: str | None = None,
    ) -> Video:
        """Store a file as it arrives. `at_most`: as many bytes were announced. Nothing is left when it does not come to
        its end, whatever ends it. Raises what `open` and `complete` raise, `UploadsBusy`, `UploadTooSlow`.
        """
        _publishers_only(who)
        cleaned = wanted.cleaned()
        async with self._forms.place(who.user_id):
            upload, is_new = await self._reserve(who, cleaned, request_key, form=Announced(at_most))
            if not is_new:
                return await self._as_before(upload)
            try:
                video, upload = await self._begin(who, cleaned, upload)
                sent = await self._forms.send(upload, chunks, self._still_open)
                upload = await self._measured(upload, sent)
                upload = await self.ends.finish(upload, sent.sha256)
            except BaseException:
                await cleaned_up(self.ends.give_up(upload.video_id))
                raise
        try:
            return outcome(upload, await self.ends.settle(upload))
        except Unavailable as away:
            if upload.state != "stored":
                raise
            # It is stored and will be a video: whoever heard "failed" would send it again.
            log.error("upload.told_later", video_id=upload.video_id, code=away.code)
            return msgspec.structs.replace(video, status="processing", upload_url=upload.key)

    # --- what others bring and take

    async def adopt(self, connection: Connection, source: Source, file_name: str) -> None:
        """Count a file that is in the store already as stored, and request its transcode, in the caller's transaction.

        Never refused for want of room. Twice is once. The document is the caller's, as is `nudge` after the commit.
        """
        await self.ends.adopt(connection, source, file_name)

    async def remove_source(self, video_id: str) -> None:
        """The video is being deleted: its file goes, and no longer counts. Again is fine."""
        await self.ends.remove_source(video_id)

    async def usage(self, user_id: str) -> Usage:
        """What an account's uploads take."""
        async with self._db.connection() as connection:
            return await self._usage(connection, user_id)

    # --- beginning

    async def _reserve(
        self, who: Identity, wanted: NewUpload, request_key: str | None, form: Announced | None = None
    ) -> tuple[Upload, bool]:
        """A row for it and whether it is a new one: under the account's lock, so that two cannot share one room."""
        now = self._clock()
        async with self._db.transaction() as connection:
            await self._repository.lock_account(connection, who.user_id)
            if request_key is not None:
                since = now - REQUEST_KEYS_LIVE
                if known := await self._repository.by_request(connection, who.user_id, request_key, since):
                    if known.request_sum != wanted.sum() or known.is_form != (form is not None):
                        raise RequestKeyReused
                    return known, False
            usage = await self._usage(connection, who.user_id)
            upload = self._new(who, wanted, now, form_reserves(form.bytes, usage, self._settings) if form else None)
            room_for(upload.size_bytes, usage, self._settings)
            await self._repository.insert(connection, upload, request_key)
        return upload, True

    def _new(self, who: Identity, wanted: NewUpload, now: datetime, form_bytes: int | None) -> Upload:
        video_id = self._new_id()
        size_bytes = wanted.size_bytes if form_bytes is None else form_bytes
        return Upload(
            video_id=video_id,
            creator_id=who.user_id,
            key=f"{FOLDER}{video_id}/{token_hex(8)}/source",
            multipart_id=None,
            is_form=form_bytes is not None,
            file_name=wanted.file_name,
            size_bytes=size_bytes,
            part_bytes=part_bytes_for(size_bytes) if form_bytes is None else FORM_PART_BYTES,
            sha256=None,
            state="open",
            settled=False,
            request_sum=wanted.sum(),
            created_at=now,
            expires_at=now + OPENING,
        )

    async def _begin(self, who: Identity, wanted: NewUpload, upload: Upload) -> tuple[Video, Upload]:
        """Everything an upload needs before its first part; nothing, when it was begun before."""
        if upload.multipart_id is not None:
            return await self._catalogue.get(upload.video_id), upload
        multipart_id = await self._storage.begin(upload.key)
        video = await self._catalogue.create(
            as_uploading(upload.video_id, wanted, who.user_id, who.display_name, upload.created_at)
        )
        async with self._db.transaction() as connection:
            ends = self._end_of_life(self._clock(), upload.is_form)
            is_ours = await self._repository.begun(connection, upload.video_id, multipart_id, ends)
            present = await self._repository.get(connection, upload.video_id)
        if not is_ours:  # the same request came twice at once
            await self._storage.abort(upload.key, multipart_id)
        if present is None or present.state == "aborted":  # and the other one failed
            await self._catalogue.discard(upload.video_id)
            raise Unavailable
        return video, present

    async def _leave_unbegun(self, video_id: str) -> None:
        """Free the room of an upload that could not begin; not of one that another request has begun meanwhile."""
        async with self._db.transaction() as connection:
            upload = await self._repository.lock(connection, video_id)
            if upload is None or upload.multipart_id is not None:
                return
            await self._repository.close(connection, video_id, "aborted", self._clock())
        await self.ends.give_up(video_id)

    def _end_of_life(self, now: datetime, is_form: bool = False) -> datetime:
        return now + (FORM_IDLE if is_form else timedelta(days=self._settings.upload_days))

    async def _usage(self, connection: Connection, user_id: str) -> Usage:
        used_bytes, unfinished = await self._repository.usage(connection, user_id)
        return Usage(used_bytes, self._settings.upload_quota_bytes, unfinished)

    # --- on its way

    async def _own(self, who: Identity, video_id: str) -> Upload:
        async with self._db.connection() as connection:
            return _owned(who, await self._repository.get(connection, checked(video_id)))

    async def _progress(self, upload: Upload) -> Progress:
        async with self._db.connection() as connection:
            sums = await self._repository.sums(connection, upload.video_id)
        return Progress(upload, await self._received(upload, len(sums)), sums)

    async def _received(self, upload: Upload, signed: int) -> list[ReceivedPart]:
        if upload.state != "open":
            return _all_parts(upload) if upload.state == "stored" else []
        received = await self._storage.received(upload)
        # Closed, but not yet stored: a crash was in between, or somebody is just doing it.
        if (received is None or len(received) < signed) and await self._storage.found(upload.key):
            return _all_parts(upload)
        return list((received or {}).values())

    async def _still_open(self, video_id: str) -> bool:
        async with self._db.connection() as connection:
            return await self._repository.extend(connection, video_id, self._clock() + FORM_IDLE)

    async def _measured(self, upload: Upload, sent: Sent) -> Upload:
        async with self._db.transaction() as connection:
            if not await self._repository.measured(connection, upload.video_id, sent.size_bytes, sent.sha256):
                raise UploadAborted
            await self._repository.put_sums(connection, upload.video_id, sent.sums)
        return msgspec.structs.replace(upload, size_bytes=sent.size_bytes, sha256=sent.sha256)

    async def _as_before(self, upload: Upload) -> Video:
        """The answer to a form whose request key is known."""
        if upload.state == "open":
            raise UploadIsAForm
        return outcome(upload, await self.ends.settle(upload))


def _publishers_only(who: Identity) -> None:
    if not may_create(who.role):
        raise PublishersOnly


def _owned(who: Identity, upload: Upload | None) -> Upload:
    """Nobody else needs to know of it, admins neither."""
    if upload is None or upload.creator_id != who.user_id:
        raise VideoNotFound
    return upload


def _resumable(upload: Upload) -> Upload:
    """Raises what keeps one from going on with it."""
    if upload.state == "stored":
        raise UploadIsStored
    if upload.state != "open":
        raise UploadAborted
    if upload.is_form:
        raise UploadIsAForm
    return upload


def _all_parts(upload: Upload) -> list[ReceivedPart]:
    numbers = range(1, part_count(upload.size_bytes, upload.part_bytes) + 1)
    lengths = ((number, part_length(number, upload.size_bytes, upload.part_bytes)) for number in numbers)
    return [ReceivedPart(number=number, size_bytes=length, etag="") for number, length in lengths]
