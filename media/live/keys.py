"""Stream keys and playback ids: random, unrelated to each other and to anything else about the stream.

A key is 190 bits from the system's generator, so its plain SHA-256 cannot be searched: no slow hash is needed, and the
unique index on the hash finds the stream without comparing keys one by one.
"""

import hashlib
import hmac
import re
import secrets
import string

BASE62 = string.ascii_letters + string.digits
KEY_PREFIX = "live_"  # lets secret scanners and people recognise a key that leaked
KEY_SHAPE = re.compile(r"live_[A-Za-z0-9]{32}")
PLAYBACK_ID_LENGTH = 16  # 95 bits: cannot be guessed


def new_key() -> str:
    """`live_` and 32 random characters."""
    return KEY_PREFIX + "".join(secrets.choice(BASE62) for _ in range(32))


def new_playback_id() -> str:
    """16 random letters and digits."""
    return "".join(secrets.choice(BASE62) for _ in range(PLAYBACK_ID_LENGTH))


def looks_like_a_key(text: str) -> bool:
    """Whether it is worth asking the database."""
    return KEY_SHAPE.fullmatch(text) is not None


def hash_of(key: str) -> bytes:
    """What is stored instead of the key: 32 bytes."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def matches(key: str, stored: bytes) -> bool:
    """Whether `key` is the one whose hash was stored; takes the same time for every wrong key."""
    return hmac.compare_digest(hash_of(key), stored)
