"""AutoMod's verdicts: tables of what must be caught and what must not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.moderation.automod import AutoModRules, Facts, Hold, Pass, Refuse, Verdict, judge
from realtime.moderation.terms import Term, Terms

OLD = Facts(account_age_seconds=1e9)
NONE = Terms.compile([])
TERMS = Terms.compile([Term(text) for text in ("ass", "cunt", "anal", "bad", "fool*", "bitch")])


def codes(verdict: Verdict) -> list[str]:
    return [] if isinstance(verdict, Pass) else [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe is a town",
        "class assess analysis bass 45s",
        "the badge, the badminton",
        "Сегодня хорошая погода, правда?",
        "Ένα συνηθισμένο μήνυμα",
        "こんにちは、元気ですか",
        "مرحبا كيف حالك اليوم",
        "नमस्ते, आप कैसे हैं",
        "Nguyễn Thị Ánh, Łukasz and Özgür",
        "👨‍👩‍👧‍👦 family 🏳️‍🌈",
        "See you tomorrow.Then we play at 10:30, v2.0!",
    ],
)
def test_innocent_sentences_pass(text: str) -> None:
    assert judge(text, OLD, AutoModRules(level=4), TERMS) == Pass()


@pytest.mark.parametrize(
    "text",
    [
        "you @ss",
        "a$$",
        "аss",
        "b1tch",
        "BITCHHHH",
        "b i t c h",
        "f00lish",
        "ｂａｄ",
        "b\u200da\u200dd",
        "c\u0336u\u0336nt",
        "ɑnal",
    ],
)
def test_disguised_terms_are_held(text: str) -> None:
    assert codes(judge(text, OLD, AutoModRules(), TERMS)) == ["automod.term"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("look at https://evil.example/x", "automod.link"),
        ("look at evil[.]com now", "automod.link"),
        ("join mysite dot com", "automod.link"),
        ("EVERYBODY LISTEN TO ME", "automod.caps"),
        ("spam spam spam spam spam spam spam spam spam", "automod.repetition"),
        ("z" * 60, "automod.repetition"),
        ("z\u0335\u0321\u034e\u0300\u0301o", "automod.zalgo"),
        ("@a @b @c @d @e @f @g", "automod.mentions"),
        ("oh fuuuuck", "automod.words"),
    ],
)
def test_levels_find_what_they_say(text: str, code: str) -> None:
    assert code in codes(judge(text, OLD, AutoModRules(level=4), NONE))
    assert judge(text, OLD, AutoModRules(), NONE) == Pass()


def test_links_are_refused_when_the_channel_says_so_unless_they_lead_to_allowed_domains() -> None:
    rules = AutoModRules(links="refuse", allowed_domains=("footlight.example",))
    assert isinstance(judge("https://evil.example", OLD, rules, NONE), Refuse)
    assert judge("see https://clips.footlight.example/1", OLD, rules, NONE) == Pass()
    assert codes(judge("https://footlight.example@evil.example", OLD, rules, NONE)) == ["automod.link"]
    assert codes(judge("https://notfootlight.example", OLD, rules, NONE)) == ["automod.link"]
    assert judge("https://evil.example", Facts(account_age_seconds=1e9, is_vip=True), rules, NONE) == Pass()


def test_new_accounts_are_held_and_known_people_are_not() -> None:
    rules = AutoModRules(account_age_seconds=600)
    assert codes(judge("hi", Facts(account_age_seconds=599), rules, NONE)) == ["automod.new_account"]
    assert judge("hi", Facts(account_age_seconds=600), rules, NONE) == Pass()
    assert judge("hi", Facts(account_age_seconds=1, is_subscriber=True), rules, NONE) == Pass()


def test_allowed_terms_cancel_what_a_level_finds() -> None:
    allowed = Terms.compile([Term("bullshit", kind="allowed")])
    assert codes(judge("bullshit", OLD, AutoModRules(level=4), NONE)) == ["automod.words"]
    assert judge("bullshit", OLD, AutoModRules(level=4), allowed) == Pass()


def test_private_terms_are_told_to_moderators_only() -> None:
    verdict = judge("the password", OLD, AutoModRules(), Terms.compile([Term("password", action="refuse")]))
    assert isinstance(verdict, Refuse)
    assert "password" not in verdict.reasons[0].public
    assert "password" in verdict.reasons[0].detail
    told = judge("the password", OLD, AutoModRules(), Terms.compile([Term("password", visibility="public")]))
    assert isinstance(told, Hold)
    assert "password" in told.reasons[0].public


@given(st.text(max_size=200), st.integers(0, 4))
def test_any_text_gets_the_same_verdict_twice_with_spans_inside_it(text: str, level: int) -> None:
    verdict = judge(text, OLD, AutoModRules(level=level), TERMS)
    assert verdict == judge(text, OLD, AutoModRules(level=level), TERMS)
    for reason in () if isinstance(verdict, Pass) else verdict.reasons:
        assert reason.span is None or 0 <= reason.span[0] < reason.span[1] <= len(text)


def test_rules_are_read_from_json_and_unknown_fields_are_refused() -> None:
    rules = AutoModRules(level=3, links="refuse", allowed_domains=("a.example",))
    assert msgspec.json.decode(msgspec.json.encode(rules), type=AutoModRules) == rules
    assert msgspec.json.decode(b"{}", type=AutoModRules) == AutoModRules()
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"levle": 3}', type=AutoModRules)
