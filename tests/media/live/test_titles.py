"""What a title may be."""

import pytest

from media.errors import TextRefused
from media.live.titles import clean_category, clean_title


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Sunday market \n", "Sunday market"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("朝の海", "朝の海"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("x" * 140, "x" * 140),
    ],
)
def test_a_title_is_trimmed_and_composed(sent: str, kept: str) -> None:
    assert clean_title(sent) == kept


@pytest.mark.parametrize(
    "sent",
    ["", "   ", "x" * 141, "a\x00b", "a\nb", "a\x1b[2Jb", "a\u202egnp.exe", "\u200b\u200d", "\ud800", "a\u2028b"],
)
def test_a_title_that_would_break_a_page_is_refused(sent: str) -> None:
    with pytest.raises(TextRefused) as refused:
        clean_title(sent)
    assert refused.value.code == "request.invalid"
    assert set(refused.value.details["fields"]) == {"title"}


def test_an_empty_category_is_none_and_a_long_one_is_refused() -> None:
    assert clean_category(None) is None
    assert clean_category("  ") is None
    assert clean_category(" Music ") == "Music"
    with pytest.raises(TextRefused):
        clean_category("x" * 61)
