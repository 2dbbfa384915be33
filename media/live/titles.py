"""What a title or a category may be: one line of visible text."""

import unicodedata

from media.errors import TextRefused

MAX_TITLE = 140
MAX_CATEGORY = 60
# Controls, lone surrogates, unassigned and private code points, line and paragraph separators.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Characters that turn the reading direction of whatever follows them on a page (Unicode TR 36, bidirectional spoofing).
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_title(text: str) -> str:
    """The title trimmed and in Unicode's composed form; raises `TextRefused`."""
    return _clean("title", text, MAX_TITLE)


def clean_category(text: str | None) -> str | None:
    """The same for a category; an empty one counts as none."""
    return _clean("category", text, MAX_CATEGORY) if text is not None and text.strip() else None


def _clean(field: str, text: str, longest: int) -> str:
    cleaned = unicodedata.normalize("NFC", text).strip()
    if problem := _problem(cleaned, longest):
        raise TextRefused(f"The {field} {problem}.", fields={field: problem})
    return cleaned


def _problem(text: str, longest: int) -> str | None:
    if len(text) > longest:
        return f"must be at most {longest} characters"
    if any(character in DIRECTION_MARKS or unicodedata.category(character) in REFUSED_CATEGORIES for character in text):
        return "must not contain control characters"
    if not any(unicodedata.category(character)[0] in "LNPS" for character in text):
        return "must have at least one visible character"
    return None
