"""Folding: disguises come out as what they mean, and ordinary words of any script stay apart."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.moderation.fold import MAX_GROWTH, fold, skeleton


@given(st.text(max_size=80))
def test_what_was_folded_stays_as_it_is(text: str) -> None:
    once = skeleton(text)
    assert skeleton(once) == once


@given(st.text(alphabet="ab1@$!| .аежο\u0301\u200bſßİ", max_size=60))
def test_what_was_folded_stays_as_it_is_for_disguises(text: str) -> None:
    once = skeleton(text)
    assert skeleton(once) == once


@given(st.text(max_size=80))
def test_a_reading_grows_within_bounds_and_its_words_lie_in_the_text(text: str) -> None:
    readings = fold(text).readings
    assert 1 <= len(readings) <= 4
    for reading in readings:
        assert len(reading.skeleton) <= 4 * MAX_GROWTH * (len(text) + 1)
        assert all(0 <= word.start < word.end <= len(text) for word in reading.words)


def test_no_character_grows_more_than_is_said() -> None:
    assert max(len(unicodedata.normalize("NFKD", chr(point))) for point in range(0x110000)) == MAX_GROWTH


@pytest.mark.parametrize(
    "text",
    [
        "bad",
        "BAD",
        "b4d",
        "b@d",
        "baaaad",
        "b\u200bad",
        "bа́d",
        "ｂａｄ",
        "𝓫𝓪𝓭",
        "🅱🅰🅳",
        "b̷̡a̸d",
        "b a d",
        "b.a.d",
        "b\u00adad",
    ],
)
def test_disguises_are_seen_through(text: str) -> None:
    assert any(" bad " in reading.skeleton for reading in fold(text).readings)


@pytest.mark.parametrize("text", ["мир", "Ελλάδα", "日本語", "हिन्दी", "45s", "1000000"])
def test_other_scripts_and_numbers_are_no_latin_words(text: str) -> None:
    letters = skeleton(text).replace(" ", "")
    assert letters
    assert not any("a" <= letter <= "z" for letter in letters.removesuffix("s"))
