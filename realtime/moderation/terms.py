"""A channel's blocked and allowed terms, and where they are in a folded text.

A term matches whole words; `*` stands for any letters of one word (`ban*`, `*ban`, `b*n`). The work is linear in the
text whatever the terms: an Aho-Corasick automaton finds the terms without a `*` inside a word, of which at most
MAX_NESTED may end at one place, and those with one, at most MAX_INNER, each scan the words once.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from infra.errors import Invalid
from realtime.moderation.fold import Folded, Reading, fold_term

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
    allowed: tuple[tuple[int, int], ...]

    def covers(self, start: int, end: int) -> bool:
        """Whether one allowed span holds all of this."""
        return any(first <= start and end <= last for first, last in self.allowed)


class _Inner(NamedTuple):
    """A term with `*` inside a word: the pieces between, with a space where a word must begin or end."""

    term: Term
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Compiled: keep it as long as the channel's terms do not change."""

    size: int
    _automaton: AhoCorasick | None
    _of_pattern: tuple[tuple[Term, ...], ...] = field(repr=False)
    _inner: tuple[_Inner, ...] = field(repr=False)

    @classmethod
    def compile(cls, terms: Sequence[Term]) -> "Terms":
        """Raises `TermInvalid` for a bad term, or for more of a sort than can be matched in time."""
        if len(terms) > MAX_TERMS:
            raise TermInvalid(f"A channel can have {MAX_TERMS} terms.", reason="too_many", max=MAX_TERMS)
        patterns: dict[str, list[Term]] = {}
        inner: list[_Inner] = []
        for term in terms:
            pieces = pieces_of(term.text)
            if len(pieces) > 1:
                inner.append(_Inner(term, pieces))
            else:
                _add(patterns.setdefault(pieces[0], []), term)
        if len(inner) > MAX_INNER:
            raise TermInvalid(
                f"A channel can have {MAX_INNER} terms with * inside a word.", reason="too_many", max=MAX_INNER
            )
        _require_flat(patterns)
        automaton = AhoCorasick(list(patterns), implementation=Implementation.ContiguousNFA) if patterns else None
        return cls(len(terms), automaton, tuple(tuple(same) for same in patterns.values()), tuple(inner))

    def matches(self, folded: Folded) -> Matches:
        """Each blocked term once, where it is first found uncovered."""
        found = {match for reading in folded.readings for match in self._found(reading)} if self.size else set()
        allowed = _joined((match.start, match.end) for match in found if match.term.kind == "allowed")
        starts = [start for start, _ in allowed]
        blocked: dict[Term, Match] = {}
        for match in sorted(found, key=lambda match: (match.start, match.end, match.term.text)):
            if match.term.kind == "blocked" and match.term not in blocked:
                place = bisect_right(starts, match.start) - 1
                if place < 0 or allowed[place][1] < match.end:
                    blocked[match.term] = match
        return Matches(tuple(blocked.values()), allowed)

    def _found(self, reading: Reading) -> Iterator[Match]:
        text = reading.skeleton
        if self._automaton is not None:
            done: dict[int, int] = {}  # by pattern: a match stands for its whole word, so once a word is enough
            for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
                if start < done.get(pattern, 0):
                    continue
                word_end = text.find(" ", start + 1)
                done[pattern] = word_end if end <= word_end + 1 else 0
                for term in self._of_pattern[pattern]:
                    yield _match(reading, term, start, end)
        for inner in self._inner:
            if inner.pieces[-1] not in text:  # cheaper than to begin
                continue
            yield from (_match(reading, inner.term, start, end) for start, end in _scan(text, inner.pieces))


def pieces_of(text: str) -> tuple[str, ...]:
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


def _scan(text: str, pieces: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where the pieces follow each other with only letters of one word between. Each word is looked at once."""
    if not all(piece in text for piece in pieces):
        return
    start = text.find(pieces[0])
    while start >= 0:
        first_end = start + len(pieces[0])
        word_end = text.find(" ", first_end)
        end = _rest(text, pieces, first_end, len(text) if word_end < 0 else word_end)
        if end is not None:
            yield start, end
        following = text.find(pieces[1], first_end)
        if following < 0:
            return
        after = start + 1
        if " " not in pieces[0].lstrip():  # once a word is enough, and only words that have the next piece
            after = max(after, word_end, text.rfind(" ", 0, following))
        start = text.find(pieces[0], after)


def _rest(text: str, pieces: tuple[str, ...], position: int, word_end: int) -> int | None:
    """The end of the last piece, each piece as early as can be; a last one that ends its word is looked for there."""
    for index, piece in enumerate(pieces[1:], 1):
        if index == len(pieces) - 1 and piece.endswith(" ") and " " not in piece.strip():
            start = word_end + 1 - len(piece)
            if piece.startswith(" "):
                start = word_end
            return start + len(piece) if start >= position and text.startswith(piece, start) else None
        start = text.find(piece, position, word_end + len(piece))
        if start < 0 or start > word_end:
            return None
        position = start + len(piece)
        if " " in piece:
            word_end = text.find(" ", position)
    return position


def _match(reading: Reading, term: Term, start: int, end: int) -> Match:
    """With the rest of the words at both ends: that is what a wildcard stands for."""
    first = bisect_right(reading.starts, start + (reading.skeleton[start] == " ") - 1) - 1
    last = bisect_right(reading.starts, end - 2 if reading.skeleton[end - 1] == " " else end - 1) - 1
    words = reading.words[max(0, first) : last + 1]
    return Match(term, min(word.start for word in words), max(word.end for word in words))


def _joined(spans: Iterator[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Only those spans that are inside no other, from left to right; their ends rise with their starts."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)
