"""Uploads when processes die and stores go away: whatever step it was, nothing is lost, and nothing made twice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.model import Identity
from infra.local.parts import free_port
from infra.settings import MongoSettings, ObjectSettings
from infra.stores.mongo import MongoUnavailable, open_mongo
from infra.stores.objects import ObjectsUnavailable, open_objects
from media.catalog.videos import Catalogue
from media.vod.errors import NotAVideo, UploadAborted, UploadLost
from media.vod.upload_storage import UploadStorage
from media.vod.uploads import Uploads
from tests.media.vod.upload_stage import MIB, UploadStage, stream, video_file, wanted

FILE = video_file(8 * MIB + 1000)
SMALL = video_file(5000)

# What a completing process does, in order. It may die before any of these, and after.
STEPS = (
    ("storage", "received"),
    ("storage", "close"),
    ("storage", "found"),
    ("storage", "head"),
    ("repository", "close"),
    ("transcoding", "request"),
    ("catalogue", "stored"),
    ("repository", "settled"),
)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def parts_of(uploads: Uploads) -> dict[str, Any]:
    """Where the steps of a process are done."""
    ends = uploads.ends
    return {
        "storage": ends._storage,
        "repository": ends._repository,
        "transcoding": ends._transcoding,
        "catalogue": ends._catalogue,
    }


def dying(step: Callable[..., Any], when: str) -> Callable[..., Any]:
    async def dies(*given: Any, **named: Any) -> Any:
        if when == "after":
            await step(*given, **named)
        raise Killed

    return dies


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_process_that_dies_while_completing_loses_nothing(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    for part, step in STEPS:
        opened = await uploading.begun(mara, SMALL)
        await uploading.sent(mara, opened, SMALL)
        before = await uploading.transcodes()
        with monkeypatch.context() as broken, pytest.raises(Killed):
            victim = parts_of(uploading.uploads)[part]
            broken.setattr(victim, step, dying(getattr(victim, step), when))
            await uploading.uploads.complete(mara, opened.video.id)
        uploading.uploads = uploading.process()
        answers = [await uploading.uploads.complete(mara, opened.video.id) for _ in range(2)]
        assert [video.status for video in answers] == ["processing"] * 2, (part, step)
        assert await uploading.transcodes() == before + 1, (part, step)
        assert await uploading.state_of(opened.video.id) == ("stored", True), (part, step)
        assert await uploading.content(answers[0].upload_url or "") == SMALL, (part, step)
    assert await uploading.parts_lying_about() == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_died_after_it_was_decided_the_sweeper_finishes(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    stored, refused, aborted = [await uploading.begun(mara, SMALL) for _ in range(2)] + [
        await uploading.begun(mara, FILE)
    ]
    page = b"<html>" + SMALL[6:]
    await uploading.sent(mara, stored, SMALL)
    await uploading.sent(mara, refused, page)
    await uploading.sent(mara, aborted, FILE, [1])
    for opened, part, step in (
        (stored, "catalogue", "stored"),
        (refused, "storage", "remove"),
        (aborted, "storage", "remove"),
    ):
        with monkeypatch.context() as broken, pytest.raises(Killed):
            victim = parts_of(uploading.uploads)[part]
            broken.setattr(victim, step, dying(getattr(victim, step), when))
            if opened is aborted:
                await uploading.uploads.abort(mara, opened.video.id)
            else:
                await uploading.uploads.complete(mara, opened.video.id)
    uploading.minutes_pass(2)
    await uploading.sweeper().sweep()
    assert [await uploading.state_of(one.video.id) for one in (stored, refused, aborted)] == [
        ("stored", True), ("refused", True), ("aborted", True),
    ]  # fmt: skip
    assert [await uploading.status_of(one.video.id) for one in (stored, refused, aborted)] == [
        "processing", "failed", "deleting",
    ]  # fmt: skip
    assert await uploading.files() == [stored.upload.upload.key]
    assert await uploading.parts_lying_about() == 0
    with pytest.raises(NotAVideo):
        await uploading.uploads.complete(mara, refused.video.id)
    with pytest.raises(UploadAborted):
        await uploading.uploads.complete(mara, aborted.video.id)


@pytest.mark.parametrize(("part", "step"), [("storage", "begin"), ("catalogue", "create"), ("repository", "begun")])
async def test_a_process_that_dies_while_opening_can_be_asked_again(
    uploading: UploadStage, mara: Identity, monkeypatch: pytest.MonkeyPatch, part: str, step: str
) -> None:
    async def dead(_: object) -> None:
        raise Killed

    with monkeypatch.context() as broken, pytest.raises(Killed):
        victim = parts_of(uploading.uploads)[part]
        broken.setattr(victim, step, dying(getattr(victim, step), "after"))
        broken.setattr(uploading.uploads, "_leave_unbegun", dead)
        await uploading.uploads.open(mara, wanted(SMALL), "a-key")
    uploading.uploads = uploading.process()
    opened = await uploading.uploads.open(mara, wanted(SMALL), "a-key")
    assert (await uploading.uploads.usage(mara.user_id)).unfinished == 1
    await uploading.sent(mara, opened, SMALL)
    assert (await uploading.uploads.complete(mara, opened.video.id)).status == "processing"


async def test_while_storage_is_away_nothing_is_lost(
    uploading: UploadStage, mara: Identity, objects_settings: ObjectSettings
) -> None:
    opened = await uploading.begun(mara, SMALL)
    await uploading.sent(mara, opened, SMALL)
    async with open_objects(replace(objects_settings, endpoint=f"http://127.0.0.1:{free_port()}")) as nowhere:
        cut_off = uploading.process(storage=UploadStorage(nowhere))
        for tried in (
            cut_off.complete(mara, opened.video.id),
            cut_off.state(mara, opened.video.id),
            cut_off.unfinished(mara),
            cut_off.open(mara, wanted(SMALL)),
            cut_off.store(mara, wanted(), stream(SMALL)),
        ):
            with pytest.raises(ObjectsUnavailable) as away:
                await tried
            assert away.value.retryable
    assert await uploading.state_of(opened.video.id) == ("open", False)
    assert (await uploading.uploads.usage(mara.user_id)).used_bytes == len(SMALL)
    assert (await uploading.uploads.complete(mara, opened.video.id)).status == "processing"
    assert await uploading.transcodes() == 1


async def test_while_the_catalogue_is_away_a_stored_file_stays_stored(
    uploading: UploadStage, mara: Identity, mongo_settings: MongoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await uploading.begun(mara, SMALL)
    await uploading.sent(mara, opened, SMALL)
    away = replace(mongo_settings, url=f"mongodb://127.0.0.1:{free_port()}", timeout_seconds=0.2)
    async with open_mongo(away) as nowhere:
        stored = Catalogue(nowhere, uploading.catalogue.announcer._publish, uploading.clock).stored
        with monkeypatch.context() as broken:
            broken.setattr(uploading.catalogue, "stored", stored)
            with pytest.raises(MongoUnavailable):
                await uploading.uploads.complete(mara, opened.video.id)
            video = await uploading.uploads.store(mara, wanted(), stream(SMALL))  # the form's sender hears the truth
            assert video.status == "processing"
    assert await uploading.transcodes() == 2
    uploading.minutes_pass(2)
    await uploading.sweeper().sweep()
    for video_id in (opened.video.id, video.id):
        assert await uploading.state_of(video_id) == ("stored", True)
        assert await uploading.status_of(video_id) == "processing"


async def test_what_storage_lost_is_said_and_not_hidden(uploading: UploadStage, mara: Identity) -> None:
    opened = await uploading.begun(mara, SMALL)
    await uploading.sent(mara, opened, SMALL)
    await uploading.storage.abort(opened.upload.upload.key, opened.upload.upload.multipart_id or "")
    with pytest.raises(UploadLost):
        await uploading.uploads.complete(mara, opened.video.id)
    assert (await uploading.uploads.state(mara, opened.video.id)).received == []
    await uploading.uploads.abort(mara, opened.video.id)
