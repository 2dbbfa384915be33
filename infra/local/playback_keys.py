"""The pair of keys that signs playback cookies on this machine: the nodes get one half, the edge the other."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from infra.local.parts import write_private

BITS = 2048  # what CloudFront takes


def kept_playback_keys(folder: Path, key_id: str) -> tuple[Path, Path]:
    """The private key's file and the folder of public ones; made the first time, kept after."""
    public = folder / "public"
    public.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = folder / "private.pem"
    if not private.exists():
        made = rsa.generate_private_key(65537, BITS)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(private, pem.decode())
    key = load_pem_private_key(private.read_bytes(), password=None)
    shown = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(public / f"{key_id}.pem", shown.decode())
    return private, public
