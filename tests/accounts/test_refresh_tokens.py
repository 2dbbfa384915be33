"""Refresh tokens prove themselves and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import SessionOver
from accounts.refresh_tokens import RefreshToken, RefreshTokens
from infra.settings import BadSetting
from tests.accounts.world import SECRET

TOKENS = RefreshTokens(SECRET)
ANY = st.builds(RefreshToken, st.uuids().map(str), st.uuids().map(str), st.integers(1, 999_999_999))


@given(ANY)
def test_what_was_written_is_read(token: RefreshToken) -> None:
    assert TOKENS.read(TOKENS.write(token)) == token


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(SessionOver):
        TOKENS.read(text)


@given(ANY, st.data())
def test_one_changed_character_is_refused(token: RefreshToken, data: st.DataObject) -> None:
    text = TOKENS.write(token)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0123456789abcdefABCDEF-_.=\u0661").filter(lambda c: c != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    with pytest.raises(SessionOver):
        TOKENS.read(changed)


@given(ANY, st.integers(2, 9))
def test_a_holder_cannot_make_the_next_generation(token: RefreshToken, more: int) -> None:
    user, session, generation, mac = TOKENS.write(token).split(".")
    with pytest.raises(SessionOver):
        TOKENS.read(f"{user}.{session}.{int(generation) + more}.{mac}")


def test_another_installation_refuses_it() -> None:
    token = TOKENS.write(
        RefreshToken("0" * 8 + "-0000-0000-0000-" + "0" * 12, "1" * 8 + "-0000-0000-0000-" + "0" * 12, 1)
    )
    with pytest.raises(SessionOver):
        RefreshTokens("another secret of thirty-two chars").read(token)


@pytest.mark.parametrize("secret", ["", "too short"])
def test_without_a_secret_it_does_not_start(secret: str) -> None:
    with pytest.raises(BadSetting, match="FOOTLIGHT_SECRET"):
        RefreshTokens(secret)
