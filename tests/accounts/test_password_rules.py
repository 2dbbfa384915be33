"""Which passwords are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.password_rules import common_passwords, normalise_password, weakness

ADA = {"email": "ada.lovelace@example.com", "display_name": "Countess Ada"}


@pytest.mark.parametrize(
    "password",
    ["seven green kites", "x7!kQ2pz", "aaaaaaab", "\U0001f40e\U0001f50b\U0001f4ce" * 3, "p" * 127 + "q", "        a"],
)
def test_length_is_all_that_is_asked(password: str) -> None:
    assert weakness(password, **ADA) is None


@pytest.mark.parametrize(
    "password",
    [
        "", "seven77", "q" * 129, "password", "PASSWORD", "12345678", "iloveyou", "qwertyuiop", "aaaaaaaa",
        "ada.lovelace@example.com", "Ada.Lovelace", "countess ada", "footlight", "FootLight2026!", "..ada.lovelace1",
    ],
)  # fmt: skip
def test_guessable_ones_are_refused(password: str) -> None:
    assert weakness(password, **ADA)


def test_the_list_of_common_ones_is_a_real_one() -> None:
    assert len(common_passwords()) >= 10_000


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert normalise_password("cafe\u0301 \uff11\uff12\uff13") == normalise_password("caf\u00e9 123")


@given(st.text(max_size=200))
def test_every_text_gets_a_verdict(password: str) -> None:
    verdict = weakness(normalise_password(password), **ADA)
    assert verdict is None or verdict.startswith(("must", "is"))
