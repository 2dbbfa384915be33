"""What a creator says about a video: cleaned, or refused with what is wrong. Pure."""

import unicodedata
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from media.catalog.model import Visibility
from media.errors import TextRefused
from media.live.titles import DIRECTION_MARKS, REFUSED_CATEGORIES, clean_category, clean_title

MAX_DESCRIPTION = 5000
MAX_TAGS, MAX_TAG = 10, 30
MAX_LABEL = 60
LINE_BREAKS = {"\r\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n", "\t": " "}


class VideoChange(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; what is left out stays. A category of None is none."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    tags: Sequence[str] | UnsetType = UNSET
    category: str | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET


def clean_description(text: str) -> str:
    """Several lines of visible text, trimmed, in Unicode's composed form; may be empty. Raises `TextRefused`."""
    for found, put in LINE_BREAKS.items():
        text = text.replace(found, put)
    cleaned = unicodedata.normalize("NFC", text).strip()
    if len(cleaned) > MAX_DESCRIPTION:
        raise _refused("description", f"must be at most {MAX_DESCRIPTION} characters")
    if _hides(cleaned.replace("\n", "")):
        raise _refused("description", "must not contain control characters")
    return cleaned


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Each on one line, without a leading #, none twice (whatever its case), in their order. Raises `TextRefused`."""
    cleaned: dict[str, str] = {}
    for tag in tags:
        text = " ".join(unicodedata.normalize("NFC", tag).split()).lstrip("#").strip()
        if _hides(text) or not any(unicodedata.category(character)[0] in "LNPS" for character in text):
            raise _refused("tags", "must have visible characters and no control characters")
        if len(text) > MAX_TAG:
            raise _refused("tags", f"must be at most {MAX_TAG} characters each")
        cleaned.setdefault(text.casefold(), text)
    if len(cleaned) > MAX_TAGS:
        raise _refused("tags", f"must be at most {MAX_TAGS}")
    return list(cleaned.values())


def clean_label(text: str) -> str:
    """What a language is called: one line; may be empty. Raises `TextRefused`."""
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if len(label) > MAX_LABEL or _hides(label):
        raise _refused("label", f"must be at most {MAX_LABEL} characters, none of them a control character")
    return label


def clean_change(change: VideoChange) -> dict[str, object]:
    """The fields to set, cleaned. Raises `TextRefused`."""
    fields: dict[str, object] = {}
    if change.title is not UNSET:
        fields["title"] = clean_title(change.title)
    if change.description is not UNSET:
        fields["description"] = clean_description(change.description)
    if change.tags is not UNSET:
        fields["tags"] = clean_tags(change.tags)
    if change.category is not UNSET:
        fields["category"] = clean_category(change.category)
    if change.visibility is not UNSET:
        fields["visibility"] = change.visibility
    return fields


def _hides(text: str) -> bool:
    return any(
        character in DIRECTION_MARKS or unicodedata.category(character) in REFUSED_CATEGORIES for character in text
    )


def _refused(field: str, problem: str) -> TextRefused:
    return TextRefused(f"The {field} {problem}.", fields={field: problem})
