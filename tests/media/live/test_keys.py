"""Keys say nothing and cannot be guessed."""

import pytest

from media.live.keys import hash_of, looks_like_a_key, matches, new_key, new_playback_id


def test_keys_are_all_different_and_have_their_shape() -> None:
    made = {new_key() for _ in range(1000)}
    assert len(made) == 1000
    assert all(looks_like_a_key(key) for key in made)


@pytest.mark.parametrize(
    "text", ["", "live_", "live_" + "a" * 31, "live_" + "a" * 33, "LIVE_" + "a" * 32, "live_" + "é" * 32, "\ud800"]
)
def test_what_does_not_look_like_a_key_is_known_at_sight(text: str) -> None:
    assert not looks_like_a_key(text)
    assert not matches(text, hash_of(new_key()))


def test_a_key_matches_its_own_hash_only() -> None:
    key = new_key()
    assert matches(key, hash_of(key))
    assert not matches(new_key(), hash_of(key))
    assert key.encode() not in hash_of(key)


def test_a_playback_id_is_16_letters_and_digits() -> None:
    made = {new_playback_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(text) == 16 and text.isalnum() and text.isascii() for text in made)
