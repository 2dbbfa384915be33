"""Emotes in what is said: `:wave:`. Which there are everywhere, which stand in a text, whether there is nothing else.

The built-in ones are listed in emotes.json, for the web client too, where `public/emotes/<code>.svg` is their picture.
"""

import re
from collections.abc import Container
from functools import cache
from pathlib import Path

import msgspec

SOURCE = Path(__file__).with_name("emotes.json")
CODE = r"[a-z0-9_]{2,24}"

_EMOTE = re.compile(f":({CODE}):")
# Emoji as people type them (Unicode's emoji-data.txt), without letters and digits in boxes: those could spell a text.
_PICTURE = (
    "[\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615"
    "\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663"
    "\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd"
    "\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705"
    "\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763"
    "\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\U0001f004\U0001f0cf"
    "\U0001f300-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f90c-\U0001f9ff"
    "\U0001fa70-\U0001faff]"
)
_LOOK = "[\ufe0f\U0001f3fb-\U0001f3ff]{0,2}[\U000e0020-\U000e007f]{0,8}"  # colour, skin, and the flags of regions
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = f"(?:{_PICTURE}{_LOOK}(?:\u200d{_PICTURE}{_LOOK})*|{_FLAG})"
# Each kind begins with a character of its own, so that there is one way to read a text: linear.
_NOTHING_ELSE = re.compile(rf"(?:\s|:{CODE}:|{_EMOJI})*")


class Emote(msgspec.Struct, frozen=True, kw_only=True):
    """One that is there in every channel; written `:code:`. `keywords` are for the search of it."""

    code: str
    label: str
    keywords: list[str]


@cache
def builtin_emotes() -> tuple[Emote, ...]:
    """In the order of the picker."""
    return msgspec.json.decode(SOURCE.read_bytes(), type=tuple[Emote, ...])


@cache
def builtin_codes() -> frozenset[str]:
    return frozenset(emote.code for emote in builtin_emotes())


def codes_in(text: str) -> list[str]:
    """Every `:code:` from the left, whether there is such an emote or not."""
    return _EMOTE.findall(text)


def only_emotes(text: str, known: Container[str]) -> bool:
    """Nothing but emotes of these codes, emoji and space, and at least one of them."""
    return (
        bool(text.strip())
        and _NOTHING_ELSE.fullmatch(text) is not None
        and all(code in known for code in codes_in(text))
    )
