"""What is asked, in parts and as a request. Pure."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import cursors
from infra.errors import Invalid
from media.catalog.search_query import (
    FUZZY_WORDS,
    MAX_EXCLUDED,
    MAX_PHRASES,
    MAX_QUERY,
    MAX_WORDS,
    Asked,
    Place,
    Terms,
    decode_place,
    encode_place,
    exactly,
    pieces_of,
    search_body,
    suggest_bodies,
    terms_of,
    typed_of,
)


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("", Terms()),
        ("  red   house ", Terms(["red", "house"])),
        ('red "by the sea"', Terms(["red"], ["by the sea"])),
        ('"unfinished phrase', Terms(["unfinished", "phrase"])),
        ("red -house", Terms(["red"], [], ["house"])),
        ('-"by the sea"', Terms([], [], ["by the sea"])),
        ("well-known", Terms(["well-known"])),
        ('"" - -- ! ...', Terms(silent=True)),
        ("e\u0301t\u00e9", Terms(["\u00e9t\u00e9"])),
    ],
)
def test_a_question_is_words_phrases_and_what_is_excluded(q: str, terms: Terms) -> None:
    assert terms_of(q) == terms


def keys_of(body: Any) -> set[str]:
    if isinstance(body, dict):
        return set(body) | {key for value in body.values() for key in keys_of(value)}
    return {key for value in body for key in keys_of(value)} if isinstance(body, list) else set()


@given(st.text(max_size=400), st.booleans())
def test_every_question_makes_a_small_request_without_a_language_in_it(q: str, tolerant: bool) -> None:
    terms = terms_of(q)
    assert len(terms.words) <= MAX_WORDS
    assert len(terms.phrases) <= MAX_PHRASES
    assert len(terms.excluded) <= MAX_EXCLUDED
    bodies = [search_body(Asked(q=q), terms, "me", None, 20, tolerant=tolerant), *suggest_bodies(typed_of(q))]
    for body in bodies:
        assert len(json.dumps(body)) < 40_000
        assert not keys_of(body) & {"query_string", "simple_query_string", "regexp", "wildcard", "script", "include"}
    assert json.dumps(bodies[0]).count('"fuzziness"') <= FUZZY_WORDS


@given(st.text(max_size=MAX_QUERY))
def test_what_is_looked_for_was_typed(q: str) -> None:
    terms = terms_of(q)
    assert terms.silent <= bool(q.strip())
    for text in [*terms.words, *terms.phrases, *terms.excluded]:
        assert text.strip() == text
        assert '"' not in text


@given(st.lists(st.tuples(st.text("ab<> ", min_size=1), st.booleans())))
def test_pieces_are_the_text_again(texts: list[tuple[str, bool]]) -> None:
    marked = "".join(f"\ue000{text}\ue001" if match else text for text, match in texts)
    assert "".join(text for text, _ in pieces_of(marked)) == "".join(text for text, _ in texts)
    assert [text for text, match in pieces_of(marked) if match] == [text for text, match in texts if match]


def test_a_place_is_of_its_question_its_asker_and_its_order() -> None:
    asked, terms = Asked(q="sea"), terms_of("sea")
    cursor = encode_place(asked, None, [4.1, 1_700_000_000_000, "some-id"], tolerant=True)
    place = decode_place(cursor, asked, terms, None)
    assert place is not None
    assert place.tolerant
    assert place.values == [exactly(4.1), 1_700_000_000_000, "some-id"]
    assert place.values[0] != 4.1  # as 32 bits have it
    with pytest.raises(Invalid):
        decode_place(cursor, asked, terms, "me")
    with pytest.raises(Invalid):
        decode_place(cursor, Asked(q="sea", premium=True), terms, None)


@given(st.lists(st.one_of(st.floats(), st.integers(-(2**63), 2**64 - 1), st.text(), st.none(), st.booleans())))
def test_a_forged_place_is_refused_or_harmless(values: list[Any]) -> None:
    asked, terms = Asked(q="sea"), terms_of("sea")
    known = encode_place(asked, None, [1.0, 1, "x"], tolerant=False)
    place = cursors.decode(known, Place)
    assert place is not None
    forged = cursors.encode([place.asked, False, values])
    try:
        decoded = decode_place(forged, asked, terms, None)
    except Invalid:
        return
    assert decoded is not None
    assert len(decoded.values) == 3
    json.dumps(decoded.values, allow_nan=False)
    assert all(abs(value) < 2**63 for value in decoded.values if not isinstance(value, str))


@given(st.binary(max_size=200))
def test_no_bytes_as_a_cursor_are_an_error_of_ours(garbage: bytes) -> None:
    asked, terms = Asked(q="sea"), terms_of("sea")
    with pytest.raises(Invalid):
        decode_place(cursors.encode(msgspec.Raw(b"\xc4" + bytes([len(garbage)]) + garbage)), asked, terms, None)
    with pytest.raises(Invalid):
        decode_place(garbage.hex() or "0", asked, terms, None)
