"""AutoMod's verdict on one message: a pure function of the text, its author, the channel's rules and its terms."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from realtime.moderation.fold import Folded, fold
from realtime.moderation.links import is_allowed, links_in
from realtime.moderation.look_alikes import DECORATIONS
from realtime.moderation.terms import Action, Matches, Term, Terms

MAX_REASONS = 10
MIN_CAPS_LETTERS = 12
KNOWN_MESSAGES = 100
KNOWN_FOLLOW_SECONDS = 30 * 86_400
DECORATED = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in DECORATIONS) + "]+")
LONG_RUN = re.compile(r"(.)\1{4,}", re.DOTALL)  # no shorter one is ever too long
Category = Literal["discrimination", "sexual", "aggression", "profanity"]
Links = Literal["allow", "hold", "refuse"]
Domain = Annotated[str, Meta(min_length=3, max_length=253, pattern=r"^[A-Za-z0-9.-]+\Z")]
Count = Annotated[int, Meta(ge=0, le=500)]


class AutoModRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the channel has set; None leaves a check to the level, 0 turns it off.

    | level | words of | links | capitals over | a word over | marks over | mentions over | accounts under |
    |---|---|---|---|---|---|---|---|
    | 0 | - | allow | - | - | - | - | - |
    | 1 | discrimination | allow | - | - | 4 | - | - |
    | 2 | and sexual | allow | 90 % | 12 | 3 | 10 | - |
    | 3 | and aggression | hold | 80 % | 8 | 3 | 6 | 1 hour |
    | 4 | and profanity | hold | 70 % | 5 | 2 | 4 | 1 day |

    Terms are matched at every level. Subscribers, who follows for 30 days and who said 100 messages are spared
    capitals, repetition, mentions and account age below level 4; VIPs are spared links.
    """

    level: Annotated[int, Meta(ge=0, le=4)] = 0
    categories: tuple[Category, ...] | None = None
    links: Links | None = None
    allowed_domains: Annotated[tuple[Domain, ...], Meta(max_length=100)] = ()
    caps_share: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition: Count | None = None
    zalgo: Count | None = None
    mentions: Count | None = None
    account_age_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The author, in this channel; `follows_for_seconds` is None for who does not follow."""

    account_age_seconds: float
    follows_for_seconds: float | None = None
    is_subscriber: bool = False
    is_vip: bool = False
    messages_seen: int = 0

    @property
    def is_known(self) -> bool:
        follows = self.follows_for_seconds or 0
        return self.is_subscriber or follows >= KNOWN_FOLLOW_SECONDS or self.messages_seen >= KNOWN_MESSAGES


@dataclass(frozen=True, slots=True)
class Reason:
    """`public` may be told the author and never quotes a private term; `detail` is for moderators."""

    code: str
    public: str
    detail: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """Say it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A moderator decides."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never say it; the first reason is one that forbids."""

    reasons: tuple[Reason, ...]


Verdict = Pass | Hold | Refuse
Finding = tuple[Action, Reason]


@dataclass(frozen=True, slots=True)
class _Level:
    categories: tuple[Category, ...] = ()
    links: Links = "allow"
    caps_share: float = 0
    repetition: int = 0
    zalgo: int = 0
    mentions: int = 0
    account_age_seconds: int = 0


_LEVELS = (
    _Level(),
    _Level(("discrimination",), zalgo=4),
    _Level(("discrimination", "sexual"), "allow", 0.9, 12, 3, 10),
    _Level(("discrimination", "sexual", "aggression"), "hold", 0.8, 8, 3, 6, 3_600),
    _Level(("discrimination", "sexual", "aggression", "profanity"), "hold", 0.7, 5, 2, 4, 86_400),
)


def judge(text: str, facts: Facts, rules: AutoModRules, terms: Terms) -> Verdict:
    """Linear in the text. Allowed terms cancel what they cover, be it a blocked term or a finding of the level."""
    folded = fold(text)
    matches = terms.matches(folded)
    checks = _in_force(rules)
    found = [
        *_terms(matches),
        *(
            finding
            for finding in _level_findings(text, folded, facts, rules, checks)
            if (span := finding[1].span) is None or not matches.covers(*span)
        ),
    ]
    refused = [reason for action, reason in found if action == "refuse"]
    held = [reason for action, reason in found if action == "hold"]
    reasons = tuple((refused + held)[:MAX_REASONS])
    if refused:
        return Refuse(reasons)
    return Hold(reasons) if held else Pass()


def _in_force(rules: AutoModRules) -> _Level:
    level = _LEVELS[rules.level]
    names = _Level.__dataclass_fields__
    chosen = {name: value for name in names if (value := getattr(rules, name)) is not None}
    return _Level(**{**{name: getattr(level, name) for name in names}, **chosen})


def _level_findings(text: str, folded: Folded, facts: Facts, rules: AutoModRules, checks: _Level) -> Iterator[Finding]:
    yield from _words(folded, checks.categories)
    if checks.links != "allow" and not facts.is_vip:
        yield from _links(text, checks.links, rules.allowed_domains)
    if checks.zalgo:
        yield from _zalgo(text, checks.zalgo)
    if facts.is_known and rules.level < 4:
        return
    yield from _manners(text, folded, checks)
    if facts.account_age_seconds < checks.account_age_seconds:
        detail = f"account is {facts.account_age_seconds / 3600:.1f} hours old"
        yield "hold", Reason("automod.new_account", "Messages of new accounts are looked at first.", detail)


def _terms(matches: Matches) -> Iterator[Finding]:
    for term, start, end in matches.blocked:
        public = "It contains something that is blocked in this channel."
        if term.visibility == "public":
            public = f"“{term.text}” is blocked in this channel."
        yield term.action, Reason("automod.term", public, f"blocked term: {term.text}", (start, end))


@cache
def _builtin(categories: tuple[Category, ...]) -> tuple[Terms, dict[str, Category]]:
    """The words of all these in one, and which category each is of."""
    lists = tomllib.loads((files(__package__) / "words.toml").read_text(encoding="utf-8"))
    category_of = {word: category for category in categories for word in lists[category]}
    return Terms.compile([Term(word) for word in category_of]), category_of


def _words(folded: Folded, categories: tuple[Category, ...]) -> Iterator[Finding]:
    terms, category_of = _builtin(categories)
    for term, start, end in terms.matches(folded).blocked:
        public = "It contains words that are not wanted in this channel."
        yield "hold", Reason("automod.words", public, f"{category_of[term.text]}: {term.text}", (start, end))


def _links(text: str, action: Action, domains: tuple[str, ...]) -> Iterator[Finding]:
    for link in links_in(text):
        if not is_allowed(link, domains):
            detail = f"link to {link.host}" if link.host else "disguised link"
            # What only looks like a link is for a human to decide.
            weight: Action = action if link.host else "hold"
            yield weight, Reason("automod.link", "Links are checked in this channel.", detail, (link.start, link.end))


def _zalgo(text: str, most: int) -> Iterator[Finding]:
    for run in DECORATED.finditer(text):
        if run.end() - run.start() > most:
            span = (max(0, run.start() - 1), run.start() + most + 1)
            yield "hold", Reason("automod.zalgo", "It stacks marks on letters.", f"over {most} marks", span)
            return


def _manners(text: str, folded: Folded, checks: _Level) -> Iterator[Finding]:
    whole = (0, len(text))
    capitals = sum(map(str.isupper, text))
    cased = capitals + sum(map(str.islower, text))
    share = capitals / cased if cased >= MIN_CAPS_LETTERS else 0.0
    if checks.caps_share and share > checks.caps_share:
        yield "hold", Reason("automod.caps", "It is mostly capitals.", f"{share:.0%} capitals", whole)
    words = Counter(word.text for word in folded.readings[0].words)
    word, times = words.most_common(1)[0] if words else ("", 0)
    if checks.repetition and times > checks.repetition and 2 * times >= words.total():
        yield "hold", Reason("automod.repetition", "It repeats itself.", f"{times} times “{word[:40]}”", whole)
    elif checks.repetition and _longest_run(text) > 4 * checks.repetition:
        yield "hold", Reason("automod.repetition", "It repeats itself.", "one character over and over", whole)
    mentions = sum(part.startswith("@") and len(part) > 1 for part in text.split())
    if checks.mentions and mentions > checks.mentions:
        yield "hold", Reason("automod.mentions", "It mentions too many people.", f"{mentions} mentions", whole)


def _longest_run(text: str) -> int:
    return max((run.end() - run.start() for run in LONG_RUN.finditer(text)), default=0)
