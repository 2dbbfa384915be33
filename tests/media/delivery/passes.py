"""A pair of keys, who signs with one and who checks with the other."""

import time
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from infra.clock import Clock, system_clock
from infra.settings import LiveSettings, PlaybackSettings
from media.delivery.doorkeeper import Doorkeeper
from media.delivery.playback import Playback
from media.delivery.signing import Pass, PlaybackSigner

EDGE_URL = LiveSettings().edge_public_url
KEY_ID = PlaybackSettings().key_pair_id
PURGE_KEY = b"a key of tests"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def signer(clock: Clock = system_clock, settings: PlaybackSettings = PlaybackSettings()) -> PlaybackSigner:  # noqa: B008
    return PlaybackSigner(key(), settings, EDGE_URL, clock)


def playback(clock: Clock = system_clock) -> Playback:
    return Playback(signer(clock))


def doorkeeper(unix_clock: Callable[[], float] = time.time) -> Doorkeeper:
    return Doorkeeper({KEY_ID: key().public_key()}, EDGE_URL, unix_clock)


def cookie_header(opened: Pass) -> str:
    """As a browser sends it."""
    return "; ".join(f"{name}={value}" for name, value in opened.cookies.items())


@cache
def live_cookies(playback_id: str) -> str:
    """Good for longer than any run of tests."""
    settings = PlaybackSettings(live_seconds=24 * 3600)
    return cookie_header(signer(settings=settings).for_stream(playback_id, open_to_all=True))


def no_files(key: str) -> str:
    """For edges whose players ask for no files."""
    raise AssertionError(key)
