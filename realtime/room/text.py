"""What may be said, as text: the rules that need no state."""

import unicodedata

from realtime.errors import TextInvalid

MAX_LENGTH = 500
# Overrides and isolates turn the text around them, names included; U+2028/9 are line breaks.
FORBIDDEN_POINTS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def clean(text: str) -> str:
    """The text in NFC without surrounding space; raises `TextInvalid` with `details.reason`.

    `reason` is `empty`, `too_long` (with `max_length`) or `characters`. The length is counted in code points.
    """
    if len(text) > 4 * MAX_LENGTH:  # before any work on it; NFC makes no text four times shorter
        raise TextInvalid(reason="too_long", max_length=MAX_LENGTH)
    normal = unicodedata.normalize("NFC", text).strip()
    if not normal:
        raise TextInvalid(reason="empty")
    if len(normal) > MAX_LENGTH:
        raise TextInvalid(reason="too_long", max_length=MAX_LENGTH)
    if any(_forbidden(character) for character in normal):
        raise TextInvalid(reason="characters")
    return normal


def _forbidden(character: str) -> bool:
    return character in FORBIDDEN_POINTS or unicodedata.category(character) in {"Cc", "Cs"}
