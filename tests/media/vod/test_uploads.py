"""Uploads by parts, on the real stores: nothing is lost, nothing twice, and nothing is taken on trust."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from accounts.model import Identity
from infra.clock import new_id
from infra.errors import FootlightError, Invalid
from infra.settings import ObjectSettings, VodSettings
from infra.stores.objects import open_objects
from media.catalog.errors import VideoNotFound
from media.errors import TextRefused
from media.vod.errors import (
    ChecksumMismatch,
    NotAVideo,
    PublishersOnly,
    QuotaExceeded,
    RequestKeyReused,
    TooManyUploads,
    UploadAborted,
    UploadIncomplete,
    UploadIsStored,
    UploadTooLarge,
)
from media.vod.ports import Source
from media.vod.upload_repository import UploadRepository
from media.vod.upload_storage import UploadStorage
from tests.media.vod.upload_stage import MIB, UploadStage, part_of, put, sums_of, video_file, wanted

THREE_PARTS = video_file(17 * MIB)
TWO_PARTS = video_file(8 * MIB + 1000, seed=2)
SMALL = video_file(5000, seed=3)


async def test_parts_in_any_order_and_sent_twice_make_the_file(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, THREE_PARTS)
    assert (opened.upload.upload.parts, opened.video.status) == (3, "uploading")
    await uploading.sent(mara, opened, THREE_PARTS, [3, 1])
    await uploading.sent(mara, opened, THREE_PARTS, [1, 2])
    video = await uploading.uploads.complete(mara, opened.video.id)
    assert (video.id, video.status, video.metadata.file_size) == (opened.video.id, "processing", len(THREE_PARTS))
    (key,) = await uploading.files()
    assert key == video.upload_url
    assert await uploading.content(key) == THREE_PARTS
    sums = sums_of(opened.upload.upload, THREE_PARTS, [1, 2, 3])
    assert uploading.transcoding.sources == [
        Source(video.id, mara.user_id, key, len(THREE_PARTS), 8 * MIB, (sums[1], sums[2], sums[3]))
    ]
    assert await uploading.state_of(video.id) == ("stored", True)
    assert (await uploading.parts_lying_about(), uploading.nudged) == (0, 1)


async def test_another_device_learns_what_is_there_and_sends_only_the_rest(
    uploading: UploadStage, mara: Identity
) -> None:
    opened = await uploading.begun(mara, THREE_PARTS)
    await uploading.sent(mara, opened, THREE_PARTS, [2])
    uploading.uploads = uploading.process()
    (left,) = (await uploading.uploads.unfinished(mara)).uploads
    assert (left.video.title, left.upload.upload.file_name) == ("Waves", "waves.mp4")
    assert [(part.number, part.size_bytes) for part in left.upload.received] == [(2, 8 * MIB)]
    assert left.upload.sums == sums_of(left.upload.upload, THREE_PARTS, [2])
    with pytest.raises(UploadIncomplete) as incomplete:
        await uploading.uploads.complete(mara, opened.video.id)
    assert incomplete.value.details["missing"] == [1, 3]
    await uploading.sent(mara, left, THREE_PARTS, [1, 3])
    assert (await uploading.uploads.complete(mara, opened.video.id)).status == "processing"
    assert await uploading.content((await uploading.files())[0]) == THREE_PARTS
    assert (await uploading.uploads.unfinished(mara)).uploads == []


def slowly(step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same, with time for others to come in between before the transaction ends."""

    async def slow(*given: Any) -> Any:
        answer = await step(*given)
        await asyncio.sleep(0.1)
        return answer

    return slow


async def test_twenty_who_complete_at_once_make_one_video(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading.transcoding, "request", slowly(uploading.transcoding.request))
    opened = await uploading.begun(mara, TWO_PARTS)
    await uploading.sent(mara, opened, TWO_PARTS)
    processes = [uploading.process() for _ in range(4)]
    answers = await asyncio.gather(*(processes[n % 4].complete(mara, opened.video.id) for n in range(20)))
    assert {(video.id, video.status) for video in answers} == {(opened.video.id, "processing")}
    assert (len(uploading.transcoding.sources), await uploading.transcodes()) == (1, 1)
    assert (await uploading.uploads.complete(mara, opened.video.id)).status == "processing"
    assert len(uploading.transcoding.sources) == 1


async def test_storage_takes_no_other_bytes_than_were_signed_for(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, TWO_PARTS)
    upload = opened.upload.upload
    signed = await uploading.uploads.sign(mara, opened.video.id, sums_of(upload, TWO_PARTS, [1, 2]))
    first, second = signed.urls
    other = bytes(len(part_of(upload, TWO_PARTS, 2)))
    async with httpx.AsyncClient() as browser:
        assert (await put(browser, second, other)).status_code == 400
        assert (await put(browser, second, other + b"more")).status_code == 403
        wrong = {name: first.headers[name] for name in second.headers}
        assert (await browser.put(second.url, content=other, headers=wrong)).status_code == 403
        assert (await browser.put(second.url, content=other)).status_code == 403
    assert (await uploading.uploads.state(mara, opened.video.id)).received == []


async def test_a_part_that_is_not_what_was_last_announced_ends_nothing_but_is_told(
    uploading: UploadStage, mara: Identity
) -> None:
    opened = await uploading.begun(mara, TWO_PARTS)
    await uploading.sent(mara, opened, TWO_PARTS)
    await uploading.uploads.sign(mara, opened.video.id, {1: hashlib.sha256(b"another file").digest()})
    with pytest.raises(ChecksumMismatch):
        await uploading.uploads.complete(mara, opened.video.id)
    await uploading.sent(mara, opened, TWO_PARTS, [1])
    assert (await uploading.uploads.complete(mara, opened.video.id)).status == "processing"


async def test_nothing_can_be_sent_once_it_is_complete(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, SMALL)
    other = video_file(5000, seed=9)
    late = await uploading.uploads.sign(mara, opened.video.id, sums_of(opened.upload.upload, other, [1]))
    await uploading.sent(mara, opened, SMALL)
    await uploading.uploads.complete(mara, opened.video.id)
    async with httpx.AsyncClient() as browser:
        assert (await put(browser, late.urls[0], other)).status_code == 404
    assert await uploading.content((await uploading.files())[0]) == SMALL
    with pytest.raises(UploadIsStored):
        await uploading.uploads.sign(mara, opened.video.id, {1: bytes(32)})
    with pytest.raises(UploadIsStored):
        await uploading.uploads.abort(mara, opened.video.id)
    there = await uploading.uploads.state(mara, opened.video.id)
    assert (there.upload.state, [part.number for part in there.received]) == ("stored", [1])


async def test_what_is_no_video_is_refused_by_what_is_stored(uploading: UploadStage, mara: Identity) -> None:
    page = b"<html><script>alert(1)</script>" * 100
    opened = await uploading.uploads.open(mara, wanted(page, file_name="film.mp4"))
    await uploading.sent(mara, opened, page)
    for _ in range(2):
        with pytest.raises(NotAVideo):
            await uploading.uploads.complete(mara, opened.video.id)
    video = await uploading.catalogue.get(opened.video.id)
    assert video.failure is not None
    assert (video.status, video.failure.code, video.failure.retryable) == ("failed", "upload.not_a_video", False)
    assert (await uploading.files(), uploading.transcoding.sources) == ([], [])
    assert (await uploading.uploads.usage(mara.user_id)).used_bytes == 0


async def test_the_checksum_of_the_whole_is_handed_on(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, SMALL)
    await uploading.sent(mara, opened, SMALL)
    whole = hashlib.sha256(SMALL).digest()
    await uploading.uploads.complete(mara, opened.video.id, whole)
    assert uploading.transcoding.sources[0].sha256 == whole


async def test_an_aborted_upload_leaves_nothing(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, TWO_PARTS)
    await uploading.sent(mara, opened, TWO_PARTS, [1])
    await uploading.uploads.abort(mara, opened.video.id)
    await uploading.uploads.abort(mara, opened.video.id)
    assert (await uploading.files(), await uploading.parts_lying_about()) == ([], 0)
    assert await uploading.status_of(opened.video.id) == "deleting"
    assert (await uploading.uploads.usage(mara.user_id)).used_bytes == 0
    for late in (
        uploading.uploads.complete(mara, opened.video.id),
        uploading.uploads.sign(mara, opened.video.id, {1: bytes(32)}),
    ):
        with pytest.raises(UploadAborted):
            await late


async def test_an_upload_is_its_owners_alone(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, SMALL)
    for stranger in (await uploading.person(), await uploading.person("admin")):
        for tried in (
            uploading.uploads.state(stranger, opened.video.id),
            uploading.uploads.sign(stranger, opened.video.id, {1: bytes(32)}),
            uploading.uploads.complete(stranger, opened.video.id),
            uploading.uploads.abort(stranger, opened.video.id),
        ):
            with pytest.raises(VideoNotFound):
                await tried
    for unknown in (new_id(), "../../x", ""):
        with pytest.raises(VideoNotFound):
            await uploading.uploads.state(mara, unknown)


@pytest.mark.parametrize("role", ["free", "premium"])
async def test_only_creators_upload(uploading: UploadStage, role: str) -> None:
    somebody = await uploading.person(role)  # type: ignore[arg-type]  # the parameters are roles
    with pytest.raises(PublishersOnly):
        await uploading.uploads.open(somebody, wanted(SMALL))
    with pytest.raises(PublishersOnly):
        await uploading.uploads.unfinished(somebody)


async def test_names_and_titles_are_cleaned_and_no_word_of_the_sender_is_in_a_key(
    uploading: UploadStage, mara: Identity
) -> None:
    name = "../../etc/pass\r\nX-Evil: 1/\u202emp4.exe\x00.mp4"
    opened = await uploading.uploads.open(mara, wanted(SMALL, file_name=name, title="  e\u0301te\u0301 "))
    assert (opened.upload.upload.file_name, opened.video.title) == ("mp4.exe.mp4", "été")
    folder, video_id, random, source = opened.upload.upload.key.split("/")
    assert (folder, video_id, len(random), source) == ("uploads", opened.video.id, 16, "source")
    for title in ("", "\u202eevil", "a\nb", "x" * 141):
        with pytest.raises(TextRefused):
            await uploading.uploads.open(mara, wanted(SMALL, title=title))
    assert (await uploading.uploads.usage(mara.user_id)).unfinished == 1


async def test_two_who_open_at_once_cannot_overdraw(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadRepository, "insert", slowly(UploadRepository.insert))
    tight = replace(VodSettings(), upload_max_bytes=2 * MIB, upload_quota_bytes=3 * MIB)
    processes = [uploading.process(tight) for _ in range(8)]
    answers = await asyncio.gather(
        *(process.open(mara, wanted(2 * MIB)) for process in processes), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert (len(answers) - len(refused), len(refused)) == (1, 7)
    assert refused[0].details == {"used_bytes": 2 * MIB, "limit_bytes": 3 * MIB}
    with pytest.raises(UploadTooLarge):
        await processes[0].open(mara, wanted(2 * MIB + 1))
    assert await processes[0].open(await uploading.person(), wanted(2 * MIB))


async def test_there_is_a_most_of_unfinished_uploads(uploading: UploadStage, mara: Identity) -> None:
    two = uploading.process(replace(VodSettings(), open_uploads=2))
    opened = [await two.open(mara, wanted(SMALL)) for _ in range(2)]
    with pytest.raises(TooManyUploads):
        await two.open(mara, wanted(SMALL))
    await two.abort(mara, opened[0].video.id)
    assert await two.open(mara, wanted(SMALL))


async def test_the_same_request_twice_is_one_upload(uploading: UploadStage, mara: Identity) -> None:
    answers = await asyncio.gather(*(uploading.process().open(mara, wanted(SMALL), "a-key") for _ in range(6)))
    assert len({answer.video.id for answer in answers}) == 1
    assert (await uploading.parts_lying_about(), (await uploading.uploads.usage(mara.user_id)).unfinished) == (1, 1)
    with pytest.raises(RequestKeyReused):
        await uploading.uploads.open(mara, wanted(SMALL, title="Other"), "a-key")
    assert (await uploading.uploads.open(await uploading.person(), wanted(SMALL), "a-key")).video.id != answers[
        0
    ].video.id
    uploading.clock.offset = timedelta(hours=25)
    assert (await uploading.uploads.open(mara, wanted(SMALL, title="Other"), "a-key")).video.id != answers[0].video.id


@pytest.mark.parametrize("number", [0, -1, 2, 10_001])
async def test_parts_that_cannot_be_are_not_signed(uploading: UploadStage, mara: Identity, number: int) -> None:
    opened = await uploading.begun(mara, SMALL)
    with pytest.raises(Invalid):
        await uploading.uploads.sign(mara, opened.video.id, {number: bytes(32)})


async def test_urls_are_signed_for_the_address_browsers_use(
    uploading: UploadStage, mara: Identity, objects_settings: ObjectSettings
) -> None:
    public = replace(objects_settings, endpoint="http://127.0.0.1:1", public_endpoint=objects_settings.endpoint)
    opened = await uploading.begun(mara, SMALL)
    async with open_objects(public) as objects:
        behind = uploading.process(storage=UploadStorage(objects))
        signed = await behind.sign(mara, opened.video.id, sums_of(opened.upload.upload, SMALL, [1]))
    async with httpx.AsyncClient() as browser:
        assert (await put(browser, signed.urls[0], SMALL)).status_code == 200


async def test_a_recording_is_adopted_once_and_counts_without_being_refused(
    uploading: UploadStage, mara: Identity
) -> None:
    full = uploading.process(replace(VodSettings(), upload_max_bytes=MIB, upload_quota_bytes=MIB))
    source = Source(new_id(), mara.user_id, "recordings/stream/source", 5 * MIB)
    for _ in range(2):
        async with uploading.db.transaction() as connection:
            await full.adopt(connection, source, "recording")
    assert uploading.transcoding.sources == [source]
    assert (await full.usage(mara.user_id)).used_bytes == 5 * MIB
    with pytest.raises(QuotaExceeded):
        await full.open(mara, wanted(1000))


async def test_a_deleted_video_gives_its_room_back(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.stored(mara, SMALL)
    unfinished = await uploading.begun(mara, TWO_PARTS)
    for _ in range(2):
        await uploading.uploads.remove_source(opened.video.id)
        await uploading.uploads.remove_source(unfinished.video.id)
    assert (await uploading.files(), await uploading.parts_lying_about()) == ([], 0)
    assert (await uploading.uploads.usage(mara.user_id)).used_bytes == 0
    assert await uploading.row(opened.video.id) is None


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds = [
        ChecksumMismatch,
        NotAVideo,
        PublishersOnly,
        QuotaExceeded,
        RequestKeyReused,
        TooManyUploads,
        UploadAborted,
    ]
    assert len({kind.code for kind in kinds} - {FootlightError.code}) == len(kinds)
