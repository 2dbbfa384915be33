"""Files that come through us as one form: cut into parts as the bytes arrive, and sent on.

Memory is bounded by buffers, not by senders: a part is collected and sent in one of `BUFFERS` places of 5 MiB, and who
has none is not read from, so that the sender's own machine waits. Nobody keeps a place longer than `PART_SECONDS`
before the part is sent, and no account has more than `BUFFERS_OF_A_USER`: the rest of its files wait for each other.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from infra.errors import FootlightError
from infra.logs import get_logger
from infra.stores.objects import NoSuchObject
from media.vod.errors import NotAVideo, UploadAborted, UploadsBusy, UploadTooLarge, UploadTooSlow
from media.vod.form_buffers import Buffers, Part, collect
from media.vod.magic import HEAD_BYTES, container_of
from media.vod.upload_model import FORM_PART_BYTES, Upload
from media.vod.upload_storage import UploadStorage

BUFFERS = 5  # 25 MiB for all forms of a process, however many there are
BUFFERS_OF_A_USER = 2
FORMS_AT_ONCE = 40
FORMS_OF_A_USER = 20
PART_SECONDS = 120.0  # to collect a part of 5 MiB: 350 kbit/s
PLACE_SECONDS = 600.0  # to wait for a buffer
MOST_SECONDS = 12 * 3600.0
FORM_IDLE = timedelta(minutes=15)  # a form not heard of for so long lost its process; longer than both waits together

log = get_logger(__name__)


class Sent(msgspec.Struct, frozen=True):
    """A file that is in the store, in parts."""

    size_bytes: int
    sums: dict[int, bytes]
    sha256: bytes


class FormUploads:
    """One for a process."""

    def __init__(self, storage: UploadStorage) -> None:
        self._storage = storage
        self._buffers = Buffers(BUFFERS, FORM_PART_BYTES, BUFFERS_OF_A_USER)
        self._of_users: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, user_id: str) -> AsyncIterator[None]:
        """A place for one form. Raises `UploadsBusy` when there is none for this user, or for anybody."""
        if self._of_users.total() >= FORMS_AT_ONCE or self._of_users[user_id] >= FORMS_OF_A_USER:
            raise UploadsBusy(retry_after_ms=5000)
        self._of_users[user_id] += 1
        try:
            yield
        finally:
            self._of_users -= Counter({user_id: 1})  # forgets who has none

    async def send(self, upload: Upload, chunks: AsyncIterator[bytes], go_on: Callable[[str], Awaitable[bool]]) -> Sent:
        """Send it all on. `go_on` is asked after each part, and false ends it.

        Raises `NotAVideo` as soon as that is seen, `UploadTooLarge` beyond `upload.size_bytes`, `UploadTooSlow`,
        `UploadsBusy`, `UploadAborted`, and what `chunks` raises.
        """
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await self._send(upload, chunks, go_on)
        except TimeoutError:
            raise UploadTooSlow from None

    async def _send(
        self, upload: Upload, chunks: AsyncIterator[bytes], go_on: Callable[[str], Awaitable[bool]]
    ) -> Sent:
        sending = _Sending(upload)
        rest, is_over = b"", False
        while not is_over:
            part = await self._buffers.take(upload.creator_id, PLACE_SECONDS)
            call: asyncio.Future[None] | None = None
            try:
                async with asyncio.timeout(PART_SECONDS):
                    rest, is_over = await collect(chunks, rest, part)
                sending.check(part)
                if part.content:
                    # A thread reads the part until it is sent, also when we are cancelled; the place is free then.
                    call = asyncio.ensure_future(self._storage.run(partial(sending.put, self._storage, part)))
                    await asyncio.shield(call)
            except NoSuchObject:
                raise UploadAborted from None
            finally:
                self._give_back(upload.creator_id, part, call)
            if not await go_on(upload.video_id):
                raise UploadAborted
        return sending.sent()

    def _give_back(self, user_id: str, part: Part, call: asyncio.Future[None] | None) -> None:
        if call is None or call.done():
            self._buffers.give_back(user_id, part)
            return

        def over(done: asyncio.Future[None]) -> None:
            self._buffers.give_back(user_id, part)
            if not done.cancelled():
                done.exception()  # nobody is there to hear it

        call.add_done_callback(over)


class _Sending:
    """What is known of a file on its way."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._sums: dict[int, bytes] = {}
        self._whole = hashlib.sha256()
        self._size_bytes = 0

    def check(self, part: Part) -> None:
        limit = self._upload.size_bytes
        if not self._sums and container_of(bytes(part.content[:HEAD_BYTES]), limit) is None:
            raise NotAVideo
        if self._size_bytes + len(part.content) > limit:
            raise UploadTooLarge(max_bytes=limit)

    def put(self, storage: UploadStorage, part: Part) -> None:
        """Runs in a thread: checksums of 5 MiB take some ms, and the rest waits for storage."""
        number, sha256 = len(self._sums) + 1, hashlib.sha256(part.content).digest()
        storage.put_part(self._upload, number, part, sha256)
        self._whole.update(part.content)
        self._sums[number] = sha256
        self._size_bytes += len(part.content)

    def sent(self) -> Sent:
        return Sent(self._size_bytes, self._sums, self._whole.digest())


async def cleaned_up(work: Coroutine[Any, Any, Any]) -> None:
    """Clean up, also while being cancelled; what fails now the sweeper does later."""
    try:
        await asyncio.shield(asyncio.ensure_future(work))
    except FootlightError as failure:
        log.error("upload.cleanup_later", code=failure.code)
