"""Search on the real embedded server: what is found, by whom, in which order, and what is marked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.errors import Invalid
from infra.settings import SearchSettings
from infra.stores.mongo import Mongo
from infra.stores.postgres import Postgres
from infra.stores.search import SearchUnavailable
from media.catalog.search_query import MAX_QUERY, Asked
from media.catalog.videos import Catalogue
from tests.media.catalog.conftest import START, Clock, person
from tests.media.catalog.search_stage import Stage, open_stage


@pytest.fixture
async def stage(
    search_settings: SearchSettings, catalogue: Catalogue, mongo: Mongo, db: Postgres, clock: Clock
) -> AsyncIterator[Stage]:
    async with open_stage(search_settings, catalogue, mongo, db, clock) as stage:
        await stage.indexer.rebuild(grace_seconds=0)
        yield stage


async def test_words_are_found_in_title_description_tags_and_creator_the_title_first(stage: Stage) -> None:
    await stage.publish("Told", description="All about kayaks and rivers")
    await stage.publish("Tagged", tags=["Kayaks"])
    await stage.publish("Named", name="Kayaks Unlimited")
    await stage.publish("Kayaks in winter")
    await stage.publish("Something else")
    found = await stage.titles("kayaks")
    assert found[0] == "Kayaks in winter"
    assert found[-1] == "Told"
    assert set(found) == {"Kayaks in winter", "Tagged", "Named", "Told"}
    assert await stage.titles("rivers kayaks") == ["Told"]


async def test_words_may_be_in_different_fields_and_accents_and_case_do_not_matter(stage: Stage) -> None:
    await stage.publish("Une soirée au CAFÉ", name="Ångström")
    assert await stage.titles("cafe angstrom SOIREE") == ["Une soirée au CAFÉ"]


@pytest.mark.parametrize("typed", ["mountian", "moutain", "mountains", "mountaun bikng", "mountain biking trials"])
async def test_misspelt_words_are_found(stage: Stage, typed: str) -> None:
    await stage.publish("Mountain biking trails")
    await stage.publish("Cooking pasta")
    assert await stage.titles(typed) == ["Mountain biking trails"]


async def test_a_wrong_first_letter_and_short_words_are_not_guessed_at(stage: Stage) -> None:
    await stage.publish("Mountain at")
    assert await stage.titles("fountain") == []
    assert await stage.titles("it") == []


async def test_what_is_written_right_is_not_drowned_in_what_is_only_alike(stage: Stage) -> None:
    for number in range(5):
        await stage.publish(f"Boats {number}")
    await stage.publish("Coats")
    await stage.publish("Goats and bolts")
    assert all("Boats" in title for title in await stage.titles("boats"))


async def test_a_phrase_in_quotes_is_found_as_it_stands(stage: Stage) -> None:
    await stage.publish("Red house by the sea")
    await stage.publish("The house is red")
    assert await stage.titles('"red house"') == ["Red house by the sea"]
    assert set(await stage.titles("red house")) == {"Red house by the sea", "The house is red"}
    assert (await stage.titles("red house"))[0] == "Red house by the sea"
    assert (await stage.titles('sea "red house'))[0] == "Red house by the sea"


async def test_words_and_phrases_are_excluded_by_a_minus(stage: Stage) -> None:
    await stage.publish("Piano for beginners")
    await stage.publish("Piano concert")
    assert await stage.titles("piano -concert") == ["Piano for beginners"]
    assert await stage.titles('piano -"for beginners"') == ["Piano concert"]
    assert await stage.titles("-concert") == ["Piano for beginners"]
    assert await stage.titles("piano - concert") == ["Piano concert"]


async def test_filters_narrow_alone_and_together(stage: Stage) -> None:
    theo = person()
    await stage.publish("Short", seconds=30, category="Music")
    await stage.publish("Long", theo, seconds=3600, category="Games", visibility="premium")
    at = stage.clock()
    await stage.publish("Middle", seconds=600, category="games")
    assert await stage.titles(creator=theo.user_id) == ["Long"]
    assert await stage.titles(category="Games") == ["Middle", "Long"]
    assert await stage.titles(premium=True) == ["Long"]
    assert await stage.titles(premium=False) == ["Middle", "Short"]
    assert await stage.titles(min_seconds=600) == ["Middle", "Long"]
    assert await stage.titles(min_seconds=31, max_seconds=600) == ["Middle"]
    assert await stage.titles(since=at + timedelta(seconds=1)) == ["Middle"]
    assert await stage.titles(until=at) == ["Short"]
    assert await stage.titles("long", category="Games", premium=True, since=START) == ["Long"]
    assert await stage.titles("long", category="Music") == []


async def test_nothing_asked_lists_the_newest_first(stage: Stage) -> None:
    for title in ("One", "Two", "Three"):
        await stage.publish(title)
    assert await stage.titles() == ["Three", "Two", "One"]
    assert (await stage.find()).total == 3


async def test_results_are_sorted_as_asked(stage: Stage) -> None:
    await stage.publish("Lake", views=5)
    await stage.publish("Lake at night, by the lake", views=50)
    await stage.publish("A day", description="lake", views=500)
    assert await stage.titles("lake", sort="newest") == ["A day", "Lake at night, by the lake", "Lake"]
    assert await stage.titles("lake", sort="views") == ["A day", "Lake at night, by the lake", "Lake"]
    assert (await stage.titles("lake", sort="relevance"))[-1] == "A day"
    assert await stage.titles(sort="views") == ["A day", "Lake at night, by the lake", "Lake"]


async def test_what_matched_is_marked_in_pieces_and_markup_stays_text(stage: Stage) -> None:
    await stage.publish("Learn <b>guitar</b> & more", description="x " * 300 + "the guitars of Spain " + "y " * 300)
    (hit,) = (await stage.find("guitar")).hits
    assert hit.highlights["title"] == [("Learn <b>", False), ("guitar", True), ("</b> & more", False)]
    (hit,) = (await stage.find("spain")).hits
    assert "title" not in hit.highlights
    marked = hit.highlights["description"]
    assert [text for text, match in marked if match] == ["Spain"]
    assert len("".join(text for text, _ in marked)) < 250
    assert (await stage.find()).hits[0].highlights == {}


async def test_marks_of_a_text_that_was_changed_since_are_left_out(stage: Stage) -> None:
    video = await stage.publish("Old harbour")
    await stage.change(video, title="New harbour")
    (hit,) = (await stage.find("harbour")).hits
    assert (hit.video.title, hit.highlights) == ("New harbour", {})


@pytest.mark.parametrize("sort", ["relevance", "newest", "views"])
async def test_pages_follow_each_other_without_gap_or_repetition(stage: Stage, sort: str) -> None:
    await asyncio_all([stage.publish(f"Tide {number}") for number in range(11)])
    seen: list[str] = []
    cursor = None
    for page in range(4):
        found = await stage.find("tide", cursor=cursor, limit=3, sort=sort)
        assert found.total == 11 + (page > 0)
        seen += [hit.video.title for hit in found.hits]
        cursor = found.next_cursor
        if page == 0:
            await stage.publish("The tide of today, a tide of its own kind")
    assert cursor is None
    assert sorted(seen) == sorted(f"Tide {number}" for number in range(11))


async def asyncio_all(publishing: list) -> None:  # type: ignore[type-arg]  # coroutines of videos
    """One after the other: the clock moves with each."""
    for one in publishing:
        await one


async def test_a_page_of_misspelt_words_goes_on_as_it_began(stage: Stage) -> None:
    await asyncio_all([stage.publish(f"Tornado {number}") for number in range(5)])
    first = await stage.find("tornadu", limit=3)
    second = await stage.find("tornadu", limit=3, cursor=first.next_cursor)
    assert len({hit.video.title for hit in first.hits + second.hits}) == 5
    assert second.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "gA", "k6E", "A" * 5000, "lKEAwqEA"])
async def test_a_cursor_that_is_not_ours_is_refused(stage: Stage, cursor: str) -> None:
    with pytest.raises(Invalid):
        await stage.find("tide", cursor=cursor)


async def test_a_cursor_of_another_search_is_refused(stage: Stage) -> None:
    await asyncio_all([stage.publish(f"Tide {number}") for number in range(3)])
    cursor = (await stage.find("tide", limit=1)).next_cursor
    assert (await stage.find("tide", limit=2, cursor=cursor)).hits
    for other in ({"sort": "views"}, {"premium": False}):
        with pytest.raises(Invalid):
            await stage.find("tide", cursor=cursor, **other)
    with pytest.raises(Invalid):
        await stage.find("tides", cursor=cursor)
    with pytest.raises(Invalid):
        await stage.find("tide", person(), cursor=cursor)


async def test_everybody_finds_what_is_listed_and_its_creator_finds_all_of_their_own(stage: Stage) -> None:
    for visibility in ("public", "premium", "unlisted", "private"):
        await stage.publish(f"Sight {visibility}", visibility=visibility)
    unfinished = await stage.publish("Sight unfinished")
    await stage.catalogue.delete(stage.mara, unfinished.id)
    await stage.indexer.take(unfinished.id)
    listed = {"Sight public", "Sight premium"}
    for who in (None, person("free"), person("premium"), person("creator"), person("admin")):
        assert set(await stage.titles("sight", who)) == listed
        assert (await stage.find("sight", who)).total == 2
    assert set(await stage.titles("sight", stage.mara)) == {*listed, "Sight unlisted", "Sight private"}
    assert set(await stage.titles("sight", person(), creator=stage.mara.user_id)) == listed


async def test_what_the_index_does_not_know_yet_is_still_not_shown(stage: Stage) -> None:
    hidden = await stage.publish("Secret one")
    gone = await stage.publish("Secret two")
    assert set(await stage.suggestions("secr")) == {"Secret one", "Secret two"}
    await stage.change(hidden, visibility="private")
    await stage.catalogue.delete(stage.mara, gone.id)
    assert await stage.titles("secret") == []
    assert await stage.titles("secret", stage.mara) == ["Secret one"]
    assert await stage.suggestions("secr") == []


async def test_kept_suggestions_do_not_tell_what_was_hidden_since(stage: Stage) -> None:
    video = await stage.publish("Plans of tomorrow", name="Planner", tags=["planning"])
    await stage.index.refresh()
    assert {one.text for one in await stage.videos.suggest("plan")} == {"Planner", "planning", "Plans of tomorrow"}
    await stage.change(video, visibility="private")
    assert await stage.videos.suggest("plan") == []


async def test_suggestions_are_titles_creators_and_tags_that_begin_so(stage: Stage) -> None:
    video = await stage.publish("Garden tour", name="Gardeners", tags=["gardening", "roses"])
    await stage.publish("My little garden", name="Gardeners", tags=["Gardening"])
    await stage.publish("A private garden", visibility="private", name="Garden of Eden", tags=["gardens"])
    await stage.index.refresh()
    found = await stage.videos.suggest("  Gard")
    assert {(one.text.lower(), one.video_id is not None) for one in found} == {
        ("gardeners", False), ("gardening", False), ("garden tour", True), ("my little garden", True),
    }  # fmt: skip
    assert [one.video_id for one in found if one.text == "Garden tour"] == [video.id]
    assert await stage.suggestions("little gar") == ["My little garden"]
    assert await stage.suggestions("gár") == await stage.suggestions("gar")
    assert await stage.suggestions("g") == ["Gardeners", "gardening"] or "Gardening" in await stage.suggestions("g")


async def test_suggestions_are_few_and_each_is_there_once(stage: Stage) -> None:
    for number in range(12):
        await stage.publish(f"Wave {number % 10}", name="Wave Makers", tags=["waves", f"wave{number}"])
    found = await stage.suggestions("wav")
    assert len(found) == len(set(found)) == 8
    assert "Wave Makers" in found


async def test_a_title_with_more_views_is_suggested_first(stage: Stage) -> None:
    for number in range(10):
        await stage.publish(f"Comet {number}", views=number + 1)
    assert (await stage.suggestions("com"))[0] == "Comet 9"


ODD = (
    "*", "?", "~", "\\", '"', '""', "-", "--", '-"', "- - -", "(((((", "a AND (b OR", "tags:x", "_id:*", "[* TO *]",
    "/.*/", "{{7*7}}", "${jndi:x}", '{"match_all":{}}', "'; DROP TABLE videos; --", "<script>", "\x00",
    "\ue000a\ue001", "\u202e", "a" * 200, "a " * 100, '"a" ' * 50, "-a " * 60, "é" * 200, "日本語" * 60, "🎉",
    "a~2", "a^1000000", "&&", "||", "!", "\ud7ff", "ﷺ" * 66, "0" * 200, "x-y-z", "..", "\n\t",
)  # fmt: skip


@pytest.mark.parametrize("q", ODD, ids=range(len(ODD)))
async def test_odd_questions_are_only_words(stage: Stage, q: str) -> None:
    await stage.publish("Quiet title")
    found = await stage.find(q[:MAX_QUERY])
    assert [hit.video.title for hit in found.hits] in ([], ["Quiet title"])
    if any(sign.isalnum() for sign in q) and not q.startswith("-"):
        assert found.hits == []
    await stage.suggestions(q)


async def test_a_question_of_punctuation_alone_finds_nothing(stage: Stage) -> None:
    await stage.publish("Quiet title")
    assert (await stage.find("?!")).total == 0


async def test_a_filter_is_a_value_and_no_pattern(stage: Stage) -> None:
    await stage.publish("Quiet title", category="Music")
    assert await stage.titles(category="M*") == []
    assert await stage.titles(creator="*") == []
    assert await stage.titles(since=datetime(1, 1, 1, tzinfo=UTC), until=datetime(9999, 12, 31, tzinfo=UTC)) == [
        "Quiet title"
    ]


async def test_search_without_an_index_says_that_it_is_away(stage: Stage) -> None:
    for name in await stage.indices():
        await stage.index.drop(name)
    with pytest.raises(SearchUnavailable):
        await stage.videos.find(Asked(q="any"), None)
    with pytest.raises(SearchUnavailable):
        await stage.videos.suggest("any")
