"""Which colours a name in chat may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.colors import BACKGROUNDS, NAMED, contrast, normalise_color
from accounts.profile import NotAcceptable


@pytest.mark.parametrize(
    ("typed", "stored"), [("#2B9348", "#2b9348"), (" Teal ", NAMED["teal"]), ("#808080", "#808080")]
)
def test_a_colour_is_named_or_written_out(typed: str, stored: str) -> None:
    assert normalise_color(typed) == stored


@pytest.mark.parametrize("typed", ["#000000", "#ffffff", "#cccccc", "#100808", "#fff8f0"])
def test_what_has_no_hue_and_cannot_be_read_everywhere_is_refused(typed: str) -> None:
    with pytest.raises(NotAcceptable, match="cannot be read"):
        normalise_color(typed)


@pytest.mark.parametrize("typed", ["", "#12345", "#1234567", "#ggg000", "red;background:url(x)", "#2b9348\n#", "٠" * 7])
def test_what_is_no_colour_is_refused(typed: str) -> None:
    with pytest.raises(NotAcceptable, match="must be"):
        normalise_color(typed)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_colour_is_one(name: str) -> None:
    assert normalise_color(name) == normalise_color(NAMED[name])


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_no_colour_reads_well_on_both_backgrounds() -> None:
    """So one that is stored for both is for the client to adjust."""
    light, dark = BACKGROUNDS
    greys = [f"#{level:02x}{level:02x}{level:02x}" for level in range(256)]
    assert max(min(contrast(grey, light), contrast(grey, dark)) for grey in greys) < 4.5


@given(st.text(max_size=30))
def test_anything_typed_is_a_colour_or_a_reason(text: str) -> None:
    try:
        color = normalise_color(text)
    except NotAcceptable:
        return
    assert normalise_color(color) == color
