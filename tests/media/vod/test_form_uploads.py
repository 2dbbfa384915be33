"""Files that come as a form: bounded memory, bounded time, and nothing left of what does not come to its end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from accounts.model import Identity
from media.vod import form_upload
from media.vod.errors import NotAVideo, UploadAborted, UploadIsAForm, UploadsBusy, UploadTooLarge, UploadTooSlow
from media.vod.form_buffers import Buffers
from media.vod.upload_model import FORM_PART_BYTES
from media.vod.upload_storage import UploadStorage
from tests.media.vod.upload_stage import MIB, UploadStage, stream, video_file, wanted

FILE = video_file(11 * MIB + 7)
SMALL = video_file(5000)


class Held:
    """A file whose sender stops in the middle until told to go on."""

    def __init__(self, file: bytes, after_bytes: int) -> None:
        self._file = file
        self._after = after_bytes
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._file[: self._after]
        self.arrived.set()
        await self.go_on.wait()
        yield self._file[self._after :]


async def left(uploading: UploadStage, who: Identity) -> tuple[list[str], int, int]:
    """Objects, multipart uploads, bytes counted."""
    used = (await uploading.uploads.usage(who.user_id)).used_bytes
    return await uploading.files(), await uploading.parts_lying_about(), used


@pytest.mark.parametrize("size", [100, FORM_PART_BYTES, FORM_PART_BYTES + 1, 2 * FORM_PART_BYTES])
async def test_a_file_of_any_length_arrives_whole(uploading: UploadStage, mara: Identity, size: int) -> None:
    file = video_file(size)
    video = await uploading.uploads.store(mara, wanted(), stream(file, 999_983), at_most=size + 500)
    assert (video.status, video.metadata.file_size) == ("processing", size)
    assert await uploading.content(video.upload_url or "") == file
    (source,) = uploading.transcoding.sources
    assert source.sha256 == hashlib.sha256(file).digest()
    assert source.part_sums == tuple(
        hashlib.sha256(file[at : at + FORM_PART_BYTES]).digest() for at in range(0, size, FORM_PART_BYTES)
    )
    assert (await uploading.uploads.usage(mara.user_id)).used_bytes == size


async def test_a_sender_that_goes_leaves_nothing(uploading: UploadStage, mara: Identity) -> None:
    held = Held(FILE, 6 * MIB)
    sending = asyncio.create_task(uploading.uploads.store(mara, wanted(), held.chunks()))
    await held.arrived.wait()
    assert await uploading.parts_lying_about() == 1
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await left(uploading, mara) == ([], 0, 0)
    assert uploading.uploads._forms._buffers.in_use == 0


async def test_more_bytes_than_there_is_room_for_are_refused(uploading: UploadStage, mara: Identity) -> None:
    with pytest.raises(UploadTooLarge):
        await uploading.uploads.store(mara, wanted(), stream(FILE), at_most=6 * MIB)
    assert await left(uploading, mara) == ([], 0, 0)


async def test_what_is_no_video_is_refused_before_it_is_sent_on(uploading: UploadStage, mara: Identity) -> None:
    held = Held(b"%PDF-1.7" * MIB, 6 * MIB)
    with pytest.raises(NotAVideo):
        await uploading.uploads.store(mara, wanted(), held.chunks())
    assert await left(uploading, mara) == ([], 0, 0)


async def test_a_sender_that_stalls_is_sent_away(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_upload, "PART_SECONDS", 0.05)
    with pytest.raises(UploadTooSlow):
        await uploading.uploads.store(mara, wanted(), Held(FILE, 6 * MIB).chunks())
    assert await left(uploading, mara) == ([], 0, 0)


async def test_senders_share_a_few_buffers_and_all_come_through(uploading: UploadStage, mara: Identity) -> None:
    form_uploads = uploading.uploads._forms
    form_uploads._buffers = buffers = Buffers(2, FORM_PART_BYTES, 2)
    files = [video_file(6 * MIB, seed) for seed in range(6)]
    videos = await asyncio.gather(*(uploading.uploads.store(mara, wanted(), stream(file)) for file in files))
    for video, file in zip(videos, files, strict=True):
        assert await uploading.content(video.upload_url or "") == file
    assert (buffers.in_use, len(buffers._free)) == (0, 2)


async def test_there_is_a_most_of_forms_for_a_user_and_for_all(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_upload, "FORMS_OF_A_USER", 1)
    monkeypatch.setattr(form_upload, "FORMS_AT_ONCE", 2)
    others = [await uploading.person() for _ in range(2)]
    held = [Held(SMALL, 1000) for _ in range(2)]
    sending = [
        asyncio.create_task(uploading.uploads.store(who, wanted(), one.chunks()))
        for who, one in zip((mara, others[0]), held, strict=True)
    ]
    for one in held:
        await one.arrived.wait()
    for who in (mara, others[1]):
        with pytest.raises(UploadsBusy):
            await uploading.uploads.store(who, wanted(), stream(SMALL))
    for one in held:
        one.go_on.set()
    await asyncio.gather(*sending)
    assert (await uploading.uploads.store(mara, wanted(), stream(SMALL))).status == "processing"


async def test_nobody_goes_on_with_a_form_and_its_owner_can_stop_it(uploading: UploadStage, mara: Identity) -> None:
    held = Held(FILE, 6 * MIB)
    sending = asyncio.create_task(uploading.uploads.store(mara, wanted(), held.chunks(), request_key="a-key"))
    await held.arrived.wait()
    async with uploading.db.connection() as connection:
        video_id = str(await connection.fetchval("SELECT video_id FROM uploads"))
    for tried in (
        uploading.uploads.sign(mara, video_id, {1: bytes(32)}),
        uploading.uploads.complete(mara, video_id),
        uploading.uploads.store(mara, wanted(), stream(FILE), request_key="a-key"),
    ):
        with pytest.raises(UploadIsAForm):
            await tried
    assert (await uploading.uploads.unfinished(mara)).uploads == []
    await uploading.uploads.abort(mara, video_id)
    held.go_on.set()
    with pytest.raises(UploadAborted):
        await sending
    assert await left(uploading, mara) == ([], 0, 0)


async def test_a_form_whose_process_died_is_swept(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process is gone."""

    async def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(UploadStorage, "close", killed)
        broken.setattr(uploading.uploads.ends, "give_up", killed)
        with pytest.raises(Killed):
            await uploading.uploads.store(mara, wanted(), stream(FILE))
    assert await uploading.parts_lying_about() == 1
    uploading.minutes_pass(20)
    uploading.uploads = uploading.process()
    await uploading.sweeper().sweep()
    assert await left(uploading, mara) == ([], 0, 0)
