"""The keys that sign access tokens: a folder of RSA private keys in PEM, the file name being the key's id.

All keys verify; the newest signs, once every process has had the time to see it. So keys change without anybody being
signed out: `rotate()`, wait, `retire()`. Processes read the folder again every RELOAD_SECONDS, and at once for a key id
they do not know (but not more often than every PAUSE_SECONDS, because anyone can invent ids).
"""

import asyncio
import contextlib
import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from infra.clock import Clock, system_clock
from infra.logs import get_logger
from infra.settings import BadSetting

BITS = 2048
RELOAD_SECONDS = 30.0
PAUSE_SECONDS = 3.0
SETTLE = timedelta(seconds=90)  # before a new key signs: three reloads of the others, and the cache time of the key set
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """One key pair and when its file was made (Unix seconds)."""

    kid: str
    made: float
    private: rsa.RSAPrivateKey = field(repr=False)

    @property
    def public(self) -> rsa.RSAPublicKey:
        return self.private.public_key()

    def as_jwk(self) -> dict[str, Any]:
        """The public half as RFC 7517 wants it."""
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(self.public, as_dict=True)
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": jwk["n"], "e": jwk["e"]}


def signer(keys: Mapping[str, Key], now: float) -> Key:
    """The newest key that every process knows by now; while there is none, the oldest."""
    by_age = sorted(keys.values(), key=lambda key: (key.made, key.kid))
    settled = [key for key in by_age if key.made <= now - SETTLE.total_seconds()]
    return (settled or by_age[:1])[-1]


class Keys:
    """The keys of one process. `open()` first; nothing to close."""

    def __init__(
        self, folder: Path, *, clock: Clock = system_clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._monotonic = monotonic
        self._keys: dict[str, Key] = {}
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        """Read the folder, and make the first key when it is empty; raises `BadSetting` when it cannot be used."""
        try:
            await asyncio.to_thread(ensure_key, self._folder, self._clock())
            self._keys = await asyncio.to_thread(read_keys, self._folder, {})
        except OSError as failure:
            raise BadSetting(
                f"Footlight cannot start:\n  FOOTLIGHT_KEYS={self._folder}: {failure.strerror}."
            ) from failure
        if not self._keys:
            raise BadSetting(f"Footlight cannot start:\n  FOOTLIGHT_KEYS={self._folder} has no usable RSA key.")
        self._read_at = self._monotonic()

    async def signing(self) -> Key:
        await self._reload_when_older_than(RELOAD_SECONDS)
        return signer(self._keys, self._clock().timestamp())

    async def find(self, kid: str) -> Key | None:
        """The key with this id. The id is only ever compared, never made into a path."""
        await self._reload_when_older_than(RELOAD_SECONDS)
        if kid not in self._keys:
            await self._reload_when_older_than(PAUSE_SECONDS)
        return self._keys.get(kid)

    async def public_set(self) -> list[dict[str, Any]]:
        """All public keys, newest first (RFC 7517)."""
        await self._reload_when_older_than(RELOAD_SECONDS)
        return [key.as_jwk() for key in sorted(self._keys.values(), key=lambda key: -key.made)]

    async def _reload_when_older_than(self, seconds: float) -> None:
        if self._monotonic() - self._read_at < seconds:
            return
        async with self._reading:
            if self._monotonic() - self._read_at < seconds:
                return  # somebody else just did
            self._read_at = self._monotonic()
            try:
                found = await asyncio.to_thread(read_keys, self._folder, self._keys)
            except OSError as failure:
                log.error("keys.unreadable", reason=str(failure))
                return
            if found:
                self._keys = found
            else:
                log.error("keys.gone", reason="the folder has no usable key; the known ones stay in use")


def read_keys(folder: Path, known: Mapping[str, Key]) -> dict[str, Key]:
    """Every usable key of the folder by id; files that did not change since `known` are not parsed again."""
    found: dict[str, Key] = {}
    for path in folder.glob("*.pem"):
        with contextlib.suppress(FileNotFoundError):  # retired by another process since the listing
            made = path.stat().st_mtime
            before = known.get(path.stem)
            if before and before.made == made:
                found[path.stem] = before
            elif key := _parse(path.stem, made, path.read_bytes()):
                found[path.stem] = key
    return found


def _parse(kid: str, made: float, pem: bytes) -> Key | None:
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        private = None
    if KEY_ID.fullmatch(kid) and isinstance(private, rsa.RSAPrivateKey) and private.key_size >= BITS:
        return Key(kid, made, private)
    log.error("keys.refused", file=f"{kid}.pem", reason=f"must be an RSA private key in PEM of {BITS} bits or more")
    return None


def ensure_key(folder: Path, now: datetime) -> None:
    """Make the first key; of several processes that start at once, one does it and the others wait."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if next(folder.glob("*.pem"), None):
        return  # also works on a read-only folder
    with _locked(folder):
        if not next(folder.glob("*.pem"), None):
            _write_key(folder, now)


def rotate(folder: Path, now: datetime) -> str:
    """Add a key and return its id. It verifies within RELOAD_SECONDS and signs after SETTLE; the older ones stay."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        return _write_key(folder, now)


def retire(folder: Path, now: datetime, *, overlap: timedelta) -> list[str]:
    """Remove the keys whose successor has been signing for `overlap` (at least the life of an access token)."""
    limit = (now - overlap - SETTLE).timestamp()
    with _locked(folder):
        by_age = sorted(folder.glob("*.pem"), key=lambda path: (path.stat().st_mtime, path.name))
        over = [old for old, new in pairwise(by_age) if new.stat().st_mtime < limit]
        for path in over:
            path.unlink()
    return [path.stem for path in over]


def _write_key(folder: Path, now: datetime) -> str:
    kid = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    pem = rsa.generate_private_key(public_exponent=65537, key_size=BITS).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    unfinished = folder / f".{kid}.new"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    os.utime(unfinished, (now.timestamp(), now.timestamp()))
    unfinished.rename(folder / f"{kid}.pem")  # never half a key under its name
    return kid


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # gives the lock back, as the death of the process would
