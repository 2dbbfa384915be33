"""Terms: what they match is what a slow and plain matcher says, whatever the text."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.moderation.fold import fold, fold_term
from realtime.moderation.terms import MAX_INNER, MAX_NESTED, MAX_TERMS, Term, TermInvalid, Terms

words = st.lists(st.text(alphabet="abc", min_size=1, max_size=5), min_size=1, max_size=6).map(" ".join)


@st.composite
def term_texts(draw: st.DrawFn) -> str:
    text = draw(st.text(alphabet="abc*", min_size=2, max_size=6))
    if draw(st.booleans()):
        text += " " + draw(st.text(alphabet="abc", min_size=1, max_size=3))
    return re.sub(r"\*+", "*", text)


def plainly_matches(term: str, text: str) -> bool:
    """By a backtracking engine, which is fine for a dozen letters. A * that is all of the first word asks nothing."""
    term = term.removeprefix("* ")
    pattern = " " + "[^ ]*".join(fold_term(part).join(_edges(part)) for part in term.split("*")) + " "
    return any(re.search(pattern, reading.skeleton) for reading in fold(text).readings)


def _edges(part: str) -> tuple[str, str]:
    return " " * part.startswith(" "), " " * (part.endswith(" ") and bool(part.strip()))


@given(term_texts(), words)
@example("* aa", "aa")
@example("* aa", "aab")
def test_matching_is_what_a_plain_matcher_says(term: str, text: str) -> None:
    try:
        terms = Terms.compile([Term(term)])
    except TermInvalid:
        return
    assert bool(terms.matches(fold(text)).blocked) == plainly_matches(term, text)


@given(words, st.lists(st.text(alphabet="abc", min_size=2, max_size=4), min_size=1, max_size=5, unique=True))
def test_spans_lie_in_the_text_and_allowed_terms_cancel_blocked_ones(text: str, texts: list[str]) -> None:
    blocked = [Term(one) for one in texts]
    for match in Terms.compile(blocked).matches(fold(text)).blocked:
        assert 0 <= match.start < match.end <= len(text)
    both = Terms.compile([*blocked, *(Term(one, kind="allowed") for one in texts)])
    assert both.matches(fold(text)).blocked == ()


def test_an_allowed_phrase_cancels_only_what_it_covers() -> None:
    terms = Terms.compile([Term("bomb*"), Term("photo bomb", kind="allowed")])
    assert terms.matches(fold("a photo bomb")).blocked == ()
    assert [m.start for m in terms.matches(fold("photo bomb, bombs")).blocked] == [12]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "length"),
        ("a" * 501, "length"),
        ("**", "empty"),
        ("...", "empty"),
        ("a*", "too_general"),
        ("bad * word", "wildcard"),
        ("a*b*c*d*e*f*g*h*i*j", "wildcard"),
        ("a" * 20 + "*" + "b" * 20, "too_long"),
    ],
)
def test_bad_terms_say_why(text: str, reason: str) -> None:
    with pytest.raises(TermInvalid) as refused:
        Terms.compile([Term(text)])
    assert refused.value.details["reason"] == reason


def test_more_than_can_be_matched_in_time_is_refused() -> None:
    with pytest.raises(TermInvalid, match="5000"):
        Terms.compile([Term(f"word{i}") for i in range(MAX_TERMS + 1)])
    with pytest.raises(TermInvalid, match="inside a word"):
        Terms.compile([Term(f"a*b{i}") for i in range(MAX_INNER + 1)])
    with pytest.raises(TermInvalid, match="end like this"):
        Terms.compile([Term("*" + ("ab" * 9)[-length:] + "*") for length in range(2, 3 + MAX_NESTED)])


def test_no_terms_match_nothing() -> None:
    assert Terms.compile([]).matches(fold("anything")).blocked == ()
