"""The rules of text, alone."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import TextInvalid
from realtime.room.text import MAX_LENGTH, clean


@pytest.mark.parametrize(
    ("text", "kept"),
    [("  hi\n", "hi"), ("e\u0301", "é"), ("👩‍👩‍👧", "👩‍👩‍👧"), ("x" * 500, "x" * 500), ("שלום", "שלום")],
)
def test_text_is_trimmed_and_normalised(text: str, kept: str) -> None:
    assert clean(text) == kept


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 501, "too_long"),
        ("x" * 60_000, "too_long"),
        ("a\nb", "characters"),
        ("a\x00b", "characters"),
        ("a\u202eb", "characters"),
        ("a\u2066b", "characters"),
        ("a\u2028b", "characters"),
        ("a\u009fb", "characters"),
    ],
)
def test_what_is_refused_says_why(text: str, reason: str) -> None:
    with pytest.raises(TextInvalid) as refused:
        clean(text)
    assert refused.value.details["reason"] == reason


@given(st.text(max_size=700))
def test_what_is_kept_stays_as_it_is(text: str) -> None:
    try:
        kept = clean(text)
    except TextInvalid:
        return
    assert clean(kept) == kept
    assert 1 <= len(kept) <= MAX_LENGTH
    assert unicodedata.is_normalized("NFC", kept)
    assert not any(unicodedata.category(character) == "Cc" for character in kept)
