"""What the nodes sign, and the keys they and the edge read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from infra.local.playback_keys import kept_playback_keys
from infra.settings import BadSetting, PlaybackSettings
from media.delivery.policies import Grant, verified
from media.delivery.signing import PlaybackSigner, load_signer, read_public_keys
from tests.media.delivery.passes import EDGE_URL, KEY_ID, key, signer

NOON = datetime(2030, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC)


def test_a_video_is_open_for_a_minute_and_renewed_thrice_in_it() -> None:
    opened = signer(lambda: NOON).for_video("v1")
    assert (opened.path, opened.seconds, opened.renew_seconds) == ("/vod/v1/", 60, 20)
    assert opened.expires_at == NOON + timedelta(seconds=60)
    granted = verified(opened.cookies, {KEY_ID: key().public_key()})
    assert granted == Grant(f"{EDGE_URL}/vod/v1/", int(NOON.timestamp()) + 60), "never longer than it is said"


def test_only_a_stream_that_is_open_to_all_is_open_for_longer() -> None:
    sign = signer(lambda: NOON)
    assert sign.for_stream("abc", open_to_all=True).seconds == 300
    limited = sign.for_stream("abc", open_to_all=False)
    assert (limited.seconds, limited.path) == (60, "/live/abc/")


def test_an_edge_below_a_path_has_cookies_below_it() -> None:
    settings = PlaybackSettings(cookie_domain="footlight.example")
    opened = PlaybackSigner(key(), settings, "https://footlight.example/media/", lambda: NOON).for_video("v1")
    assert (opened.path, opened.domain) == ("/media/vod/v1/", "footlight.example")
    granted = verified(opened.cookies, {settings.key_pair_id: key().public_key()})
    assert granted is not None
    assert granted.prefix == "https://footlight.example/media/vod/v1/"


def test_the_edge_reads_what_the_node_signs_and_both_halves_are_kept(tmp_path: Path) -> None:
    private, public = kept_playback_keys(tmp_path, KEY_ID)
    before = private.read_bytes()
    assert kept_playback_keys(tmp_path, KEY_ID) == (private, public)
    assert private.read_bytes() == before
    assert private.stat().st_mode & 0o077 == 0
    node = load_signer(PlaybackSettings(private_key=str(private)), EDGE_URL, lambda: NOON)
    assert verified(node.for_video("v1").cookies, read_public_keys(str(public))) is not None
    assert verified(signer().for_video("v1").cookies, read_public_keys(str(public))) is None


def test_keys_that_cannot_be_used_are_said_in_a_sentence(tmp_path: Path) -> None:
    broken, curve = tmp_path / "broken.pem", ec.generate_private_key(ec.SECP256R1())
    broken.write_text("no key")
    other = tmp_path / "other.key"
    other.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path in ("", str(tmp_path / "none.pem"), str(broken), str(other)):
        with pytest.raises(BadSetting, match="FOOTLIGHT_PLAYBACK_PRIVATE_KEY"):
            load_signer(PlaybackSettings(private_key=path), EDGE_URL, lambda: NOON)
    with pytest.raises(BadSetting, match=r"broken\.pem"):
        read_public_keys(str(tmp_path))
    broken.write_bytes(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for folder in ("", str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(BadSetting, match="FOOTLIGHT_PLAYBACK_PUBLIC_KEYS"):
            read_public_keys(folder)
