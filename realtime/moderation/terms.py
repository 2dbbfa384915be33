"""A channel's blocked and allowed terms, and where they are in a folded text.

A term matches whole words; `*` stands for any letters of one word (`ban*`, `*ban`, `b*n`). The work is linear in the
text whatever the terms (`patterns.py`): of those without a `*` inside a word at most MAX_NESTED may end at one place,
and there are at most MAX_INNER of the others.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from infra.errors import Invalid
from realtime.moderation.fold import Distinct, Folded, Reading, Span, fold_term
from realtime.moderation.patterns import Found, Patterns, Pieces

MIN_LENGTH, MAX_LENGTH = 2, 500
MAX_TERMS = 5_000
MAX_INNER = 100
MAX_NESTED = 5
MAX_INNER_LENGTH = 32
MAX_WILDCARDS = 8
TermKind = Literal["blocked", "allowed"]
Action = Literal["hold", "refuse"]


class TermInvalid(Invalid):
    """`details.reason`: length, wildcard, empty, too_general, too_long, too_many or nested; `details.text` if one."""

    code = "automod.term_invalid"
    message = "This term cannot be used."


@dataclass(frozen=True, slots=True)
class Term:
    """`text` has 2 to 500 characters. `visibility` says whether the author of a message is told the term."""

    text: str
    kind: TermKind = "blocked"
    action: Action = "hold"
    visibility: Literal["private", "public"] = "private"


class Match(NamedTuple):
    """The words of the original text that a term stands for."""

    term: Term
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Matches:
    """`blocked` without what is covered; `allowed` as disjoint spans from left to right."""

    blocked: tuple[Match, ...]
    allowed: tuple[Span, ...]

    def covers(self, start: int, end: int) -> bool:
        """Whether one allowed span holds all of this."""
        place = bisect_right(self.allowed, start, key=lambda span: span[0]) - 1
        return place >= 0 and end <= self.allowed[place][1]


@dataclass(frozen=True, slots=True)
class Terms:
    """Compiled: keep it as long as the channel's terms do not change."""

    size: int
    _words: "_Compiled"
    _phrases: "_Compiled"

    @classmethod
    def compile(cls, terms: Sequence[Term]) -> "Terms":
        """Raises `TermInvalid` for a bad term, or for more of a sort than can be matched in time."""
        if len(terms) > MAX_TERMS:
            raise TermInvalid(f"A channel can have {MAX_TERMS} terms.", reason="too_many", max=MAX_TERMS)
        patterns: dict[Pieces, list[Term]] = {}
        for term in terms:
            _add(patterns.setdefault(pieces_of(term.text), []), term)
        if sum(len(pieces) > 1 for pieces in patterns) > MAX_INNER:
            raise TermInvalid(
                f"A channel can have {MAX_INNER} terms with * inside a word.", reason="too_many", max=MAX_INNER
            )
        _require_flat({pieces[0]: same for pieces, same in patterns.items() if len(pieces) == 1})
        phrases = {pieces: same for pieces, same in patterns.items() if " " in "*".join(pieces).strip()}
        words = {pieces: same for pieces, same in patterns.items() if pieces not in phrases}
        return cls(len(terms), _Compiled.of(words), _Compiled.of(phrases))

    def matches(self, folded: Folded) -> Matches:
        """Each blocked term once, where it is first found uncovered."""
        pairs: list[tuple[_Compiled, Reading | Distinct]] = [(self._words, folded.distinct)]
        pairs += [(self._phrases, reading) for reading in folded.readings]
        found = [(compiled, text, compiled.found(text)) for compiled, text in pairs if compiled.terms]
        allowed = _joined(span for compiled, text, hits in found for span in compiled.allowed_spans(text, hits))
        matches = Matches((), allowed)
        first: dict[Term, Span] = {}
        for compiled, text, hits in found:
            for number, span in compiled.first_open(text, hits, matches).items():
                for term in compiled.terms[number]:
                    if term.kind == "blocked":
                        first[term] = min(span, first.get(term, span))
        blocked = (Match(term, *span) for term, span in first.items())
        return Matches(tuple(sorted(blocked, key=lambda match: (match.start, match.end, match.term.text))), allowed)


class _Compiled(NamedTuple):
    """Patterns; by their number the terms that fold to them; the numbers of those with an allowed term."""

    patterns: Patterns
    terms: tuple[tuple[Term, ...], ...]
    allowed: frozenset[int]

    @classmethod
    def of(cls, terms: dict[Pieces, list[Term]]) -> "_Compiled":
        allowed = (number for number, same in enumerate(terms.values()) if any(term.kind == "allowed" for term in same))
        return cls(Patterns(list(terms)), tuple(map(tuple, terms.values())), frozenset(allowed))

    def found(self, text: Reading | Distinct) -> list[Found]:
        return list(self.patterns.found(text.skeleton))

    def allowed_spans(self, text: Reading | Distinct, hits: list[Found]) -> Iterator[Span]:
        for number, start, end in hits if self.allowed else ():
            if number in self.allowed:
                yield from text.places(start, end)

    def first_open(self, text: Reading | Distinct, hits: list[Found], allowed: Matches) -> dict[int, Span]:
        """By pattern, where it is first uncovered."""
        first: dict[int, Span] = {}
        in_order = isinstance(text, Reading)  # so the first one that is found is the one
        for number, start, end in hits:
            if in_order and number in first:
                continue
            places = text.places(start, end)
            open_places = [span for span in places if not allowed.covers(*span)] if allowed.allowed else places
            if open_places:
                first[number] = min(first.get(number, open_places[0]), *open_places)
        return first


def pieces_of(text: str) -> Pieces:
    """The folded parts between wildcards, a space where a word begins or ends. Raises `TermInvalid`."""
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        raise TermInvalid(
            f"A term has {MIN_LENGTH} to {MAX_LENGTH} characters.", reason="length", text=text[:MAX_LENGTH]
        )
    parts = text.strip().split("*")
    if len(parts) - 1 > MAX_WILDCARDS:
        raise TermInvalid(f"A term has at most {MAX_WILDCARDS} wildcards.", reason="wildcard", text=text)
    if any(part[:1].isspace() for part in parts[1:]) and any(part[-1:].isspace() for part in parts[:-1]):
        raise TermInvalid("A * stands at the end of a word or inside one.", reason="wildcard", text=text)
    folded = [_folded_part(part) for part in parts]
    kept = [part for part in folded if part.strip()]
    if not kept:
        raise TermInvalid("Nothing is left of this term to look for.", reason="empty", text=text)
    if len(parts) > 1 and len("".join(kept).replace(" ", "")) < 2:
        raise TermInvalid("A term with * has at least two letters beside it.", reason="too_general", text=text)
    if len(kept) > 1 and len(text) > MAX_INNER_LENGTH:
        raise TermInvalid(
            f"A term with * inside has at most {MAX_INNER_LENGTH} characters.", reason="too_long", text=text
        )
    kept[0] = kept[0] if parts[0] == "" else " " + kept[0].lstrip()
    kept[-1] = kept[-1] if parts[-1] == "" else kept[-1].rstrip() + " "
    return tuple(kept)


def _folded_part(part: str) -> str:
    """With its outer spaces: `bad* word` has ` word` as its second part."""
    folded = fold_term(part)
    return (" " if part[:1].isspace() else "") + folded + (" " if part[-1:].isspace() and folded else "")


def _add(same: list[Term], term: Term) -> None:
    """Terms that fold to the same: one for each kind and action is enough."""
    if all((other.kind, other.action) != (term.kind, term.action) for other in same):
        same.append(term)


def _require_flat(patterns: dict[str, list[Term]]) -> None:
    """No more than MAX_NESTED patterns may end with one another: that many can match at one place."""
    chain: list[str] = []
    for backwards in sorted(pattern[::-1] for pattern in patterns):
        while chain and not backwards.startswith(chain[-1]):
            chain.pop()
        chain.append(backwards)
        if len(chain) > MAX_NESTED:
            text = patterns[backwards[::-1]][0].text
            raise TermInvalid(
                f"{MAX_NESTED} shorter terms end like this one already.", reason="nested", text=text, max=MAX_NESTED
            )


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Only those spans that are inside no other, from left to right; their ends rise with their starts."""
    kept: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)
