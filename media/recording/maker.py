"""One video of each stream that ended: the pieces become one file, the catalogue gets a video, the transcoders work.

Any number of workers may do this. A recording is claimed for a while and held while somebody works at it; file first,
document second, and in one transaction the transcode is requested and the recording called made. Its video's id follows
from the stream, so whatever is repeated ends in the same video. The pieces go when the video is ready or deleted.

What cannot be made is given up (`failing.py`): its creator gets a failed video with the reason and can have it tried
again for `KEPT`; then the pieces go, and the video stays failed until its creator deletes it.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from infra.bus.port import Bus, Message, Subscription
from infra.clock import Clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.objects import Objects
from infra.stores.postgres import Connection, Postgres
from media.catalog.errors import VideoNotFound
from media.catalog.model import Failure, Metadata, Recording, Video
from media.events import StreamEnded
from media.live.repository import StreamRepository
from media.live.state import Stream
from media.recording.failing import KEPT, MOST_FAILURES, failure_of, is_our_trouble, is_over
from media.recording.joining import moved, with_duration
from media.recording.model import PREFIX
from media.recording.multipart import store
from media.recording.plan import MIN_SECONDS, Placed, place, spans, stretches, total_seconds, usable
from media.recording.repository import Due, RecordingRepository
from media.recording.sources import Joined, one_form
from media.vod.errors import LeaseLost
from media.vod.ports import Source

GROUP = "recordings"
LOOK_SECONDS = 5.0
HELD = timedelta(seconds=60)
HOLD_SECONDS = 15.0
# What a live process still has is waited for while it is heard of, and for so long after that: a machine that restarts
# comes back within minutes, and its spool with it.
PATIENCE = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=1)
NAMESPACE = UUID("6f1c1c9e-8a52-4d0e-9d0b-6a3a8f0a7b11")
CUT_SHORT = "The recording ends before the stream did."
KEYS_AT_ONCE = 1000  # S3 deletes so many with one call

log = get_logger(__name__)


class Shelf(Protocol):
    """The part of the catalogue that is needed."""

    async def get(self, video_id: str) -> Video: ...

    async def create(self, video: Video) -> Video: ...

    async def failed(self, video_id: str, failure: Failure) -> Video: ...

    async def recorded(self, video_id: str, recording: Recording, upload_url: str, file_size: int) -> Video: ...

    async def beyond_repair(self, video_id: str) -> Video: ...


class Adopting(Protocol):
    """The part of uploads that is needed."""

    async def adopt(self, connection: Connection, source: Source, file_name: str) -> None: ...


def video_id_of(stream: Stream) -> str:
    """The same for one stream always; it sorts where the stream ended, as ids of other videos do by their birth."""
    ended = int((stream.ended_at or stream.created_at).timestamp() * 1000)
    number = ended << 80 | int.from_bytes(sha256(NAMESPACE.bytes + UUID(stream.id).bytes).digest()[:10], "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=number & ~(0x3 << 62) | 0x2 << 62))


def source_key(video_id: str) -> str:
    """The same always, so that a repeat leaves no second file."""
    return f"uploads/{video_id}/{sha256(NAMESPACE.bytes + UUID(video_id).bytes).hexdigest()[:16]}/source"


class Maker:
    """`run` until cancelled; `wake` makes it look at once."""

    def __init__(
        self,
        *,
        db: Postgres,
        objects: Objects,
        catalogue: Shelf,
        uploads: Adopting,
        ffmpeg: str,
        clock: Clock,
        nudge: Callable[[], None] = lambda: None,
        patience: timedelta = PATIENCE,
    ) -> None:
        """`nudge`: called after a transcode was requested. `on_failed` hears of recordings that are given up."""
        self._db = db
        self._objects = objects
        self._catalogue = catalogue
        self._uploads = uploads
        self._ffmpeg = ffmpeg
        self._clock = clock
        self._nudge = nudge
        self.on_failed: Callable[[], None] = lambda: None
        self._patience = patience
        self._repository = RecordingRepository()
        self._streams = StreamRepository()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Work at what is due, until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except FootlightError as failure:
                log.info("recordings.wait", code=failure.code)
            except Exception:  # one bad recording must not be the end of all others
                log.exception("recordings.failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def step(self) -> bool:
        """Work at one recording; false when none is due. Raises what its stores raise; it is tried again later."""
        now = self._clock()
        async with self._db.connection() as connection:
            due = await self._repository.claim(connection, now, now + HELD, self._patience)
        if due is None:
            return False
        try:
            await self._while_held(due, self._work(due))
        except BaseException as failure:
            await asyncio.shield(self._after(due, failure))
            raise
        return True

    async def _work(self, due: Due) -> None:
        if due.state != "open":
            await self._tidy(due)
        elif due.failures > MOST_FAILURES:  # whoever tried it last did not live to give it up
            await self._give_up(due, None)
        else:
            await self._make(due)

    # --- failing

    async def _after(self, due: Due, failure: BaseException) -> None:
        """Give it up, or try it again later."""
        if isinstance(failure, LeaseLost):
            return
        is_stopped = not isinstance(failure, Exception)
        if is_our_trouble(failure):
            with contextlib.suppress(FootlightError):
                async with self._db.connection() as connection:
                    await self._repository.forgive(connection, due)
            due = replace(due, failures=due.failures - 1)
        if due.state == "open" and not is_stopped and is_over(due, self._clock()):
            try:
                await self._give_up(due, failure)
                return
            except FootlightError as away:  # it is told when the stores are back
                log.error("recording.give_up_later", stream_id=due.stream_id, code=away.code)
        await self._put_off(due)

    async def _give_up(self, due: Due, cause: BaseException | None) -> None:
        """Document first, row second: a repeat changes nothing. Raises what the stores raise."""
        now = self._clock()
        async with self._db.connection() as connection:
            if not await self._repository.hold(connection, due.stream_id, due.attempts, now + HELD):
                return
            stream = await self._streams.get(connection, due.stream_id)
        if stream is None:
            await self._forget(due.stream_id)
            return
        video, failure = self._video(due, stream, Recording(stream.id)), failure_of(cause, now)
        try:
            await self._catalogue.create(msgspec.structs.replace(video, status="failed", failure=failure))
            await self._catalogue.failed(video.id, failure)  # it may have been there
        except VideoNotFound:
            await self._forget(due.stream_id)
            return
        async with self._db.connection() as connection:
            if not await self._repository.failed(connection, due, video.id, now + KEPT):
                return
        why = type(cause).__name__ if cause else "its workers died"
        log.error("recording.given_up", stream_id=due.stream_id, video_id=video.id, why=why, tries=due.attempts)
        self.on_failed()

    # --- making

    async def _make(self, due: Due) -> None:
        async with self._db.connection() as connection:
            stream = await self._streams.get(connection, due.stream_id)
            pieces = usable(await self._repository.pieces(connection, due.stream_id))
        found = stretches(pieces)
        if stream is None or total_seconds(found) < MIN_SECONDS:
            log.info("recording.none", stream_id=due.stream_id, seconds=round(total_seconds(found), 1))
            await self._forget(due.stream_id)
            return
        video_id = video_id_of(stream)
        with tempfile.TemporaryDirectory(prefix="footlight-recording-") as folder:
            joined = await one_form(self._objects, found, self._ffmpeg, Path(folder))
            placed = place(joined.stretches)
            times = spans(placed, joined.stretches)
            size_bytes = await store(self._objects, source_key(video_id), file_of(joined, placed))
        await self._publish(due, stream, Recording(stream.id, times), size_bytes)

    async def _publish(self, due: Due, stream: Stream, recording: Recording, size_bytes: int) -> None:
        video_id = video_id_of(stream)
        key = source_key(video_id)
        try:
            await self._catalogue.create(self._video(due, stream, recording, key, size_bytes))
            await self._catalogue.recorded(video_id, recording, key, size_bytes)  # there is one that failed
        except VideoNotFound:  # deleted by its creator, between two attempts of ours
            await self._objects.call("delete_object", Key=key)
            await self._forget(due.stream_id)
            return
        source = Source(video_id, stream.creator_id, key, size_bytes)
        async with self._db.transaction() as connection:
            if not await self._repository.made(connection, due, video_id, self._clock()):
                return
            await self._uploads.adopt(connection, source, f"{stream.title}.mp4")
        self._nudge()
        log.info("recording.made", stream_id=stream.id, video_id=video_id, size_bytes=size_bytes)

    def _video(
        self, due: Due, stream: Stream, recording: Recording, key: str | None = None, size_bytes: int = 0
    ) -> Video:
        now = self._clock()
        moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return Video(
            id=video_id_of(stream),
            creator_id=stream.creator_id,
            creator_name=stream.creator_name,
            title=stream.title,
            description=CUT_SHORT if due.cut_short else "",
            category=stream.category,
            visibility=stream.visibility,
            status="processing",
            upload_url=key,
            metadata=Metadata(file_size=size_bytes),
            recording=recording,
            created_at=moment,
            updated_at=moment,
        )

    # --- tidying

    async def _tidy(self, due: Due) -> None:
        """The pieces are kept until there is something better."""
        try:
            video = await self._catalogue.get(due.video_id or "")
        except VideoNotFound:
            await self._forget(due.stream_id)
            return
        if due.state in ("failed", "spent"):
            async with self._db.connection() as connection:
                if not await self._repository.spent(connection, due):
                    return
            await self._catalogue.beyond_repair(video.id)
            log.info("recording.spent", stream_id=due.stream_id, video_id=video.id)
        if due.state in ("failed", "spent") or video.status == "ready":
            await self._forget(due.stream_id)
        else:
            await self._put_off(due)

    async def _forget(self, stream_id: str) -> None:
        """Objects first: rows say what is left to do."""
        prefix = f"{PREFIX}/{stream_id}/"
        while keys := await self._keys(prefix):
            deleted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            await self._objects.call("delete_objects", Delete=deleted)
        async with self._db.transaction() as connection:
            await self._repository.done(connection, stream_id)

    async def _keys(self, prefix: str) -> list[str]:
        answer = await self._objects.call("list_objects_v2", Prefix=prefix, MaxKeys=KEYS_AT_ONCE)
        return [one["Key"] for one in answer.get("Contents", ())]

    # --- holding

    async def _while_held(self, due: Due, work: Coroutine[None, None, None]) -> None:
        """Do it, and see to it that nobody else takes it meanwhile. Raises `LeaseLost` when somebody did."""
        working, holding = asyncio.create_task(work), asyncio.create_task(self._hold(due))
        try:
            await asyncio.wait({working, holding}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await holding
                raise LeaseLost
            await working
        finally:
            for task in (working, holding):
                task.cancel()
            await asyncio.gather(working, holding, return_exceptions=True)

    async def _hold(self, due: Due) -> None:
        """Until somebody else has it."""
        while True:
            await asyncio.sleep(HOLD_SECONDS)
            async with self._db.connection() as connection:
                if not await self._repository.hold(connection, due.stream_id, due.attempts, self._clock() + HELD):
                    return

    async def _put_off(self, due: Due) -> None:
        """Later, and later each time."""
        pause = min(timedelta(seconds=5) * 2 ** min(due.attempts - 1, 20), LONGEST_PAUSE)
        with contextlib.suppress(FootlightError):  # it is due again when nobody holds it
            async with self._db.connection() as connection:
                await self._repository.hold(connection, due.stream_id, due.attempts, self._clock() + pause)


async def file_of(joined: Joined, placed: list[Placed]) -> AsyncIterator[bytes]:
    """The bytes of the file, a piece at a time."""
    seconds = placed[-1].begin / placed[-1].piece.picture.timescale + placed[-1].piece.duration_seconds
    yield with_duration(joined.header, seconds)
    sequence = 1
    for one in placed:
        data, sequence = moved(await joined.pieces.of(one.piece), one, sequence)
        yield data


async def follow_ended(bus: Bus, maker: Maker) -> Subscription:
    """Look at once when a stream ended, until the subscription is closed; what is lost is found anyway."""

    async def heard(_: Message) -> None:
        maker.wake()

    return await bus.subscribe(GROUP, [StreamEnded.topic], heard)
