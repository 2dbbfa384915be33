"""One spelling for each e-mail address and display name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.profile import MAX_EMAIL, MAX_NAME, NotAcceptable, normalise_email, normalise_name

ANY_TEXT = st.text(max_size=300)
NEARLY_EMAILS = st.builds("{}@{}.{}".format, st.text(max_size=70), st.text(max_size=70), st.text(max_size=10))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\t", "ada@example.com"),
        ("\uff41\uff44\uff41@example.com", "ada@example.com"),  # full-width letters
        ("o'hara+live@sub.example.co.uk", "o'hara+live@sub.example.co.uk"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_address_are_one_account(typed: str, stored: str) -> None:
    assert normalise_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", "@", "ada", "ada@", "@example.com", "ada@example", "a@b@example.com", "ada @example.com", ".ada@exam.ple",
        "a..da@example.com", "ada@-example.com", "ada@example..com", "ada@example.com.", "ada@exa mple.com",
        "ada\0@example.com", "\u0430da@example.com", "ada@[127.0.0.1]", "ada\n@example.com", f"{'a' * 65}@example.com",
        f"ada@{'b' * 64}.com", f"ada@{'.'.join(['bcdefgh'] * 40)}.com", "ada@example.com\r\nBcc: eve@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(NotAcceptable):
        normalise_email(typed)


@given(st.one_of(ANY_TEXT, NEARLY_EMAILS, st.emails()))
def test_normalising_an_address_again_changes_nothing(text: str) -> None:
    try:
        email = normalise_email(text)
    except NotAcceptable:
        return
    assert normalise_email(email) == email
    assert email.isascii()
    assert email == email.lower()  # what the table checks
    assert email.count("@") == 1
    assert len(email) <= MAX_EMAIL


@given(st.emails())
def test_upper_case_makes_no_other_account(email: str) -> None:
    try:
        stored = normalise_email(email)
    except NotAcceptable:
        return
    assert normalise_email(email.upper()) == stored


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ada", "Ada"),
        ("  Ada \t Lovelace ", "Ada Lovelace"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),  # an emoji that needs its joiner
        ("x" * 40, "x" * 40),
    ],
)
def test_names_are_tidied(typed: str, shown: str) -> None:
    assert normalise_name(typed) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "x" * 41,
        "a\0b",
        "a\u202eb",
        "\u200d",
        "\u0301",
        "a\x1b[31mb",
        "\u2066a",
        "\ufeffa",
        "a\ue000b",
        "\ud800",
    ],
)
def test_names_that_hide_or_turn_text_are_refused(typed: str) -> None:
    with pytest.raises(NotAcceptable):
        normalise_name(typed)


@given(ANY_TEXT)
def test_normalising_a_name_again_changes_nothing(text: str) -> None:
    try:
        name = normalise_name(text)
    except NotAcceptable:
        return
    assert normalise_name(name) == name
    assert 1 <= len(name) <= MAX_NAME
    assert "\0" not in name
