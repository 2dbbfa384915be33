"""Where the contract is written down in this repository."""

import json
from pathlib import Path

from realtime.contract.asyncapi import document
from realtime.contract.tables import with_tables
from realtime.contract.typescript import types

ASYNCAPI = Path("docs/asyncapi.json")
GUIDE = Path("docs/events.md")
TYPES = Path("http/web/src/realtime/events.ts")


def asyncapi() -> str:
    """The text of the AsyncAPI document."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def generated(root: Path) -> dict[Path, str]:
    """Each file of the repository at `root` that is made from the tables, as it ought to be."""
    guide = (root / GUIDE).read_text()
    return {root / ASYNCAPI: asyncapi(), root / GUIDE: with_tables(guide), root / TYPES: types()}


def drifted(root: Path) -> list[Path]:
    """The files that are not as they ought to be."""
    return [path for path, text in generated(root).items() if not path.exists() or path.read_text() != text]


def write(root: Path) -> list[Path]:
    """Bring every file up to date; those that changed."""
    stale = drifted(root)
    ought = generated(root)
    for path in stale:
        path.write_text(ought[path])
    return stale
