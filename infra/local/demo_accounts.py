"""The accounts a newcomer finds: one who streams, one who watches, and a few who talk. Made up once, then kept."""

import secrets
from pathlib import Path

import msgspec

from infra.local.parts import write_private

CAST = (
    ("creator", "Mara Lindqvist"),
    ("viewer", "Robin Okafor"),
    ("chatter", "Teo"),
    ("chatter", "juniper"),
    ("chatter", "Old Tom"),
    ("chatter", "Saskia V."),
)


class DemoAccount(msgspec.Struct, frozen=True):
    """One of the cast. `part` is creator, viewer or chatter."""

    part: str
    email: str
    password: str
    display_name: str


def demo_accounts(file: Path) -> list[DemoAccount]:
    """Read them from `file` (0600), or make them up with passwords of their own and write it."""
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=list[DemoAccount])
    accounts = [_made_up(number, part, name) for number, (part, name) in enumerate(CAST)]
    write_private(file, msgspec.json.format(msgspec.json.encode(accounts)).decode())
    return accounts


def _made_up(number: int, part: str, name: str) -> DemoAccount:
    local = part if part != "chatter" else f"{part}{number - 1}"
    return DemoAccount(part, f"{local}@demo.footlight.example", secrets.token_urlsafe(9), name)
