"""The folder of signing keys: RSA private keys in PEM, one file each, the file name being the key's id.

Several processes, and operators with an editor, use it at once: files appear whole or not at all, and a lock keeps two
writers apart. Reading needs no lock, so a read-only folder (a mounted secret) works as well.
"""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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

from infra.logs import get_logger

BITS = 2048
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


def ids(folder: Path) -> list[str]:
    """The ids of all key files, oldest first."""
    return [path.stem for path in _by_age(folder)]


def ensure_key(folder: Path, now: datetime) -> None:
    """Make the first key; of several processes that start at once, one does it and the others wait."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if next(folder.glob("*.pem"), None):
        return  # also works on a read-only folder
    with _locked(folder):
        if not next(folder.glob("*.pem"), None):
            _write_key(folder, now)


def add(folder: Path, now: datetime) -> str:
    """Make one more key; returns its id."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        return _write_key(folder, now)


def remove_succeeded(folder: Path, before: datetime) -> list[str]:
    """Remove every key whose successor was made before that moment; returns their ids. One always stays."""
    with _locked(folder):
        over = [old for old, new in pairwise(_by_age(folder)) if new.stat().st_mtime < before.timestamp()]
        for path in over:
            path.unlink()
    return [path.stem for path in over]


def _by_age(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pem"), key=lambda path: (path.stat().st_mtime, path.name))


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
