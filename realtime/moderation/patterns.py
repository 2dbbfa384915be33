"""Many patterns looked for at once, in words between single spaces.

A pattern is its pieces between wildcards. An Aho-Corasick automaton finds those of one piece; those of several each
scan the words once. The work is linear in the text, whatever the patterns.
"""

from collections.abc import Iterator, Sequence

from ahocorasick_rs import AhoCorasick, Implementation

Pieces = tuple[str, ...]
Found = tuple[int, int, int]  # a pattern, from where, to where


class Patterns:
    """Compiled. A pattern's number is its place in `patterns`."""

    def __init__(self, patterns: Sequence[Pieces]) -> None:
        self._plain = [number for number, pieces in enumerate(patterns) if len(pieces) == 1]
        self._inner = [(number, pieces) for number, pieces in enumerate(patterns) if len(pieces) > 1]
        texts = [patterns[number][0] for number in self._plain]
        self._automaton = AhoCorasick(texts, implementation=Implementation.ContiguousNFA) if texts else None

    def found(self, skeleton: str) -> Iterator[Found]:
        """`skeleton` is ` one two `, words with one space around each."""
        yield from self._in_automaton(skeleton)
        yield from self._with_gaps(skeleton)

    def _in_automaton(self, text: str) -> Iterator[Found]:
        if self._automaton is None:
            return
        done: dict[int, int] = {}  # by pattern: a match stands for its whole word, so once a word is enough
        for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if pattern in done and start < done[pattern]:
                continue
            word_end = text.find(" ", start + 1)
            done[pattern] = word_end if end <= word_end + 1 else 0
            yield self._plain[pattern], start, end

    def _with_gaps(self, text: str) -> Iterator[Found]:
        for number, pieces in self._inner:
            if pieces[-1] in text:  # cheaper than to begin
                for start, end in _scan(text, pieces):
                    yield number, start, end


def _scan(text: str, pieces: Pieces) -> Iterator[tuple[int, int]]:
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


def _rest(text: str, pieces: Pieces, position: int, word_end: int) -> int | None:
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
