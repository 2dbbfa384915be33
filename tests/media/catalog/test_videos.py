"""Videos: what becomes of them, who hears of it, and that nothing brings one back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from infra.errors import Invalid
from infra.stores.mongo import Mongo
from media.catalog.details import VideoChange
from media.catalog.errors import NotYourVideo, VideoNotFound
from media.catalog.model import Failure, Metadata, Video, Visibility
from media.catalog.repository import deleting, listed, of_creator, unannounced
from media.catalog.videos import Catalogue
from media.errors import TextRefused
from tests.media.catalog.conftest import HIGH, LOW, START, Clock, Heard, finished_video, person, video_of

BUILD = "abcdefghijkl"
SOURCE = "uploads/x/0123456789abcdef/source"
KNOWN = Metadata(duration=60.5, file_size=1000, thumbnails=["/posters/x/made.jpg"], width=854, height=480)


async def test_a_video_goes_from_upload_to_ready(catalogue: Catalogue, heard: Heard, clock: Clock) -> None:
    mara = person()
    video = await catalogue.create(video_of(mara, clock()))
    assert (video.status, video.is_playable, video.revision) == ("uploading", False, 1)
    video = await catalogue.stored(video.id, SOURCE, 1000)
    assert (video.status, video.upload_url, video.metadata.file_size) == ("processing", SOURCE, 1000)
    clock.pass_seconds(3)
    first = await catalogue.playable(video.id, BUILD, [LOW], KNOWN)
    assert (first.status, first.is_listed, first.playback_urls) == ("processing", True, [LOW])
    clock.pass_seconds(3)
    await catalogue.playable(video.id, BUILD, [LOW, HIGH], KNOWN)
    last = await catalogue.finished(video.id, BUILD, [LOW, HIGH], KNOWN)
    assert (last.status, last.playback_urls, last.metadata) == ("ready", [LOW, HIGH], KNOWN)
    assert last.published_at == first.published_at == first.updated_at
    assert last.revision == 5
    assert heard.topics() == ["video.changed"] * 5
    assert (await catalogue.get(video.id)).announced


async def test_what_is_told_twice_changes_nothing_the_second_time(catalogue: Catalogue, clock: Clock) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    assert await catalogue.create(replace(video, title="Another")) == await catalogue.get(video.id)
    stored = await catalogue.stored(video.id, SOURCE, 1000)
    assert (await catalogue.stored(video.id, SOURCE, 1000)).revision == stored.revision
    done = await catalogue.finished(video.id, BUILD, [LOW, HIGH], KNOWN)
    for late in (
        await catalogue.finished(video.id, BUILD, [LOW, HIGH], KNOWN),
        await catalogue.playable(video.id, BUILD, [LOW], KNOWN),
        await catalogue.stored(video.id, SOURCE, 1000),
        await catalogue.processing(video.id),
        await catalogue.failed(video.id, failure()),
    ):
        assert (late.revision, late.status) == (done.revision, "ready")


async def test_fewer_renditions_of_the_same_build_do_not_replace_more(catalogue: Catalogue, clock: Clock) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    await catalogue.playable(video.id, BUILD, [LOW, HIGH], KNOWN)
    assert (await catalogue.playable(video.id, BUILD, [LOW], KNOWN)).playback_urls == [LOW, HIGH]
    assert (await catalogue.playable(video.id, "another00000", [LOW], KNOWN)).playback_urls == [LOW]


async def test_the_source_is_noted_also_when_the_first_rendition_was_quicker(
    catalogue: Catalogue, clock: Clock
) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    await catalogue.playable(video.id, BUILD, [LOW], KNOWN)
    stored = await catalogue.stored(video.id, SOURCE, 1234)
    assert (stored.status, stored.upload_url, stored.build) == ("processing", SOURCE, BUILD)
    assert stored.metadata == replace(KNOWN, file_size=1234)


@pytest.mark.parametrize("end", ["ready", "failed"])
async def test_the_source_is_noted_also_when_all_was_over_before(catalogue: Catalogue, clock: Clock, end: str) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    if end == "ready":
        await catalogue.finished(video.id, BUILD, [LOW], KNOWN)
    else:
        await catalogue.failed(video.id, failure())
    stored = await catalogue.stored(video.id, SOURCE, 1234)
    assert (stored.status, stored.upload_url) == (end, SOURCE)


@pytest.mark.parametrize(("own", "left"), [(None, []), ("/own.jpg", ["/own.jpg"])])
async def test_trying_again_drops_the_pictures_that_go_with_the_old_build(
    catalogue: Catalogue, clock: Clock, own: str | None, left: list[str]
) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    made = replace(KNOWN, thumbnails=["/made.jpg"], storyboard="/made.vtt")
    await catalogue.playable(video.id, BUILD, [LOW], made)
    if own:
        await catalogue.set_poster(video.id, own)
    await catalogue.failed(video.id, failure())
    again = await catalogue.processing(video.id)
    assert (again.metadata.thumbnails, again.metadata.storyboard) == (left, None)


async def test_who_is_late_to_try_again_does_not_undo_the_failure_of_the_second_try(
    catalogue: Catalogue, clock: Clock
) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    first = await catalogue.failed(video.id, failure())
    await catalogue.processing(video.id, first.failure)
    second = replace(failure(), at=START + timedelta(seconds=1))
    await catalogue.failed(video.id, second)
    late = await catalogue.processing(video.id, first.failure)
    assert late.status == "failed"
    assert (await catalogue.processing(video.id, late.failure)).status == "processing"


async def test_a_failed_video_begins_anew_when_tried_again(catalogue: Catalogue, clock: Clock) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    await catalogue.playable(video.id, BUILD, [LOW], KNOWN)
    failed = await catalogue.failed(video.id, failure())
    assert (failed.status, failed.failure, failed.is_playable) == ("failed", failure(), False)
    again = await catalogue.processing(video.id)
    assert (again.status, again.failure, again.build, again.is_playable) == ("processing", None, None, False)
    assert (await catalogue.finished(video.id, BUILD, [LOW], KNOWN)).published_at == failed.published_at


async def test_nothing_brings_back_a_video_that_is_being_deleted(
    catalogue: Catalogue, heard: Heard, clock: Clock
) -> None:
    mara = person()
    video = await finished_video(catalogue, mara, clock)
    await catalogue.delete(mara, video.id)
    assert heard.topics()[-1] == "video.deleted"
    for late in (
        catalogue.get(video.id),
        catalogue.create(video),
        catalogue.stored(video.id, "other", 1),
        catalogue.playable(video.id, BUILD, [LOW], KNOWN),
        catalogue.finished(video.id, BUILD, [LOW], KNOWN),
        catalogue.failed(video.id, failure()),
        catalogue.processing(video.id),
        catalogue.change(mara, video.id, VideoChange(title="Back")),
        catalogue.set_poster(video.id, "/posters/x.jpg"),
        catalogue.liked(video.id, 3),
        catalogue.delete(mara, video.id),
    ):
        with pytest.raises(VideoNotFound):
            await late
    await catalogue.discard(video.id)
    assert await catalogue.many([video.id]) == []
    assert (await catalogue.newest()).videos == (await catalogue.mine(mara)).videos == []
    kept = await catalogue.repository.get(video.id)
    assert kept is not None
    assert kept.status == "deleting"


async def test_only_an_upload_is_discarded(catalogue: Catalogue, clock: Clock) -> None:
    mara = person()
    given_up = await catalogue.create(video_of(mara, clock()))
    stored = await finished_video(catalogue, mara, clock)
    await catalogue.discard(given_up.id)
    await catalogue.discard(stored.id)
    assert await catalogue.many([given_up.id, stored.id]) == [await catalogue.get(stored.id)]


async def test_a_creator_says_something_else(catalogue: Catalogue, clock: Clock) -> None:
    mara = person()
    video = await finished_video(catalogue, mara, clock)
    changed = await catalogue.change(
        mara,
        video.id,
        VideoChange(
            title="  $description ",
            description="One\r\nTwo ",
            tags=["#Sea", "sea", " Calm  water"],
            category="$title",
            visibility="premium",
        ),
    )
    assert (changed.title, changed.description, changed.category) == ("$description", "One\nTwo", "$title")
    assert (changed.tags, changed.visibility, changed.revision) == (
        ["Sea", "Calm water"],
        "premium",
        video.revision + 1,
    )
    assert (await catalogue.change(mara, video.id, VideoChange(visibility="premium"))).revision == changed.revision
    assert (await catalogue.change(mara, video.id, VideoChange(category=None))).category is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (VideoChange(title=" "), "title"),
        (VideoChange(title="a\u202eb"), "title"),
        (VideoChange(description="x" * 5001), "description"),
        (VideoChange(description="a\u0000b"), "description"),
        (VideoChange(tags=["a" * 31]), "tags"),
        (VideoChange(tags=[f"t{n}" for n in range(11)]), "tags"),
        (VideoChange(tags=["\u2066x"]), "tags"),
        (VideoChange(tags=["#"]), "tags"),
        (VideoChange(category="c" * 61), "category"),
    ],
)
async def test_text_that_hides_or_is_too_long_is_refused(
    catalogue: Catalogue, clock: Clock, change: VideoChange, field: str
) -> None:
    mara = person()
    video = await catalogue.create(video_of(mara, clock()))
    with pytest.raises(TextRefused) as refused:
        await catalogue.change(mara, video.id, change)
    assert list(refused.value.details["fields"]) == [field]


async def test_others_change_nothing_and_do_not_learn_of_private_videos(catalogue: Catalogue, clock: Clock) -> None:
    mara, other, admin = person(), person(), person("admin")
    shown = await finished_video(catalogue, mara, clock)
    hidden = await finished_video(catalogue, mara, clock, visibility="private")
    with pytest.raises(NotYourVideo):
        await catalogue.change(other, shown.id, VideoChange(title="Mine"))
    with pytest.raises(NotYourVideo):
        await catalogue.delete(other, shown.id)
    with pytest.raises(VideoNotFound):
        await catalogue.delete(other, hidden.id)
    await catalogue.change(admin, hidden.id, VideoChange(title="Better"))
    await catalogue.delete(admin, hidden.id)


async def test_lists_show_what_is_listed_newest_first_without_gaps(catalogue: Catalogue, clock: Clock) -> None:
    mara, other = person(), person()
    shown: list[Video] = []
    for number in range(7):
        clock.pass_seconds(number % 2)  # some at the same moment
        visibility: Visibility = "premium" if number == 3 else "public"
        shown.append(await finished_video(catalogue, mara, clock, str(number), visibility))
    await finished_video(catalogue, mara, clock, visibility="unlisted")
    await finished_video(catalogue, mara, clock, visibility="private")
    await catalogue.create(video_of(mara, clock()))
    await finished_video(catalogue, other, clock)
    expected = [v.id for v in sorted(shown, key=lambda v: (v.published_at or START, v.id), reverse=True)]
    assert await paged(catalogue, mara.user_id, 2) == await paged(catalogue, mara.user_id, 50) == expected
    assert len((await catalogue.newest(limit=50)).videos) == 8
    assert await catalogue.count_listed(mara.user_id) == 7
    assert len((await catalogue.mine(mara, limit=50)).videos) == 10
    assert len((await catalogue.mine(mara, "uploading")).videos) == 1


async def paged(catalogue: Catalogue, creator_id: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await catalogue.newest(creator_id, cursor, limit)
        found += [video.id for video in page.videos]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "kaFhoWI", "é", "ksCj" * 40])
async def test_a_cursor_of_somebody_else_is_refused(catalogue: Catalogue, cursor: str) -> None:
    with pytest.raises(Invalid):
        await catalogue.newest(cursor=cursor)
    with pytest.raises(Invalid):
        await catalogue.mine(person(), cursor=cursor)


async def test_many_keeps_the_order_of_the_ids(catalogue: Catalogue, clock: Clock) -> None:
    mara = person()
    videos = [await finished_video(catalogue, mara, clock, str(number)) for number in range(3)]
    wanted = [videos[2].id, "nobody", videos[0].id]
    assert [video.id for video in await catalogue.many(wanted)] == [videos[2].id, videos[0].id]
    assert await catalogue.many([]) == []


async def test_a_new_name_reaches_all_videos_and_an_old_one_does_not_return(catalogue: Catalogue, clock: Clock) -> None:
    mara = person()
    video = await finished_video(catalogue, mara, clock)
    clock.pass_seconds(10)
    renamed_at = clock()
    clock.pass_seconds(10)
    assert await catalogue.renamed(mara.user_id, "Mara B.", clock()) == 1
    assert await catalogue.renamed(mara.user_id, "Mara A.", renamed_at) == 0
    found = await catalogue.get(video.id)
    assert (found.creator_name, found.revision, found.announced) == ("Mara B.", video.revision + 1, False)


async def test_a_change_that_the_bus_missed_is_told_later(catalogue: Catalogue, heard: Heard, clock: Clock) -> None:
    mara = person()
    video = await catalogue.create(video_of(mara, clock()))
    heard.events.clear()
    heard.away = True
    await catalogue.stored(video.id, SOURCE, 1000)
    heard.away = False
    assert await catalogue.announcer.sweep() == 0  # whoever made the change may still be at it
    clock.pass_seconds(6)
    assert await catalogue.announcer.sweep() == 1
    assert heard.topics() == ["video.changed"]
    assert await catalogue.announcer.sweep() == 0


async def test_a_later_change_is_not_taken_for_announced(catalogue: Catalogue, heard: Heard, clock: Clock) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    heard.away = True
    await catalogue.stored(video.id, SOURCE, 1000)
    await catalogue.repository.mark_announced(video.id, video.revision)
    assert not (await catalogue.get(video.id)).announced


async def test_changes_at_once_all_count(catalogue: Catalogue, clock: Clock) -> None:
    mara = person()
    video = await finished_video(catalogue, mara, clock)
    await asyncio.gather(
        catalogue.change(mara, video.id, VideoChange(title="New")),
        catalogue.change(mara, video.id, VideoChange(description="New")),
        catalogue.liked(video.id, 3),
        catalogue.set_poster(video.id, "/posters/own.jpg"),
    )
    found = await catalogue.get(video.id)
    assert (found.title, found.description, found.like_count) == ("New", "New", 3)
    assert found.revision == video.revision + 4


async def test_a_poster_of_ones_own_outlives_a_later_made_one(catalogue: Catalogue, clock: Clock) -> None:
    video = await catalogue.create(video_of(person(), clock()))
    await catalogue.playable(video.id, BUILD, [LOW], replace(KNOWN, thumbnails=["/made.jpg", "/second.jpg"]))
    own = await catalogue.set_poster(video.id, "/own.jpg")
    assert own.metadata.thumbnails == ["/own.jpg", "/second.jpg"]
    done = await catalogue.finished(video.id, BUILD, [LOW], replace(KNOWN, thumbnails=["/made.jpg", "/third.jpg"]))
    assert done.metadata.thumbnails == ["/own.jpg", "/third.jpg"]


MARK = "2026-01-01T12:00:09.123Z/x"
QUESTIONS = {
    "the newest": listed(None, MARK),
    "a creator's": listed("creator-1", MARK),
    "one's own": of_creator("creator-1", None, "video-150"),
    "one's own of a status": of_creator("creator-1", "ready", "video-150"),
    "unannounced ones": unannounced(START + timedelta(seconds=9)),
    "those being deleted": deleting(START + timedelta(seconds=9)),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_every_question_is_answered_from_an_index_in_its_order(
    catalogue: Catalogue, mongo: Mongo, clock: Clock, name: str
) -> None:
    await fill(mongo)
    question = QUESTIONS[name]
    async with mongo.collection("videos") as videos:
        find = {"find": "videos", "filter": question.wanted, "sort": dict(question.order)}
        plan = await videos.database.command({"explain": find, "verbosity": "executionStats"})
    stages = stages_of(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in stages
    scan = stages["IXSCAN"]
    # Equalities, then the order, and nothing between or behind: MongoDB sorts nothing then. The embedded server says
    # SORT for each index of two fields or more, so its word is taken only for those of one.
    equal = [field for field, value in question.wanted.items() if not isinstance(value, dict)]
    assert list(scan["keyPattern"]) == [*equal, *dict(question.order)]
    assert ("SORT" in stages) <= (len(scan["keyPattern"]) > 1)
    stats = plan["executionStats"]
    assert 0 < stats["totalDocsExamined"] == stats["nReturned"] < 300


async def fill(mongo: Mongo) -> None:
    """300 documents of which each question wants some."""
    documents = [
        {
            "_id": f"video-{number:03}",
            "creator_id": f"creator-{number % 3}",
            "status": "deleting" if number % 5 == 0 else "ready",
            "shelf": f"2026-01-01T12:00:{number % 60:02}.000Z/{number}" if number % 5 else None,
            "announced": number % 7 != 0,
            "updated_at": START + timedelta(seconds=number % 20),
        }
        for number in range(300)
    ]
    async with mongo.collection("videos") as videos:
        await videos.insert_many(documents)


def stages_of(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stages of a plan by name."""
    inner = plan.get("inputStage")
    return {plan["stage"]: plan, **(stages_of(inner) if inner else {})}


def failure() -> Failure:
    return Failure("transcode.broken", "This file cannot be read.", True, START.replace(microsecond=123_000))
