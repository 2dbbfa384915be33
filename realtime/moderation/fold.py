"""How text is folded before anything is looked for in it. Only matching sees the result: what is shown stays as it is.

Letters are taken apart (NFKD), made small, freed of decorations and invisible characters; look-alikes become Latin
letters where a word mixes scripts; digits stand for letters inside words (`h3llo`, not `45s`); a letter three times or
more in a row is one, or two. Where a sign can be read in two ways (`1` as i or l, `@bob` as a name or `abob`), both
*readings* are given, at most four. Every step looks at each character once.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import Literal, NamedTuple
from unicodedata import category, normalize

from realtime.moderation.look_alikes import (
    BLANKS,
    LATIN,
    LEET,
    LOOSE,
    OTHER_LEET,
    SIGNS,
    STRICT,
    is_decoration,
)

MAX_GROWTH = 18  # the longest decomposition of one character, U+FDFA
MAX_LETTERS_JOINED = 40
Span = tuple[int, int]
_Token = tuple[str, int, int]  # a word before its signs and look-alikes are read, from where, to where
Kind = Literal["letter", "sign", "symbol", "gap", "nothing"]
# Constant patterns without anything to go back for; most messages are ASCII and read at the speed of C.
ASCII_WORD = re.compile(r"[A-Za-z0-9@$!|]+")
LONG_RUN = re.compile(r"([^\W\d_])\1\1+")
LEET_TABLE, OTHER_LEET_TABLE = str.maketrans(LEET), str.maketrans(OTHER_LEET)
LOOSE_TABLE, STRICT_TABLE = str.maketrans(LOOSE), str.maketrans(STRICT)
SIGNS_TABLE = str.maketrans(dict.fromkeys(SIGNS, " "))


class Word(NamedTuple):
    """A folded word, and where it stands in the original text."""

    text: str
    start: int
    end: int


class Reading(NamedTuple):
    """` one two `: the words with a space on both sides of each; `words[i]` begins after the space at `starts[i]`."""

    skeleton: str
    words: tuple[Word, ...]
    starts: tuple[int, ...]

    def places(self, start: int, end: int) -> list[Span]:
        """Where the words of a piece of the skeleton stand in the original."""
        first, last = _word_at(self, start), _word_at(self, end - 1 - (self.skeleton[end - 1] == " "))
        words = self.words[first : last + 1]
        return [(min(word.start for word in words), max(word.end for word in words))]


class Distinct(NamedTuple):
    """Each different word of all readings once, as in `Reading`; `spans[i]` is where word i stands in the original."""

    skeleton: str
    spans: tuple[list[Span], ...]
    starts: tuple[int, ...]

    def places(self, start: int, _end: int) -> list[Span]:
        """As in `Reading`, of a piece of one word: everywhere it stands."""
        return self.spans[_word_at(self, start)]


def _word_at(text: Reading | Distinct, position: int) -> int:
    """The word around a position, or after its space."""
    return bisect_right(text.starts, position) - 1


@dataclass(frozen=True, slots=True)
class Folded:
    """`readings[0]` is the plain one."""

    original: str
    readings: tuple[Reading, ...]
    distinct: Distinct


def fold(text: str) -> Folded:
    """All readings of the text. Linear; each is at most MAX_GROWTH times the text, twice over for spaces."""
    tokens = list(_tokens(text))
    native = _has_native(tokens)
    ambiguous = any(sign in text for sign in "1|@$")
    long_runs = _has_long_run(tokens)
    readings = dict.fromkeys(
        _reading(tokens, run, plain=plain, native=native)
        for plain in ((True, False) if ambiguous else (True,))
        for run in ((1, 2) if long_runs else (1,))
    )
    return Folded(text, tuple(readings), _distinct(readings))


def skeleton(text: str) -> str:
    """The plain reading as words between single spaces, without those joined from single letters."""
    tokens = list(_tokens(text))
    native = _has_native(tokens)
    return " ".join(word for token, _, _ in tokens for word in _folded(token, 1, True, native))


def fold_term(text: str) -> str:
    """What a channel's term looks like: a letter often in a row is two, as in the second reading of a text."""
    tokens = list(_tokens(text))
    return " ".join(word for token, _, _ in tokens for word in _folded(token, 2, True, True))


@lru_cache(maxsize=8192)
def _read(character: str) -> tuple[str, Kind]:
    """One character: what is left of it, and what that does to the word it stands in."""
    if character in BLANKS or category(character) in {"Cf", "Cn", "Co", "Cs"}:
        return "", "nothing"
    if character in SIGNS:
        return character, "sign"
    parts = normalize("NFKD", normalize("NFKD", LATIN.get(character, character)).casefold()).casefold()
    kept = [LATIN.get(part, part) for part in parts if not is_decoration(part) and part not in BLANKS]
    letters = "".join(part for part in kept if category(part)[0] in "LNM")
    if letters:
        return letters, "letter"
    if not kept:
        return "", "nothing"
    if kept[0] in SIGNS:  # a full-width one
        return kept[0], "sign"
    return (kept[0], "symbol") if category(kept[0]) == "So" else ("", "gap")


def _tokens(text: str) -> Iterator[_Token]:
    if text.isascii():
        for found in ASCII_WORD.finditer(text.lower()):
            yield found[0], found.start(), found.end()
        return
    parts: list[str] = []
    start = end = 0
    for index, character in enumerate(text):
        folded, kind = _read(character)
        if kind in {"gap", "symbol"}:
            if parts:
                yield "".join(parts), start, end
                parts = []
            if kind == "symbol":
                yield folded, index, index + 1
            continue
        if folded:
            if not parts:
                start = index
            parts.append(folded)
        end = index + 1  # an invisible character after a letter belongs to its word
    if parts:
        yield "".join(parts), start, end


def _is_latin(character: str) -> bool:
    return "a" <= character <= "z" or "\u00df" <= character <= "\u024f"


def _has_native(tokens: list[_Token]) -> bool:
    return any(not text.isascii() and _is_native(text) for text, _, _ in tokens)


@lru_cache(maxsize=8192)
def _is_native(word: str) -> bool:
    """Written in a script of look-alikes, and not only with them: the text is in another language than ours."""
    word = word.lstrip("!|@$").rstrip("!|@").translate(LEET_TABLE)  # a letter of ours as well, once it is folded
    if any(map(_is_latin, word)):
        return False
    return any("\u0370" <= character <= "\u058f" and character not in STRICT for character in word)


def _has_long_run(tokens: list[_Token]) -> bool:
    """Read leniently: signs may turn into the letter beside them, so `a@aa` counts."""
    together = " ".join([text for text, _, _ in tokens])
    tables = (LEET_TABLE, OTHER_LEET_TABLE)
    return any(LONG_RUN.search(together.translate(LOOSE_TABLE).translate(table)) for table in tables)


@lru_cache(maxsize=8192)
def _folded(text: str, longest_run: int, plain: bool, native: bool) -> tuple[str, ...]:
    """The words in a token: signs at its ends are none of it, unless they are read as letters."""
    if not (text.isascii() and text.isalpha()):
        text = text.lstrip("!|@$" if plain else "!|").rstrip("!|@")
        if not any(map(str.isalpha, text)):
            return tuple(text.translate(SIGNS_TABLE).split())
        # Two digits at the beginning are a number with its unit: `45s` is nobody's insult.
        number = len(text) > 1 and text[:2].isdigit()
        text = text.translate(SIGNS_TABLE if number else LEET_TABLE if plain else OTHER_LEET_TABLE)
        text = _unmasked(text, native=native)
    return tuple(LONG_RUN.sub(lambda run: run[1] * longest_run, text).split())


def _unmasked(word: str, *, native: bool) -> str:
    """Look-alikes as Latin letters, if the word mixes scripts, or has nothing else in a text of Latin words."""
    if word.isascii():
        return word
    if any(map(_is_latin, word)):
        return word.translate(LOOSE_TABLE)
    if native or not all(c in STRICT or not c.isalpha() for c in word):
        return word
    return word.translate(STRICT_TABLE)


def _reading(tokens: list[_Token], longest_run: int, *, plain: bool, native: bool) -> Reading:
    words = [
        Word(word, start, end) for text, start, end in tokens for word in _folded(text, longest_run, plain, native)
    ]
    words += _spelled_out(words)
    texts = [word.text for word in words]
    return Reading(f" {' '.join(texts)} ", tuple(words), _starts(texts))


def _starts(texts: Iterable[str]) -> tuple[int, ...]:
    return tuple(accumulate((len(text) + 1 for text in texts), initial=0))


def _distinct(readings: Iterable[Reading]) -> Distinct:
    places: dict[str, list[Span]] = {}
    every = [reading.words for reading in readings]
    for text, start, end in every[0] if len(every) == 1 else dict.fromkeys(chain.from_iterable(every)):
        places.setdefault(text, []).append((start, end))
    return Distinct(f" {' '.join(places)} ", tuple(places.values()), _starts(places))


def _spelled_out(words: list[Word]) -> list[Word]:
    """`b a d` as one word more: three single letters or more in a row."""
    joined: list[Word] = []
    letters: list[Word] = []
    for word in (*words, None):
        if word and len(word.text) == 1 and word.text.isalpha() and word.text < "\u0590":
            letters.append(word)
            continue
        if 3 <= len(letters) <= MAX_LETTERS_JOINED:
            joined.append(Word("".join(letter.text for letter in letters), letters[0].start, letters[-1].end))
        letters = []
    return joined
