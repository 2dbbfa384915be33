"""Emotes in a text: which ones, and whether there is nothing else. The built-in ones are there, small and harmless."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.emotes import CODE, builtin_codes, builtin_emotes, codes_in, only_emotes

PICTURES = Path(__file__).parents[2] / "http/web/public/emotes"
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "circle", "ellipse", "rect", "path", "g"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("hello", []),
        (":wave: hello :heart:", ["wave", "heart"]),
        (":wave::wave:", ["wave", "wave"]),
        (":wave:heart:", ["wave"]),
        ("10:30:45 :x: :Wave: ::", ["30"]),
        (f":{'a' * 24}: :{'a' * 25}:", ["a" * 24]),
    ],
)
def test_codes_stand_between_colons(text: str, codes: list[str]) -> None:
    assert codes_in(text) == codes


@pytest.mark.parametrize(
    "text",
    [
        ":wave:",
        " :wave: :heart:\n",
        ":wave::heart:",
        "😀",
        "👍🏽 ❤️ :wave:",
        "👩‍👩‍👧‍👦",
        "🇫🇷🇯🇵",
        "🏴\U000e0067\U000e0062\U000e007f",
        "☕",
    ],
)
def test_emotes_emoji_and_space_are_only_emotes(text: str) -> None:
    assert only_emotes(text, {"wave", "heart"})


@pytest.mark.parametrize(
    "text",
    ["", "  ", "wave", ":wave: hi", ":unknown:", "wave:", "😀 :unknown:", ":wave", ":wave:.", "😀a", "1", "🄷🄸", "Ⓗ",
     "🇫", "\u200d", "\ufe0f", "©", "ʘ‿ʘ", ":wave:\u0301"],
)  # fmt: skip
def test_anything_to_read_is_not(text: str) -> None:
    assert not only_emotes(text, {"wave", "heart"})


@given(st.lists(st.sampled_from([":wave:", ":heart:", "😀", "❤️", " ", "\n", "🇫🇷"]), min_size=1).map("".join))
def test_any_row_of_them_counts_unless_it_is_blank(text: str) -> None:
    assert only_emotes(text, {"wave", "heart"}) is bool(text.strip())
    assert not only_emotes(text + "x", {"wave", "heart"})


@pytest.mark.parametrize("piece", [":a", ":wave:", "❤\ufe0f", "👩\u200d", "🇫", "😀", ":", "\U000e0067", " "])
def test_no_text_takes_long(piece: str) -> None:
    """Half a million characters are a moment's work; a pattern that backtracks would not return before the timeout."""
    text = (piece * 500_000)[:500_000] + "x"
    assert not only_emotes(text, {"wave"})


def test_every_built_in_emote_has_a_code_a_label_and_words_to_find_it() -> None:
    emotes = builtin_emotes()
    assert len(builtin_codes()) == len(emotes) == 16
    for emote in emotes:
        assert re.fullmatch(CODE, emote.code)
        assert emote.label
        assert emote.keywords


@pytest.mark.parametrize("code", sorted(builtin_codes()))
def test_its_picture_is_small_and_only_shapes(code: str) -> None:
    source = (PICTURES / f"{code}.svg").read_text()
    assert len(source) < 2048
    root = ElementTree.fromstring(source)  # noqa: S314 - files of this repository
    assert root.get("viewBox") == "0 0 28 28"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= SHAPES
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    assert "url(" not in source


def test_there_is_no_picture_without_an_emote() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == builtin_codes()
