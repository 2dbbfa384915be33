"""Feeds the same pieces to our parser and to the reference, and says where they part.

Allowed, and nothing else:

- `early`: ours fails in the middle of a header whose first bytes are wrong already; `wsproto` reads all of it first.
- `late text`: ours decodes a text message when it is complete; `wsproto` as it arrives (see `reference.py`).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.realtime.fuzz.reference import Message, Reference
from tests.realtime.fuzz.streams import MAX_BYTES, random_stream


class Parser(Protocol):
    """What both are."""

    failed: int

    def feed(self, data: bytes) -> Sequence[Message]: ...


Make = Callable[[int], Parser]


class Parted(AssertionError):
    """The two disagree."""


def compare(make: Make, pieces: Sequence[bytes], max_bytes: int = MAX_BYTES) -> tuple[int, str]:
    """How many messages both read, and how it ended: `fine`, `closed`, `1002`, ... Raises `Parted`."""
    try:
        return _compare(make(max_bytes), Reference(max_bytes), pieces)
    except Parted as strictly:
        try:
            count, end = _compare(make(max_bytes), Reference(max_bytes, late_text=True), pieces)
        except Parted as lately:
            raise Parted(f"{strictly}; with late text: {lately}") from None
        return count, f"{end}, late text"


def run(make: Make, seed: int, frames: int) -> Counter[str]:
    """Compare on random streams of at least so many frames together; raises `Parted` naming the stream."""
    tally: Counter[str] = Counter()
    number = 0
    while tally["frames"] < frames:
        number += 1
        stream = random_stream(random.Random(seed << 32 | number))  # noqa: S311  # not a secret
        try:
            messages, end = compare(make, stream.pieces)
        except Parted as wrong:
            raise Parted(f"seed {seed}, stream {number}: {wrong}") from None
        tally["frames"] += stream.frames
        tally["messages"] += messages
        tally["streams"] += 1
        tally[f"ended: {end}"] += 1
    return tally


def _compare(ours: Parser, reference: Reference, pieces: Sequence[bytes]) -> tuple[int, str]:
    count, early = 0, False
    for number, piece in enumerate(pieces):
        said, expected = ours.feed(piece), reference.feed(piece)
        if list(said) != expected:
            raise Parted(f"piece {number} of {_shown(pieces)}: {_shown(said)} instead of {_shown(expected)}")
        count += len(expected)
        early = early or (ours.failed != 0 and ours.failed == reference.doomed())
        if not early and ours.failed != reference.failed:
            raise Parted(f"piece {number} of {_shown(pieces)}: failed {ours.failed} instead of {reference.failed}")
    if early and not reference.failed:
        return count, f"{ours.failed}, early"
    return count, str(ours.failed) if ours.failed else "closed" if reference.closed else "fine"


def _shown(what: object) -> str:
    text = repr(what)
    return text if len(text) < 600 else f"{text[:300]}...{text[-300:]}"
