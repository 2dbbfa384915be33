"""The colour of a name in chat: which are taken, and by which words they can be named. Pure.

A colour is stored as it was chosen. No colour reads at 4.5:1 on both backgrounds (white and near-black are 17:1 apart,
so the best has 4.1:1 on each), so the client keeps its hue and moves its lightness until it reads in the present theme.
A colour without a hue has nothing to keep: white, black and pale greys would become the grey next to them, and are
refused instead, unless they read at 3:1 on both.
"""

import math
import re
from collections.abc import Mapping

from accounts.profile import NotAcceptable

NAMED: Mapping[str, str] = {
    "red": "#e5383b",
    "coral": "#ff7f50",
    "orange": "#f77f00",
    "gold": "#d4a017",
    "yellow": "#f2d024",
    "lime": "#84cc16",
    "green": "#2b9348",
    "mint": "#3ddc97",
    "teal": "#149c94",
    "sky": "#38a3f5",
    "blue": "#3a6ff7",
    "indigo": "#5a4fcf",
    "violet": "#9b5de5",
    "pink": "#f15bb5",
    "brown": "#a0673c",
}
BACKGROUNDS = ("#ffffff", "#1b1a21")  # --surface of both themes in http/web/src/styles/tokens.css
GREY_CONTRAST = 3.0  # WCAG 2.2, 1.4.11: the least at which shapes are told apart
HUE = 48  # between the strongest and the weakest of red, green and blue, of 255; less looks grey

_HEX = re.compile(r"#[0-9a-f]{6}")


def normalise_color(text: str) -> str:
    """`#rrggbb` in lower case, from that or from a name; raises `NotAcceptable`."""
    word = text.strip().lower()
    color = NAMED.get(word, word)
    if not _HEX.fullmatch(color):
        raise NotAcceptable("must be #rrggbb or one of " + ", ".join(NAMED))
    if not _has_hue(color) and any(contrast(color, background) < GREY_CONTRAST for background in BACKGROUNDS):
        raise NotAcceptable("cannot be read on light and dark: choose one with a hue, or a middle grey")
    return color


def contrast(one: str, other: str) -> float:
    """How well one colour reads on another, 1 to 21, as WCAG 2 measures it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _has_hue(color: str) -> bool:
    channels = _channels(color)
    return max(channels) - min(channels) >= HUE


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else math.pow((value + 0.055) / 1.055, 2.4)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
