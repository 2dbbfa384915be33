"""What nobody ends: abandoned uploads, parts that belong to nothing, and who may send to the bucket."""

import asyncio
import contextlib

import httpx
import pytest

from accounts.model import Identity
from infra.settings import ObjectSettings
from media.vod.errors import UploadAborted
from media.vod.upload_sweeper import UploadSweeper
from tests.media.vod.upload_stage import MIB, ORIGIN, UploadStage, video_file

FILE = video_file(8 * MIB + 1000)
DAY = 24 * 60


async def test_an_abandoned_upload_is_given_up_after_a_week_without_a_new_part(
    uploading: UploadStage, mara: Identity
) -> None:
    opened = await uploading.begun(mara, FILE)
    uploading.minutes_pass(6 * DAY)
    await uploading.uploads.sign(mara, opened.video.id, {2: bytes(32)})
    uploading.minutes_pass(6 * DAY)
    await uploading.sweeper().sweep()
    assert await uploading.state_of(opened.video.id) == ("open", False)
    uploading.minutes_pass(DAY + 1)
    await uploading.sweeper().sweep()
    assert await uploading.state_of(opened.video.id) == ("aborted", True)
    assert (await uploading.parts_lying_about(), await uploading.status_of(opened.video.id)) == (0, "deleting")
    with pytest.raises(UploadAborted):
        await uploading.uploads.complete(mara, opened.video.id)
    uploading.minutes_pass(DAY + 1)
    await uploading.sweeper().sweep()
    assert await uploading.row(opened.video.id) is None


async def test_parts_that_belong_to_nothing_go_after_a_day(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, FILE)
    await uploading.storage.begin("uploads/x/y/source")
    await uploading.storage.begin("recordings/x/long")
    await uploading.sweeper().keep_house()
    assert await uploading.parts_lying_about() == 2
    uploading.minutes_pass(DAY + 1)
    await uploading.sweeper().keep_house()
    left = (await uploading.objects.call("list_multipart_uploads")).get("Uploads", ())
    assert sorted(one["Key"] for one in left) == ["recordings/x/long", opened.upload.upload.key]
    uploading.minutes_pass(7 * DAY)
    await uploading.sweeper().keep_house()
    assert len((await uploading.objects.call("list_multipart_uploads")).get("Uploads", ())) == 1


async def test_only_our_pages_may_send_parts_and_read_their_tags(
    uploading: UploadStage, mara: Identity, objects_settings: ObjectSettings
) -> None:
    await uploading.sweeper().keep_house()
    await uploading.sweeper().keep_house()
    (rule,) = (await uploading.objects.call("get_bucket_cors"))["CORSRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ([ORIGIN], ["PUT"])
    address = f"{objects_settings.endpoint}/{objects_settings.bucket}/uploads/x"
    asking = {"access-control-request-method": "PUT", "access-control-request-headers": "x-amz-checksum-sha256"}
    async with httpx.AsyncClient() as browser:
        ours = await browser.options(address, headers={"origin": ORIGIN, **asking})
        theirs = await browser.options(address, headers={"origin": "https://evil.test", **asking})
        put = await browser.put(address, headers={"origin": ORIGIN})
    assert (ours.status_code, ours.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert theirs.status_code == 403
    assert put.headers["access-control-expose-headers"].lower() == "etag"


async def test_it_goes_on_after_a_bad_round(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper, swept, failing = uploading.sweeper(), asyncio.Event(), [ValueError("a bug"), UploadAborted()]

    async def sweep(_: UploadSweeper) -> None:
        if failing:
            raise failing.pop()
        swept.set()

    monkeypatch.setattr("media.vod.upload_sweeper.SWEEP_SECONDS", 0)
    monkeypatch.setattr(UploadSweeper, "sweep", sweep)
    running = asyncio.create_task(sweeper.run())
    await swept.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
