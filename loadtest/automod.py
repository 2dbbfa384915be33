"""How long AutoMod takes for one message, and that evil input changes only how long, not how it grows."""

import gc
import random
from time import thread_time_ns

from loadtest.tables import percentile, table
from realtime.moderation.automod import AutoModRules, Facts, judge
from realtime.moderation.terms import MAX_INNER, MAX_NESTED, MAX_TERMS, Term, Terms

MESSAGE = 500
ROUNDS = 200
SIZES = (125, 250, 500, 1000, 2000, 4000)
RULES = AutoModRules(level=4)
FACTS = Facts(account_age_seconds=0)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def measure() -> str:
    """Two tables: kinds of input at 500 characters, and sizes."""
    draw = random.Random(4)
    sets = {"words": _words(draw), "evil": _evil()}
    inputs = _inputs(draw)
    gc.collect()
    kinds = [[name, which, *_micros(text[:MESSAGE], sets[which], ROUNDS)] for name, which, text in inputs]
    growth = []
    for name, which, text in inputs:
        medians = [_micros(text[:size], sets[which], ROUNDS // 4)[0] for size in SIZES]
        growth.append([name, *medians, medians[-1] / medians[-2]])
    return "\n".join([_kinds(kinds), _growth(growth)])


def _kinds(rows: list[list[object]]) -> str:
    method = (
        f"`judge` at level 4, {MESSAGE} characters, {MAX_TERMS} terms, {ROUNDS} times each, µs of CPU; goal: p99 1000. "
        f"Words: random, a tenth with wildcards at the ends. Evil: {MAX_NESTED} that end with one another, "
        f"near-misses, and {MAX_INNER} with wildcards inside words."
    )
    return table("AutoMod on one message", method, ("input", "terms", "p50", "p99"), rows)


def _growth(rows: list[list[object]]) -> str:
    method = "Median in µs by the number of characters; the ratio is 4000 to 2000, and 2 is linear."
    return table("AutoMod by size", method, ("input", *map(str, SIZES), "ratio"), rows)


def _micros(text: str, terms: Terms, rounds: int) -> tuple[float, float]:
    took = []
    for _ in range(rounds):
        began = thread_time_ns()
        judge(text, FACTS, RULES, terms)
        took.append((thread_time_ns() - began) / 1000)
    return round(percentile(took, 0.5)), round(percentile(took, 0.99))


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(LETTERS, k=draw.randint(4, 12)))


def _words(draw: random.Random) -> Terms:
    texts = [_word(draw) + ("*" if index % 10 == 0 else "") for index in range(MAX_TERMS)]
    return Terms.compile([Term(text) for text in texts])


def _evil() -> Terms:
    nested = ["*" + ("ab" * 9)[-length:] + "*" for length in range(2, 2 + MAX_NESTED)]
    inner = ["a*" + LETTERS[index % 26] + "b" * (2 - index % 2) + "x*" for index in range(MAX_INNER)]
    near = [f"{'a' * 2}{'ab' * 20}{index}z" for index in range(MAX_TERMS - len(nested) - len(inner))]
    return Terms.compile([Term(text) for text in (*nested, *inner, *near)])


def _inputs(draw: random.Random) -> list[tuple[str, str, str]]:
    most = max(SIZES)
    ordinary = " ".join(_word(draw) for _ in range(most // 4))
    different = " ".join("".join(draw.choices("ab1", k=5)) + "aaa@ab" for _ in range(most // 10))
    return [
        ("ordinary", "words", ordinary),
        ("other alphabet", "words", "обычное предложение на русском языке " * (most // 30)),
        ("emoji", "words", "👨‍👩‍👧 🎉 hi " * (most // 8)),
        ("zalgo", "words", "z̷̡͎a̸l̵g̶o̷ " * (most // 8)),
        ("one letter", "evil", "a" * most),
        ("one letter, spaced", "evil", "a " * most),
        ("abab", "evil", "ab" * most),
        ("near-misses", "evil", ("aa" + "ab" * 20 + "1y ") * (most // 30)),
        ("many wildcards", "evil", "ab acb " * most),
        ("every reading", "evil", "@b1ab aaab|o " * (most // 10)),
        ("every reading, no word twice", "evil", different),
    ]
